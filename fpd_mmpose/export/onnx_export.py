"""Export of pose estimators to ONNX files."""

import copy
import tempfile
from pathlib import Path
from typing import NamedTuple

import onnx
import torch
from mmengine.config import Config
from onnx import ModelProto
from torch import nn

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError, first_line
from fpd_mmpose.export.checking import compare, frozen_error
from fpd_mmpose.export.describe import describe, meta_of
from fpd_mmpose.export.exportable import TRACED, ExportedNetwork, channels_of
from fpd_mmpose.export.folding import fold_batch_norms, merge_feedback, tidy
from fpd_mmpose.export.half import to_half
from fpd_mmpose.export.options import PLAIN, ExportOptions, ExportReport
from fpd_mmpose.export.tracing import trace_to_onnx
from fpd_mmpose.files import sha256_of, write_bytes
from fpd_mmpose.version import __version__
from fpd_mmpose.weights.initialization import load_model


class Checked(NamedTuple):
    """A graph that computes what PyTorch does.

    It returns ``info.maps`` first, even if it decodes them. ``difference`` is the
    largest from PyTorch's, and ``peak`` their highest absolute value.
    """

    graph: ModelProto
    info: ModelInfo
    difference: float
    peak: float


def export_onnx(
    config: str | Path | dict | Config,
    checkpoint: str,
    out: str | Path,
    options: ExportOptions = PLAIN,
) -> ExportReport:
    """Exports a trained pose estimator to an ONNX file that describes itself.

    The file is written atomically, once ONNX Runtime has computed the same as PyTorch.
    A config for distillation exports its student and does not need the teacher's file.

    Args:
        config: Path, name, or content of the config of a top-down estimator;
            see :func:`fpd_mmpose.config.load_config`.
        checkpoint: Path or URL of its weights.
        out: The file to write.
        options: How to export.

    Returns:
        The description of the file, and its difference from PyTorch.

    Raises:
        UserError: If the config or the checkpoint cannot be read, they do not belong
            together, the network cannot be exported, or its results differ.

    Example:
        >>> import tempfile, torch
        >>> from mmengine.config import Config
        >>> from mmpose.apis import init_model
        >>> from fpd_mmpose.export import export_onnx
        >>> codec = dict(type='FPDHeatmap', input_size=(64, 64), heatmap_size=(16, 16))
        >>> config = Config(dict(
        ...     model=dict(
        ...         type='TopdownPoseEstimator',
        ...         backbone=dict(
        ...             type='ResNet', depth=18, num_stages=1, strides=(1,),
        ...             dilations=(1,), out_indices=(0,), stem_channels=8,
        ...             base_channels=8),
        ...         head=dict(
        ...             type='HeatmapHead', in_channels=8, out_channels=17,
        ...             deconv_out_channels=None, decoder=codec)),
        ...     test_dataloader=dict(dataset=dict(
        ...         pipeline=[dict(type='FPDTopdownAffine', input_size=(64, 64))]))))
        >>> weights = init_model(config, device='cpu').state_dict()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     torch.save(weights, f'{folder}/student.pth')
        ...     report = export_onnx(
        ...         config, f'{folder}/student.pth', f'{folder}/student.onnx')
        >>> len(report.info.joints), report.info.input_size
        (17, (64, 64))
    """
    model = load_model(config, checkpoint)
    return export_model(model, out, options, source_of(config, checkpoint))


def export_model(
    model: nn.Module,
    out: str | Path,
    options: ExportOptions = PLAIN,
    source: dict[str, str] | None = None,
) -> ExportReport:
    """Exports a pose estimator from MMPose's ``init_model``, which is not changed."""
    return write(checked_graph(model, options, source), out)


def checked_graph(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None = None
) -> Checked:
    """Makes the graph of a pose estimator, and compares it with PyTorch."""
    info = describe(model, options, source)
    network = ExportedNetwork(copy.deepcopy(model).cpu().eval(), info).eval()
    _check_sizes(network)
    with tempfile.TemporaryDirectory() as folder:
        graph = _graph(network, Path(folder, 'draft.onnx'), options.opset)
    if options.precision == 'fp16':
        graph = to_half(graph)
    try:
        onnx.checker.check_model(graph, full_check=True)
    except Exception as error:  # of two types, one of them not public
        raise UserError(
            f'the network cannot be written as ONNX in {options.precision}: '
            f'{first_line(error)}'
        ) from error
    difference, peak = compare(graph, network)
    if not difference <= options.limit * peak:
        same_difference, same_peak = compare(graph, network, [TRACED])
        if same_difference <= options.limit * same_peak:
            raise frozen_error(graph.graph, network, TRACED)
        raise UserError(
            f'the network was not exported: {" and ".join(info.maps)} of ONNX Runtime '
            f'differ from those of PyTorch by {difference:.2e}, which is '
            f'{difference / peak if peak else 1:.2%} of the highest value and more '
            f'than the tolerance of {options.limit:.2%}'
        )
    return Checked(graph, info, difference, peak)


def write(checked: Checked, out: str | Path) -> ExportReport:
    """Writes a graph and its description to a file atomically."""
    graph, info, difference, peak = checked
    finished = ModelProto()
    finished.CopyFrom(graph)
    if info.decoded:
        kept = [each for each in finished.graph.output if each.name not in info.maps]
        del finished.graph.output[:]
        finished.graph.output.extend(kept)
    onnx.helper.set_model_props(finished, info.to_metadata())
    content = finished.SerializeToString(deterministic=True)
    write_bytes(out, content)
    return ExportReport(str(out), info, difference, peak, len(content))


def source_of(config: str | Path | dict | Config, checkpoint: str) -> dict[str, str]:
    """Describes the origin of a network for :class:`ModelInfo`, without folders."""
    name = config.filename if isinstance(config, Config) else config
    source = dict(checkpoint=Path(checkpoint).name, version=__version__)
    if isinstance(name, str | Path):
        source['config'] = Path(name).name
    path = Path(checkpoint).expanduser()
    if not path.is_file():  # a URL: PyTorch keeps the download
        path = Path(torch.hub.get_dir(), 'checkpoints', path.name)
    if path.is_file():
        source['sha256'] = sha256_of(path)
    return source


def _graph(network: ExportedNetwork, draft: Path, opset: int) -> ModelProto:
    info = network.info
    traced = copy.deepcopy(network)
    merge_feedback(traced)
    trace_to_onnx(
        traced,
        network.sample(TRACED),
        draft,
        ['image' if info.image_order else 'input'],
        [*info.maps, *(['keypoints', 'scores'] if info.decoded else [])],
        opset,
    )
    graph = onnx.load(str(draft))
    tidy(graph)
    fold_batch_norms(graph)
    return graph


def _check_sizes(network: ExportedNetwork) -> None:
    info = network.info
    with torch.no_grad():
        found = network.network(network.normalize(network.sample(1)))
    if len(found) != len(info.maps) or any(
        maps.ndim != 1 + len(shape)
        for maps, shape in zip(found, info.maps.values(), strict=True)
    ):
        raise UserError(
            f'the network does not return {" and ".join(info.maps)}, which '
            f'{info.codec} decodes: correct the head or its decoder in the config'
        )
    width, height = info.heatmap_size
    sizes = found[0].shape[-1], found[-1].shape[-1 if len(found) > 1 else -2]
    if sizes != (width, height):
        setting = 'heatmap_size' if len(found) == 1 else 'simcc_split_ratio'
        raise UserError(
            f'the network returns {" and ".join(info.maps)} of {sizes[0]} x {sizes[1]},'
            f' and its codec has {width} x {height}: correct {setting} in the config'
        )
    joints = len(meta_of(network.network.model)['keypoint_id2name'])
    flips = len(meta_of(network.network.model)['flip_indices'])
    wanted = len(channels_of(info, range(joints)))
    channels = found[0].shape[1]
    if channels != wanted or flips != joints:
        raise UserError(
            f'the network returns {channels} {next(iter(info.maps))}, and {info.codec} '
            f'needs {wanted} for the {joints} keypoints (and {flips} flip_indices) of '
            "the config's dataset: correct one of them"
        )

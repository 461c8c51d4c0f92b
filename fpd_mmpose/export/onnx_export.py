"""Pose estimators written as ONNX files."""

import copy
import hashlib
import tempfile
from pathlib import Path
from typing import NamedTuple

import onnx
import torch
from mmengine.config import Config
from onnx import ModelProto
from torch import nn

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.checking import compare
from fpd_mmpose.export.describe import describe
from fpd_mmpose.export.exportable import ExportedNetwork
from fpd_mmpose.export.folding import fold_batch_norms, merge_feedback, tidy
from fpd_mmpose.export.half import to_half
from fpd_mmpose.export.options import PLAIN, ExportOptions, ExportReport
from fpd_mmpose.export.tracing import trace_to_onnx
from fpd_mmpose.files import write_bytes
from fpd_mmpose.version import __version__
from fpd_mmpose.weights.initialization import load_model


class Checked(NamedTuple):
    """A graph that does what PyTorch does.

    Attributes:
        graph (ModelProto): It gives heatmaps first, also where they are decoded.
        info (ModelInfo): How it is fed and read.
        difference (float): Of its heatmaps from those of PyTorch.
        peak (float): Their highest absolute value.
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
    """Writes a trained pose estimator as an ONNX file that describes itself.

    Args:
        config (str | Path | dict | Config): Of a top-down heatmap estimator, see
            :func:`fpd_mmpose.config.load_config`. Of a config for distillation, the
            student is taken; its teacher is not needed.
        checkpoint (str): Path or URL of its weights.
        out (str | Path): The file to write.
        options (ExportOptions): How.

    Returns:
        ExportReport: What was written.

    Raises:
        ValueError: If config and checkpoint cannot be read or do not belong together;
            and see :func:`export_model`. One line.
    """
    model = load_model(config, checkpoint)
    return export_model(model, out, options, source_of(config, checkpoint))


def export_model(
    model: nn.Module,
    out: str | Path,
    options: ExportOptions = PLAIN,
    source: dict[str, str] | None = None,
) -> ExportReport:
    """Writes a pose estimator as an ONNX file that describes itself.

    The file takes the place of ``out`` after ONNX Runtime has been found to compute
    what PyTorch does.

    Args:
        model (nn.Module): As MMPose's ``init_model`` gives it. It stays as it is.
        out (str | Path): The file to write.
        options (ExportOptions): How.
        source (dict[str, str], optional): See :class:`ModelInfo`.

    Returns:
        ExportReport: What was written.

    Raises:
        ValueError: If the network or its codec cannot be exported, the graph does not
            compute the same, or the file cannot be written. One line.
    """
    return write(checked_graph(model, options, source), out)


def checked_graph(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None = None
) -> Checked:
    """Makes the graph of a pose estimator, and compares it with PyTorch.

    Args:
        model (nn.Module): See :func:`export_model`.
        options (ExportOptions): How.
        source (dict[str, str], optional): See :class:`ModelInfo`.

    Returns:
        Checked: For :func:`write`.

    Raises:
        ValueError: See :func:`export_model`. One line.
    """
    info = describe(model, options, source)
    network = ExportedNetwork(copy.deepcopy(model).cpu().eval(), info).eval()
    _check_sizes(network)
    with tempfile.TemporaryDirectory() as folder:
        graph = _graph(network, Path(folder, 'draft.onnx'), options.opset)
    if options.precision == 'fp16':
        graph = to_half(graph)
    onnx.checker.check_model(graph, full_check=True)
    difference, peak = compare(graph, network)
    if not difference <= options.limit * peak:
        raise ValueError(
            f'nothing is written: the heatmaps of ONNX Runtime differ from those of '
            f'PyTorch by {difference:.2e}, {difference / peak if peak else 1:.2%} of '
            f'the highest, and {options.limit:.2%} are accepted'
        )
    return Checked(graph, info, difference, peak)


def write(checked: Checked, out: str | Path) -> ExportReport:
    """Puts a graph in place.

    Args:
        checked (Checked): The graph, which may give heatmaps beside what it is to
            return, and what is said of it.
        out (str | Path): The file.

    Returns:
        ExportReport: What was written.

    Raises:
        ValueError: If the file cannot be written. One line.
    """
    graph, info, difference, peak = checked
    finished = ModelProto()
    finished.CopyFrom(graph)
    if info.decoded:
        kept = [one for one in finished.graph.output if one.name != 'heatmaps']
        del finished.graph.output[:]
        finished.graph.output.extend(kept)
    onnx.helper.set_model_props(finished, info.to_metadata())
    content = finished.SerializeToString(deterministic=True)
    write_bytes(out, content)
    return ExportReport(str(out), info, difference, peak, len(content))


def source_of(config: str | Path | dict | Config, checkpoint: str) -> dict[str, str]:
    """Says where a network is from, without the folders of this machine.

    Args:
        config (str | Path | dict | Config): See :func:`export_onnx`.
        checkpoint (str): Path, or URL.

    Returns:
        dict[str, str]: See :class:`ModelInfo`.
    """
    name = config.filename if isinstance(config, Config) else config
    source = dict(checkpoint=Path(checkpoint).name, version=__version__)
    if isinstance(name, (str, Path)):
        source['config'] = Path(name).name
    path = Path(checkpoint).expanduser()
    if not path.is_file():  # a URL, which is read from there
        path = Path(torch.hub.get_dir(), 'checkpoints', path.name)
    if path.is_file():
        source['sha256'] = hashlib.sha256(path.read_bytes()).hexdigest()
    return source


def _graph(network: ExportedNetwork, draft: Path, opset: int) -> ModelProto:
    info = network.info
    traced = copy.deepcopy(network)
    merge_feedback(traced)
    trace_to_onnx(
        traced,
        network.sample(2),
        draft,
        ['image' if info.image_order else 'input'],
        ['heatmaps', 'keypoints', 'scores'] if info.decoded else ['heatmaps'],
        opset,
    )
    graph = onnx.load(str(draft))
    tidy(graph)
    fold_batch_norms(graph)
    return graph


def _check_sizes(network: ExportedNetwork) -> None:
    info = network.info
    with torch.no_grad():
        found = tuple(network(network.sample(1))[0].shape[1:])
    width, height = info.heatmap_size
    if found[1:] != (height, width):
        raise ValueError(
            f'the network gives heatmaps of {found[2]} x {found[1]}, its codec says '
            f'{width} x {height}: correct heatmap_size'
        )
    if found[0] != len(info.joints) or found[0] != len(info.flip_indices):
        raise ValueError(
            f'the network gives {found[0]} heatmaps, and its people have '
            f'{len(info.joints)} joints: correct the data set of the config'
        )

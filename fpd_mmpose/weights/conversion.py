"""Converts weight files between projects, and checks that they fit."""

import io
import os
import warnings
from collections import Counter, OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import Tensor, nn

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_bytes
from fpd_mmpose.weights.architectures import (
    Architecture,
    architecture_of,
    build,
    sample_of,
)
from fpd_mmpose.weights.checkpoint import read_checkpoint, rename, weights_of
from fpd_mmpose.weights.hourglass import to_reference
from fpd_mmpose.weights.layouts import KNOWN, Layout, recognize, to_official
from fpd_mmpose.weights.wrappers import without_wrappers

#: The dataset that a number of joints stands for.
_DATASETS = {16: 'mpii', 17: 'coco'}


def convert(
    source: str | Path,
    target: str | Path,
    reverse: bool = False,
    best: bool = False,
    verify: bool = False,
) -> list[str]:
    """Converts weights between projects, and checks that they fit.

    Tensors keep their values and precision. The matching network is built and loaded
    strictly before anything is written.

    Args:
        source: File or URL of weights: the reference's, HRNet's, SimpleBaseline's,
            torchvision's ResNet, or MMPose's.
        target: The file to write, with ``state_dict`` and ``meta``: for ``load_from``,
            a teacher, or ``Pretrained`` with ``prefix='backbone.'``.
        reverse: Write the names of the reference (or of HRNet, SimpleBaseline, or
            torchvision) instead, as a bare state dict that torch 1.0 reads, too.
        best: Take ``best_state_dict`` of the reference's ``checkpoint.pth``.
        verify: Also run the network once, and report statistics of its output.

    Returns:
        What was found and done, line by line.

    Raises:
        UserError: If the source cannot be read, is unknown, or does not fit, or the
            target is the source.

    Example:
        >>> import tempfile, torch
        >>> import fpd_mmpose
        >>> from fpd_mmpose.weights import to_reference
        >>> folder = tempfile.mkdtemp()
        >>> network = fpd_mmpose.StackedHourglass(num_stacks=1, num_features=8)
        >>> theirs = to_reference(network.state_dict(), prefix='')
        >>> source, target = f'{folder}/model_best.pth', f'{folder}/ours.pth'
        >>> torch.save(theirs, source)
        >>> report = fpd_mmpose.convert(source, target)
    """
    source, target = os.path.expanduser(source), Path(target).expanduser()
    if os.path.exists(source) and target.exists() and target.samefile(source):
        raise UserError(f'"{target}" is the source: give another file to write')
    checkpoint = read_checkpoint(source)
    chosen = checkpoint
    if best:
        if not isinstance(checkpoint, dict) or 'best_state_dict' not in checkpoint:
            raise UserError(f'"{source}" has no "best_state_dict": leave out `best`')
        chosen = checkpoint['best_state_dict']
    theirs = weights_of(chosen, source)
    layout = recognize(theirs)
    if layout is None:
        raise UserError(
            f'"{source}" is not recognized ({sample_of(theirs)}): known are {KNOWN}'
        )
    weights = rename(theirs, layout, source)
    try:
        network = architecture_of(weights)
        model = build(network, weights)
    except UserError as error:
        raise UserError(f'"{source}" holds {layout.title}, but {error}') from error

    report = [f'{source}: {layout.title}', *_describe(network, weights)]
    report += _left_out(checkpoint, theirs, weights, best)
    if verify:
        report.append(_statistics(model, network, source))
    if reverse:
        is_hourglass = network.backbone['type'] == 'StackedHourglass'
        names = to_reference(weights) if is_hourglass else to_official(weights)
        _save(OrderedDict(names), target, zipped=False)
        report.append(f'{target}: written, {len(weights)} weights, original names')
    else:
        meta = _meta(checkpoint, layout, network)
        _save(dict(meta=meta, state_dict=OrderedDict(weights)), target, zipped=True)
        report.append(f'{target}: written, {len(weights)} weights')
    return report


def _describe(network: Architecture, weights: Mapping[str, Tensor]) -> list[str]:
    joints = network.joints
    heatmaps = 'a backbone without head' if joints is None else f'joints {joints}'
    if joints in _DATASETS:
        heatmaps += f' (assumed to be those of {_DATASETS[joints].upper()})'
    trained = sum(
        value.numel()
        for name, value in weights.items()
        if not name.endswith(('running_mean', 'running_var', 'num_batches_tracked'))
    )
    dtypes = Counter(
        str(value.dtype).removeprefix('torch.')
        for value in weights.values()
        if value.is_floating_point()
    )
    configs = ' or '.join(network.configs) or 'no packaged one'
    if joints is None:
        configs = f'any with this {network.backbone["type"]} as backbone'
    return [
        f'network: {network.title}; {network.details}, {heatmaps}',
        f'parameters: {trained:,} in {", ".join(dtypes)}',
        f'config: {configs}',
    ]


def _left_out(
    checkpoint: Any,
    theirs: Mapping[str, Tensor],
    weights: Mapping[str, Tensor],
    best: bool,
) -> list[str]:
    lines = []
    if len(weights) < len(theirs):
        names = without_wrappers(theirs)
        dropped = [name for name in names if f'backbone.{name}' not in weights]
        parts = Counter(name.partition('.')[0] for name in dropped)
        listed = ', '.join(f'{count} of {part}' for part, count in parts.items())
        lines.append(f'left out: {len(dropped)} weights that only classify ({listed})')
    taken = 'best_state_dict' if best else 'state_dict'
    if taken in checkpoint:
        others = [str(key) for key in checkpoint if key not in (taken, 'meta')]
        if others:
            lines.append(f'left out: {", ".join(others)}')
        if 'best_state_dict' in others:
            lines.append('the best weights so far are in it as well: `best` takes them')
        if 'ema_state_dict' in others:
            lines.append(
                'state_dict holds the averaged weights (EMA), ema_state_dict the others'
            )
    return lines


@torch.no_grad()
def _statistics(model: nn.Module, network: Architecture, source: str) -> str:
    height, width = 256, 192 if network.joints == 17 else 256
    generator = torch.Generator().manual_seed(0)
    image = torch.randn(1, 3, height, width, generator=generator)
    # Only losses and decoding need the samples that a pose estimator expects.
    output = model(image, None) if network.head else model(image)
    if isinstance(output, (list, tuple)):
        output = output[-1]
    if not output.isfinite().all():
        raise UserError(f'"{source}" gives outputs that are NaN or infinite')
    _, channel, y, x = np.unravel_index(int(output.argmax()), output.shape)
    what = 'features' if network.joints is None else 'heatmaps'
    return (
        f'{what} {tuple(output.shape)} of a normal input {height} x {width}, seed 0: '
        f'mean {output.mean():.6g}, std {output.std():.6g}, min {output.min():.6g}, '
        f'max {output.max():.6g} in channel {channel} at x {x}, y {y}'
    )


def _meta(checkpoint: Any, layout: Layout, network: Architecture) -> dict:
    """Makes the metadata that mmengine and MMPose look up, in plain types."""
    if not layout.is_foreign_pose and isinstance(checkpoint.get('meta'), dict):
        return _plain(checkpoint['meta'])
    if network.joints not in _DATASETS:
        return {}
    file = f'configs/_base_/datasets/{_DATASETS[network.joints]}.py'
    with warnings.catch_warnings():
        # It warns that the file is MMPose's own, which is intended.
        warnings.simplefilter('ignore')
        return dict(dataset_meta=_plain(parse_pose_metainfo(dict(from_file=file))))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_plain(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value


def _save(content: dict, target: Path, zipped: bool) -> None:
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=zipped)
    write_bytes(target, buffer.getbuffer())

"""PyTorch's ONNX tracer, with workarounds for what it would turn into constants."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fpd_mmpose.errors import UserError, first_line


def trace_to_onnx(
    module: nn.Module,
    sample: Tensor | tuple[Tensor, ...],
    path: str | Path,
    input_names: Sequence[str],
    output_names: Sequence[str],
    opset: int = 17,
) -> None:
    """Writes a network in eval mode as an ONNX file.

    The first axis of inputs and outputs is a batch of any size; ``sample`` sets the
    others. Batch norms are folded into the convolutions that they follow.
    """
    names = [*input_names, *output_names]
    try:
        with (
            torch.no_grad(),
            plain_pooling(),
            free_windows(module),
            warnings.catch_warnings(),
        ):
            # The tracer warns that sizes become constants, which is intended, and that
            # there is a newer exporter, which takes minutes for an hourglass.
            warnings.simplefilter('ignore')
            torch.onnx.export(
                module.eval(),
                sample if isinstance(sample, tuple) else (sample,),
                str(path),
                input_names=list(input_names),
                output_names=list(output_names),
                dynamic_axes={name: {0: 'batch'} for name in names},
                opset_version=opset,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        raise UserError(
            f'the network cannot be written as ONNX with opset {opset}: '
            f'{first_line(error)}'
        ) from error


@contextmanager
def plain_pooling() -> Iterator[None]:
    """Replaces adaptive average pooling by equivalent windows of a fixed size.

    The tracer supports it for constant sizes only, and Lite-HRNet reads the size from
    another tensor.
    """
    adaptive = F.adaptive_avg_pool2d

    def pool(inputs: Tensor, output_size: Any) -> Tensor:
        sizes = [int(size) for size in inputs.shape[-2:]]
        if isinstance(output_size, int):
            output_size = (output_size, output_size)
        wanted = [
            size if given is None else int(given)
            for size, given in zip(sizes, output_size, strict=True)
        ]
        if any(size % want for size, want in zip(sizes, wanted, strict=True)):
            return adaptive(inputs, (wanted[0], wanted[1]))
        window = [size // want for size, want in zip(sizes, wanted, strict=True)]
        return F.avg_pool2d(inputs, window)

    F.adaptive_avg_pool2d = pool  # type: ignore[assignment]
    try:
        yield
    finally:
        F.adaptive_avg_pool2d = adaptive


@contextmanager
def free_windows(module: nn.Module) -> Iterator[None]:
    """Lets shifted-window attention (Swin) put windows together at any batch size.

    The implementations in OpenMMLab compute the batch size in Python from the number
    of windows, which the tracer turns into a constant. The mask of the windows, which
    depends on the size of the image alone, becomes one instead.
    """
    layers = [each for each in module.modules() if hasattr(each, 'window_reverse')]
    for layer in layers:
        partition: Any = layer.window_partition
        vars(layer)['window_partition'] = partial(_partition, partition)
        vars(layer)['window_reverse'] = _reverse
    try:
        yield
    finally:
        for layer in layers:
            del vars(layer)['window_partition'], vars(layer)['window_reverse']


def _partition(original: Callable[..., Tensor], inputs: Tensor, *size: int) -> Tensor:
    if inputs.shape[0] == inputs.shape[3] == 1:  # only the mask has one channel
        inputs = torch.from_numpy(inputs.cpu().numpy().copy())
    return original(inputs, *size)


def _reverse(windows: Tensor, height: int, width: int, *_: int) -> Tensor:
    """Puts windows (n * N, side, side, C) together to (N, height, width, C)."""
    side, channels = int(windows.shape[1]), int(windows.shape[3])
    rows, columns = int(height) // side, int(width) // side
    grid = windows.reshape(-1, rows, columns, side, side, channels)
    grid = grid.permute(0, 1, 3, 2, 4, 5)
    return grid.reshape(-1, rows * side, columns * side, channels)

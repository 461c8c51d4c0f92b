"""PyTorch's tracer, with what it cannot write replaced."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def trace_to_onnx(
    module: nn.Module,
    sample: Tensor,
    path: str | Path,
    input_names: Sequence[str],
    output_names: Sequence[str],
    opset: int = 17,
) -> None:
    """Writes a network as an ONNX file whose batch may have any size.

    Batch norms that follow a convolution are folded into it.

    Args:
        module (nn.Module): The network; it is run in eval mode.
        sample (Tensor): An input, which fixes every size but the first.
        path (str | Path): Where to write.
        input_names (Sequence[str]): Of the one input.
        output_names (Sequence[str]): Of the outputs, each with the batch first.
        opset (int): Of ONNX. Defaults to 17.

    Raises:
        ValueError: If the network does something that ONNX has no operator for. One
            line.
    """
    names = [*input_names, *output_names]
    try:
        with torch.no_grad(), plain_pooling(), warnings.catch_warnings():
            # Sizes become constants, which is meant; and there is a newer exporter,
            # which takes minutes for an hourglass and writes less plain graphs.
            warnings.simplefilter('ignore')
            torch.onnx.export(
                module.eval(),
                (sample,),
                str(path),
                input_names=list(input_names),
                output_names=list(output_names),
                dynamic_axes={name: {0: 'batch'} for name in names},
                opset_version=opset,
                dynamo=False,
            )
    except (torch.onnx.errors.OnnxExporterError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ValueError(
            f'the network cannot be written as ONNX of opset {opset}: {reason}'
        ) from error


@contextmanager
def plain_pooling() -> Iterator[None]:
    """Replaces adaptive average pooling by the fixed windows that it stands for.

    The tracer knows it only for constant sizes, and Lite-HRNet reads them off another
    tensor.
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
            return adaptive(inputs, wanted)
        window = [size // want for size, want in zip(sizes, wanted, strict=True)]
        return F.avg_pool2d(inputs, window)

    F.adaptive_avg_pool2d = pool
    try:
        yield
    finally:
        F.adaptive_avg_pool2d = adaptive

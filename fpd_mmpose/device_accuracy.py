"""Computes the accuracy that heads log on the GPU, so that no step waits for it."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def pose_pck_accuracy(
    output: Tensor, target: Tensor, mask: Tensor, thr: float = 0.05
) -> tuple[Tensor, Tensor, Tensor]:
    """Computes MMPose's function of this name without copying anything to the CPU.

    Returns the accuracy of each joint, (K,), which is -1 where none counts; the mean
    over the joints that count, or 0; and the number of joints that count.
    """
    height, width = output.shape[-2:]
    offset = _maximum(output) - _maximum(target)
    # The order of the sides is MMPose's.
    distance = torch.hypot(offset[..., 0] / height, offset[..., 1] / width)
    counted = mask.sum(0)
    right = ((distance < thr) & mask).sum(0)
    accuracy = torch.where(
        counted > 0, right / counted.clamp(min=1), right.new_full((), -1)
    )
    valid = counted > 0
    total = valid.sum()
    mean = (accuracy * valid).sum() / total.clamp(min=1)
    return accuracy, mean, total


def _maximum(heatmaps: Tensor) -> Tensor:
    """Finds the position (x, y) of each maximum; (-1, -1) without a positive value."""
    value, index = heatmaps.flatten(2).max(-1)
    width = heatmaps.shape[-1]
    # Half precision cannot represent every pixel's position.
    dtype = torch.promote_types(heatmaps.dtype, torch.float32)
    place = torch.stack([index % width, index // width], -1).to(dtype)
    return torch.where((value > 0)[..., None], place, -1.0)


@contextmanager
def accuracy_on_device(head: nn.Module) -> Iterator[None]:
    """Makes a head's ``loss`` compute ``acc_pose`` on the device of its heatmaps.

    MMPose's heads copy all heatmaps to NumPy, so every step waits for the GPU. The
    functions that the head's module calls are replaced inside the block; heads that
    call other functions are left alone.
    """
    namespaces = [vars(sys.modules[kind.__module__]) for kind in type(head).__mro__]
    replaced = []
    for namespace in namespaces:
        if 'pose_pck_accuracy' not in namespace or 'to_numpy' not in namespace:
            continue
        for name, stand_in in (
            ('pose_pck_accuracy', pose_pck_accuracy),
            ('to_numpy', torch.detach),
        ):
            replaced.append((namespace, name, namespace[name]))
            namespace[name] = stand_in
    try:
        with warnings.catch_warnings():
            # Heads pass the result to torch.tensor, which warns and copies it there.
            warnings.filterwarnings('ignore', 'To copy construct from a tensor')
            yield
    finally:
        for namespace, name, original in reversed(replaced):
            namespace[name] = original

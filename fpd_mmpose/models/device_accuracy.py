"""The accuracy that heads log, without a copy to the host in every step."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any

import torch
from torch import Tensor, nn


def pose_pck_accuracy(
    output: Tensor, target: Tensor, mask: Tensor, thr: float = 0.05
) -> tuple[Tensor, Tensor, Tensor]:
    """Computes what MMPose's function of this name does, without a copy to the host.

    Args:
        output (Tensor): Heatmaps of the network, (N, K, H, W).
        target (Tensor): Heatmaps of the ground truth, (N, K, H, W).
        mask (Tensor): True for the joints that count, (N, K).
        thr (float): Largest distance that is right, as a share of the heatmap's
            sides. Defaults to 0.05.

    Returns:
        tuple: Accuracy of each joint, (K,), -1 where none counts; its mean over those
        that count, 0 where none does; and how many joints count.
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
    """Position (x, y) of each maximum, (N, K, 2); (-1, -1) without a positive value."""
    value, index = heatmaps.flatten(2).max(-1)
    width = heatmaps.shape[-1]
    # Half precision counts pixels coarsely.
    dtype = torch.promote_types(heatmaps.dtype, torch.float32)
    place = torch.stack([index % width, index // width], -1).to(dtype)
    return torch.where((value > 0)[..., None], place, -1.0)


@contextmanager
def accuracy_on_device(head: nn.Module) -> Iterator[None]:
    """Lets a head's ``loss`` compute ``acc_pose`` where its heatmaps are.

    MMPose's heads copy all heatmaps to NumPy for it, which on CUDA makes every step
    wait for the GPU. The functions that the head's module calls are replaced while the
    block runs; heads that call others are left alone.

    Args:
        head (nn.Module): The head.

    Yields:
        None: While the replacements are in place.
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
            # Heads pass the result to torch.tensor, which copies it on the device.
            warnings.filterwarnings('ignore', 'To copy construct from a tensor')
            yield
    finally:
        for namespace, name, original in reversed(replaced):
            namespace[name] = original


def keep_accuracy_on_device(head: nn.Module) -> None:
    """Lets every ``loss`` of a head run in :func:`accuracy_on_device`.

    Plain training in bfloat16 needs it: MMPose's heads hand their heatmaps to NumPy,
    which has no such type.

    Args:
        head (nn.Module): The head; its ``loss`` is replaced.
    """
    loss = head.loss

    @wraps(loss)
    def on_device(*args: Any, **kwargs: Any) -> dict:
        with accuracy_on_device(head):
            return loss(*args, **kwargs)

    head.loss = on_device

"""Checks that there are batches, and that batch norm can train on each of them."""

from collections.abc import Sequence

import torch
from mmengine.dist import get_world_size
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from fpd_mmpose.errors import UserError


def size_of_last_batch(
    samples: int, batch_size: int, drop_last: bool, endless: bool
) -> int:
    """Returns how many samples the smallest batch has, which must not be none."""
    if endless:
        return batch_size
    if drop_last and samples < batch_size:
        raise UserError(
            f'train_dataloader has no batch: its {samples} samples are fewer than '
            f'batch_size={batch_size}, and drop_last leaves them out'
        )
    rest = samples % batch_size
    return batch_size if drop_last or not rest else rest


def check_batch_of_one(model: nn.Module, shape: Sequence[int], samples: int) -> None:
    """Raises an error if batch norm cannot train on one sample.

    That is so if a layer sees a single value per channel, as the lowest level of an
    hourglass does in an input of 64 x 64 pixels. The ``shape`` of the input is its
    channels, height, and width; ``samples`` of an epoch are for the message.
    """
    name = _norm_of_one_value(model, shape)
    if name is None:
        return
    _, height, width = shape
    raise UserError(
        f'the last batch of the {samples} training samples is a single one, for which '
        f'batch norm "{name}" has one value per channel at {width} x {height} pixels: '
        'set train_dataloader.drop_last=True, or change train_dataloader.batch_size'
    )


@torch.no_grad()
def _norm_of_one_value(model: nn.Module, shape: Sequence[int]) -> str | None:
    """Names the first layer of batch norm in training that sees one value."""
    was_training = model.training
    # Some backbones freeze their layers when they are put into training mode.
    model.train()
    norms: dict[nn.Module, str] = {
        module: name
        for name, module in model.named_modules()
        if isinstance(module, _BatchNorm)
        and module.training
        # Its statistics are those of all processes.
        and not (isinstance(module, nn.SyncBatchNorm) and get_world_size() > 1)
    }
    found: list[str] = []

    def look(module: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        values = inputs[0]
        if values.numel() == values.shape[1]:
            found.append(norms[module])

    hooks = [module.register_forward_pre_hook(look) for module in norms]
    # Keeps the statistics as they are.
    model.eval()
    try:
        device = next(model.parameters()).device
        model(torch.zeros(1, *shape, device=device), None, mode='tensor')
    finally:
        for hook in hooks:
            hook.remove()
        model.train(was_training)
    return found[0] if found else None

"""Chooses the device that networks run on."""

import torch

from fpd_mmpose.errors import UserError


def pick_device(name: str = 'auto') -> str:
    """Returns a device of PyTorch that works; ``'auto'`` is a GPU if there is one."""
    if name == 'auto':
        return 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f'device "{name}": {reason}; use cpu, cuda:0, or auto'
        ) from error
    return name

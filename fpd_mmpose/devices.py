"""Chooses the device that networks run on."""

import os

import torch

from fpd_mmpose.errors import UserError, first_line


def pick_device(name: str = 'auto') -> str:
    """Returns a device that works; ``'auto'`` is this process's GPU if there is one."""
    if name == 'auto':
        rank = os.environ.get('LOCAL_RANK', '0')
        return f'cuda:{rank}' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f'device "{name}": {first_line(error)}; use cpu, cuda:0, or auto'
        ) from error
    return name

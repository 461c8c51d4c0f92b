"""The device that a demo runs on."""

import torch


def pick_device(name: str = 'auto') -> str:
    """Says where to run, and that it can be run there.

    Args:
        name (str): A device of PyTorch, such as ``'cpu'`` or ``'cuda:0'``, or
            ``'auto'``: a GPU if there is one. Defaults to ``'auto'``.

    Returns:
        str: A device of PyTorch.

    Raises:
        ValueError: If there is no such device. One line.
    """
    if name == 'auto':
        return 'cuda:0' if torch.cuda.is_available() else 'cpu'
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f'device "{name}" cannot be used ({reason}): give cpu, cuda:0 or auto'
        ) from error
    return name

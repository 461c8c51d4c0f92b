"""Weights loaded into the network that they belong to, and no other."""

import copy
from pathlib import Path

import torch
from mmengine.config import Config
from mmpose.apis import init_model
from mmpose.apis.inference import dataset_meta_from_config
from torch import Tensor, nn

from ..paths import load_config
from .checkpoint import read_checkpoint, state_dict_of


def init_fitting_model(
    config: str | Path | dict | Config, checkpoint: str, device: str = 'cpu'
) -> nn.Module:
    """Makes a pose estimator as MMPose's ``init_model`` does, from weights that fit.

    ``init_model`` leaves weights at random where a file has none for them, and only
    prints so.

    Args:
        config (str | Path | dict | Config): See :func:`fpd_mmpose.paths.load_config`.
        checkpoint (str): Path or URL, see :func:`read_state_dict`.
        device (str): Where the network is put. Defaults to ``'cpu'``.

    Returns:
        nn.Module: In eval mode, with ``cfg`` and ``dataset_meta``, which is that of
        the file, or that of the config's people.

    Raises:
        ValueError: If one of them cannot be read, they do not belong together, or the
            device cannot be used. One line.
    """
    if isinstance(config, Config):
        name, config = config.filename or 'a config', copy.deepcopy(config)
    else:
        name, config = str(config), load_config(config)
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f'device "{device}": {reason}') from error
    content = read_checkpoint(checkpoint)
    model = init_model(config, device=device)
    state_dict = state_dict_of(content, checkpoint)
    load_fitting(model, state_dict, f'"{checkpoint}"', f'config "{name}"')
    meta = content.get('meta') if isinstance(content, dict) else None
    stored = meta.get('dataset_meta') if isinstance(meta, dict) else None
    # Of a mix of data sets for training, MMPose cannot tell what they show.
    model.dataset_meta = (
        stored or dataset_meta_from_config(config, 'val') or model.dataset_meta
    )
    return model


def load_fitting(
    model: nn.Module, state_dict: dict[str, Tensor], weights: str, network: str
) -> None:
    """Loads weights that fit a network exactly.

    MMPose's own hooks rename those of its older releases, and batch counters that old
    files lack are filled in.

    Args:
        model (nn.Module): The network; where it is refused, it is filled in part.
        state_dict (dict): As :func:`read_state_dict` gives it.
        weights (str): Names the file, for the message.
        network (str): Names the network, for the message.

    Raises:
        ValueError: If a weight is missing, unknown or of another shape. One line, with
            counts and the first name of each kind.
    """
    own = model.state_dict()
    problems = []
    if differing := [
        name
        for name, value in state_dict.items()
        if name in own and own[name].shape != value.shape
    ]:
        first = differing[0]
        problems.append(
            f'{len(differing)} weights have another shape (first {first}: '
            f'{tuple(state_dict[first].shape)} in the file, '
            f'{tuple(own[first].shape)} in the network)'
        )
        state_dict = {k: v for k, v in state_dict.items() if k not in differing}
    # Not strict, so that MMPose's hooks can rename the keys of older files first.
    found = model.load_state_dict(state_dict, strict=False)
    if missing := [k for k in found.missing_keys if k not in differing]:
        problems.append(f'{len(missing)} are missing (first {missing[0]})')
    if found.unexpected_keys:
        problems.append(
            f'{len(found.unexpected_keys)} are unknown '
            f'(first {found.unexpected_keys[0]})'
        )
    if problems:
        raise ValueError(
            f'{weights} does not fit the network of {network}: {"; ".join(problems)}'
        )

"""Lets OpenMMLab find the configs of this package by name.

MMEngine knows the packages of OpenMMLab alone, and only looks for configs inside an
installed package, where an editable install has none.
"""

import functools
from pathlib import Path
from typing import Any

from fpd_mmpose.config import PREFIX, config_root, find_config


def install_for_bases() -> None:
    """Makes ``_base_ = 'fpd_mmpose::hourglass/hg4_128_mpii.py'`` work."""
    from mmengine.config import Config

    get_path = Config._get_cfg_path
    if hasattr(get_path, '__wrapped__'):
        return

    @functools.wraps(get_path)
    def get_base_path(cfg_path: str, filename: str) -> tuple[str, str | None]:
        if cfg_path.startswith(PREFIX):
            return str(find_config(cfg_path)), None
        return get_path(cfg_path, filename)

    Config._get_cfg_path = staticmethod(get_base_path)


def install_for_hub() -> None:
    """Makes ``mmengine.hub.get_config('fpd_mmpose::...')`` work."""
    from mmengine import hub
    from mmengine.config import Config

    stock = hub.get_config
    if hasattr(stock, '__wrapped__'):
        return

    @functools.wraps(stock)
    def get_config(cfg_path: str, pretrained: bool = False) -> Config:
        if not cfg_path.startswith(PREFIX):
            return stock(cfg_path, pretrained)
        path = find_config(cfg_path)
        config = Config.fromfile(path)
        if pretrained:
            config.model_path = _weights_of(path)
        return config

    hub.get_config = hub.hub.get_config = get_config


def install_for_inferencers() -> None:
    """Makes ``MMPoseInferencer('hg4_128_mpii')`` work, and ``fpd_mmpose::`` names.

    Without ``pose2d_weights``, the weights are those that the configs of distillations
    name: ``checkpoints/hg4_128_mpii.pth``.
    """
    from mmengine.config import Config
    from mmengine.infer import BaseInferencer

    stock = BaseInferencer._load_model_from_metafile
    if hasattr(stock, '__wrapped__'):
        return

    @functools.wraps(stock)
    def load_model(self: Any, model: str) -> tuple[Config, str]:
        path = _named(model)
        if path is None:
            return stock(self, model)
        return Config.fromfile(path), _weights_of(path)

    BaseInferencer._load_model_from_metafile = load_model


def _named(model: str) -> Path | None:
    """Returns the config that a name of a model stands for, if it is a packaged one."""
    if model.startswith(PREFIX):
        return find_config(model)
    # Folders whose names start with an underscore hold parts of configs.
    found = {path.stem: path for path in config_root().glob('[!_]*/*.py')}
    return found.get(model.lower())


def _weights_of(config: Path) -> str:
    return f'checkpoints/{config.stem}.pth'

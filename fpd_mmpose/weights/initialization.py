"""Builds pose estimators with weights that fit."""

import copy
from pathlib import Path

from mmengine.config import Config
from mmpose.apis import init_model
from mmpose.apis.inference import dataset_meta_from_config
from torch import nn

from fpd_mmpose.config import load_config
from fpd_mmpose.devices import pick_device
from fpd_mmpose.weights.checkpoint import read_checkpoint, state_dict_of
from fpd_mmpose.weights.fitting import load_fitting
from fpd_mmpose.weights.joint_metadata import sound_metainfo


def load_model(
    config: str | Path | dict | Config, checkpoint: str, device: str = 'cpu'
) -> nn.Module:
    """Builds a pose estimator and loads its weights, which must fit.

    MMPose's ``init_model`` leaves parameters that the file lacks at random values.

    Args:
        config: A path, the name of a packaged config, an ``mmpose::...`` name, or the
            content of a config.
        checkpoint: Path or URL of weights: trained here, by MMPose, or those of the
            reference, HRNet, or SimpleBaseline.
        device: Where the network is put; ``'auto'`` is a GPU if there is one.

    Returns:
        The network in eval mode, with ``cfg`` and ``dataset_meta``.

    Raises:
        UserError: If a file cannot be read, the weights do not fit, or the device does
            not exist.

    Example:
        >>> import tempfile, torch
        >>> import fpd_mmpose
        >>> from fpd_mmpose.config import load_config
        >>> config = load_config('quickstart/hg1_32_drawn.py')
        >>> network = fpd_mmpose.StackedHourglass(num_stacks=1, num_features=32)
        >>> file = tempfile.mkstemp(suffix='.pth')[1]
        >>> names = {f'backbone.{k}': v for k, v in network.state_dict().items()}
        >>> torch.save(names, file)
        >>> type(fpd_mmpose.load_model(config, file)).__name__
        'TopdownPoseEstimator'
    """
    if isinstance(config, Config):
        name, config = config.filename or 'a config', copy.deepcopy(config)
    else:
        name, config = str(config), load_config(config)
    device = pick_device(device)
    content = read_checkpoint(checkpoint)
    model = init_model(config, device=device)
    state_dict = state_dict_of(content, checkpoint)
    load_fitting(model, state_dict, f'"{checkpoint}"', f'config "{name}"')
    meta = content.get('meta') if isinstance(content, dict) else None
    stored = sound_metainfo(meta.get('dataset_meta') if isinstance(meta, dict) else {})
    # MMPose cannot derive it from a mix of training datasets.
    model.dataset_meta = (
        stored or dataset_meta_from_config(config, 'val') or model.dataset_meta
    )
    return model

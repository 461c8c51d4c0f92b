"""A detector of mmdet that finds people."""

import datetime
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.apis.inferencers.utils import default_det_models

from ..paths import load_config

_URL = ('http://', 'https://')


class PersonDetector:
    """Finds people with a detector of mmdet; by default that of MMPose's inferencer.

    The network is built when the first images come.

    Args:
        config (str | Path, optional): A config file, a config of a package
            (``mmdet::rtmdet/...``) or a model name of mmdet (``rtmdet-m``). Defaults
            to ``None``: MMPose's detector of humans, an RTMDet-m.
        weights (str | Path, optional): File or URL. Defaults to ``None``: what MMPose
            or mmdet name for that model.
        device (str, optional): Defaults to ``None``: a GPU, if there is one.

    Attributes:
        facts (dict): Which config and weights these are, for a fingerprint.

    Raises:
        ValueError: If a file is missing or the device cannot be used. One line.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        weights: str | Path | None = None,
        device: str | None = None,
    ) -> None:
        default = default_det_models['human']
        if config is None:
            config, weights = default['model'], weights or default['weights']
        self.config: Config | str = str(config)
        self.weights = None if weights is None else str(weights)
        self.device = device
        self._inferencer: Any = None
        self.facts = dict(config=Path(config).name, weights=_describe(self.weights))
        if '::' in self.config or self.config.endswith('.py'):
            self.config = load_config(self.config)
            self.facts['config_sha256'] = _digest(self.config)
            if weights is None:
                raise ValueError(
                    f'config "{config}" names no weights: pass them with --weights'
                )
        if device is not None:
            try:
                torch.empty(0, device=device)
            except (RuntimeError, AssertionError) as error:
                reason = str(error).splitlines()[0]
                raise ValueError(f'device "{device}": {reason}') from error

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Finds people, in one pass of the network.

        Args:
            images (Sequence[np.ndarray]): BGR, of any sizes.

        Returns:
            list[np.ndarray]: Of each image (x1, y1, x2, y2, score), shape (n, 5).

        Raises:
            ValueError: If the weights cannot be had or do not fit the config, or if
                the detector knows no people. One line.
        """
        # Whatever is built here belongs to mmdet; the caller's scope stays MMPose's.
        scope = 'mmdet'
        if isinstance(self.config, Config):
            scope = self.config.get('default_scope', scope)
        with DefaultScope.overwrite_default_scope(scope):
            if self._inferencer is None:
                self._inferencer = self._build(scope)
                meta = self._inferencer.model.dataset_meta
                self._label = person_label(meta.get('classes', ()))
            results = self._inferencer(
                list(images), batch_size=len(images), return_datasamples=True
            )
        found = []
        for sample in results['predictions']:
            instances = sample.pred_instances.cpu().numpy()
            boxes = np.column_stack([instances.bboxes, instances.scores])
            found.append(boxes[instances.labels == self._label])
        return found

    def _build(self, scope: str) -> Any:
        try:
            from .inferencer import FittingDetInferencer
        except ImportError as error:
            raise ValueError(
                f'mmdet cannot be imported ({error}): install mmdet to detect people'
            ) from error
        try:
            return FittingDetInferencer(
                self.config, self.weights, self.device, scope, show_progress=False
            )
        except ValueError as error:
            if isinstance(error.__cause__, OSError):
                advice = 'fetch it by hand and pass the file with --weights'
            elif str(error).startswith('Cannot find model'):  # MMEngine says so
                advice = 'pass a model name of mmdet or a config file (.py)'
            else:
                raise
            raise ValueError(f'{error}; {advice}') from error


def person_label(classes: str | Sequence[str]) -> int:
    """Finds the label of people among a detector's classes.

    Args:
        classes (str | Sequence[str]): Their names.

    Returns:
        int: The label of ``person``, or of the only class.

    Raises:
        ValueError: If there are several classes and none is ``person``. One line.
    """
    names = [classes] if isinstance(classes, str) else list(classes)
    lowered = [name.lower() for name in names]
    if 'person' in lowered:
        return lowered.index('person')
    if len(names) == 1:
        return 0
    shown = ', '.join(names[:5]) + (', ...' if len(names) > 5 else '')
    raise ValueError(
        f'the detector has no class "person" (it has {shown}): pass --config and '
        '--weights of one that has'
    )


def _describe(weights: str | None) -> str | None:
    if weights is None or weights.startswith(_URL):
        return weights
    if not os.path.isfile(weights):
        raise ValueError(f'weights "{weights}" do not exist: check --weights')
    stat = os.stat(weights)
    changed = datetime.datetime.fromtimestamp(stat.st_mtime).isoformat()
    return f'{Path(weights).name}, {stat.st_size} bytes, {changed}'


def _digest(config: Config) -> str:
    content = json.dumps(config.to_dict(), sort_keys=True, default=str)
    return hashlib.sha256(content.encode()).hexdigest()

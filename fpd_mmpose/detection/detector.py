"""Detects people with a detector of MMDetection, and selects their boxes."""

import datetime
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmpose.apis.inferencers.utils import default_det_models
from mmpose.evaluation.functional import nms

from fpd_mmpose.config import load_config
from fpd_mmpose.devices import pick_device
from fpd_mmpose.errors import UserError


class PersonDetector:
    """Detects people in images; the network is built for the first images.

    ``config`` is a config file, a config of a package (``mmdet::rtmdet/...``), or a
    model name of MMDetection (``rtmdet-m``). The defaults are the person detector of
    MMPose's inferencer, an RTMDet-m, and the weights that MMPose or MMDetection
    provides. ``facts`` has both in JSON values, to recognize a later run.
    """

    def __init__(
        self,
        config: str | Path | None = None,
        weights: str | Path | None = None,
        device: str = 'auto',
    ) -> None:
        default = default_det_models['human']
        if config is None:
            config, weights = default['model'], weights or default['weights']
        self.config: Config | str = str(config)
        self.weights = None if weights is None else str(weights)
        self.device = pick_device(device)
        self._inferencer: Any = None
        self._label = 0
        self.facts = dict(config=Path(config).name, weights=_describe(self.weights))
        if '::' in self.config or self.config.endswith('.py'):
            self.config = load_config(self.config)
            content = json.dumps(self.config.to_dict(), sort_keys=True, default=str)
            digest = hashlib.sha256(content.encode()).hexdigest()
            self.facts['config_sha256'] = digest
            if weights is None:
                raise UserError(
                    f'config "{config}" does not name weights: pass them with '
                    '--det-checkpoint (in Python: `weights`)'
                )

    def __call__(self, images: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Detects the people in uint8 BGR images of any sizes, in one batch.

        Returns (N, 5) for each image: x1, y1, x2, y2 in pixels, and score.
        """
        # Everything that is built here belongs to MMDetection; the caller keeps
        # MMPose's scope.
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
            from fpd_mmpose.detection.inferencer import StrictDetInferencer
        except ImportError as error:
            raise UserError(
                f'mmdet cannot be imported ({error}): install it to detect people'
            ) from error
        try:
            return StrictDetInferencer(
                self.config, self.weights, self.device, scope, show_progress=False
            )
        except ValueError as error:
            if isinstance(error.__cause__, OSError):
                advice = 'download it and pass the file with --det-checkpoint'
                advice += ' (in Python: `weights`)'
            elif str(error).startswith('Cannot find model'):  # MMEngine's message
                advice = 'pass a model name of MMDetection or a config file (.py)'
            else:
                raise
            raise UserError(f'{error}; {advice}') from error


@dataclass(frozen=True)
class Selection:
    """Selects boxes of people, best first, as MMPose's inferencer does by default.

    Boxes are kept if their score is above ``score_thr``; only the better of two boxes
    whose IoU is above ``nms_thr``; and only inside the image.
    """

    score_thr: float = 0.3
    nms_thr: float = 0.3

    def __post_init__(self) -> None:
        for name, valid, expected in (
            ('score_thr', 0 <= self.score_thr < 1, 'at least 0 and less than 1'),
            ('nms_thr', 0 < self.nms_thr <= 1, 'greater than 0 and at most 1'),
        ):
            if not valid:
                raise UserError(
                    f'`{name}` is {getattr(self, name)}: it must be {expected}'
                )

    def __call__(self, boxes: np.ndarray, width: int, height: int) -> list[list[float]]:
        """Selects boxes (N, 5) of one image: x1, y1, x2, y2 in pixels, and score.

        Returns x, y, width, height, and score of each person, clipped and rounded.
        """
        boxes = boxes[boxes[:, 4] > self.score_thr].astype(np.float64)
        boxes = boxes[nms(boxes, self.nms_thr)]
        corners = boxes[:, :4].reshape(-1, 2, 2).clip(0, (width, height)).round(2)
        sizes = corners[:, 1] - corners[:, 0]
        people = np.hstack([corners[:, 0], sizes.round(2), boxes[:, 4:].round(4)])
        return people[sizes.min(axis=1) > 0].tolist()


def person_label(classes: str | Sequence[str]) -> int:
    """Returns the label of the class ``person``, or of a detector's only class."""
    names = [classes] if isinstance(classes, str) else list(classes)
    lowered = [name.lower() for name in names]
    if 'person' in lowered:
        return lowered.index('person')
    if len(names) == 1:
        return 0
    shown = ', '.join(names[:5]) + (', ...' if len(names) > 5 else '')
    raise UserError(
        f'the detector has no class "person" (it has {shown}): choose one that has, '
        'with --det-config and --det-checkpoint'
    )


def _describe(weights: str | None) -> str | None:
    if weights is None or weights.startswith(('http://', 'https://')):
        return weights
    if not os.path.isfile(weights):
        raise UserError(f'`weights`: "{weights}" does not exist')
    stat = os.stat(weights)
    changed = datetime.datetime.fromtimestamp(stat.st_mtime).isoformat()
    return f'{Path(weights).name}, {stat.st_size} bytes, {changed}'

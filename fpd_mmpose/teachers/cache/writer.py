"""Runs a teacher over the people of a training run, and stores its heatmaps."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpose.models.utils.tta import flip_heatmaps, flip_vectors
from mmpose.registry import MODELS
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.cache.identity import (
    ADVICE,
    crop_settings,
    difference,
    key_of,
    sources_of,
    teacher_settings,
)
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.training_instances import TrainingInstances
from fpd_mmpose.teachers.factory import build_live_teacher
from fpd_mmpose.teachers.joints import joints_of
from fpd_mmpose.teachers.live import input_adapter
from fpd_mmpose.teachers.output_conversion import Conversion
from fpd_mmpose.teachers.output_format import SIGMA, heatmap_format, mapped
from fpd_mmpose.teachers.speed.fast_network import last_output

#: Pixels from one cell of a heatmap to the next, for a teacher without heatmaps.
STRIDE = 4
#: The zoom of testing, and the widest of MPII's augmentation.
ZOOMS = (1.0, 1.25)


class CacheWriter:
    """Computes the heatmaps of a teacher and stores those that are missing.

    An interrupted run continues when repeated. Several processes share the work: each
    takes the people in a random order, and skips those that another one has stored. The
    padded box of a person is multiplied by each of the ``zooms``.
    """

    def __init__(
        self,
        config: Config,
        path: str | Path,
        zooms: Sequence[float] = ZOOMS,
        flip: bool = False,
        device: str = 'cpu',
    ) -> None:
        zooms = sorted(set(map(float, zooms)))
        if not zooms or not 0 < zooms[0] <= zooms[-1] or zooms[-1] < 1:
            raise UserError(
                f'zooms must be positive, and the widest 1 or more, got {zooms}'
            )
        self.device = torch.device(device)
        teacher = build_live_teacher(config.model.get('teacher') or {})
        teacher_config, model = teacher.build()
        self.sources = sources_of(config)
        crop = crop_settings(self.sources)
        self.preprocessor = MODELS.build(config.model.data_preprocessor).to(device)
        width, height = crop['input size']
        self.model = model.to(device)
        self.adapter = input_adapter(self.preprocessor, model, (width, height))
        own = teacher.describe(model, self.adapter, (width, height))
        if own.simcc:
            cells, sigma = (width // STRIDE, height // STRIDE), SIGMA
        else:
            cells, sigma = (own.x.cells, own.y.cells), own.x.sigma
        stored = heatmap_format(own.joints, (width, height), cells, sigma=sigma)
        self.conversion = Conversion(own, stored)
        test_cfg = model.test_cfg or {}
        if flip and test_cfg.get('flip_mode', 'heatmap') != 'heatmap':
            raise UserError(
                'flip_test needs a teacher whose test_cfg.flip_mode is "heatmap"; it '
                f'is "{test_cfg["flip_mode"]}"'
            )
        self.shift = bool(test_cfg.get('shift_heatmap', False))
        self.flip = flip
        shape = [len(zooms), own.joints, stored.y.cells, stored.x.cells]
        joints = joints_of(teacher_config)
        known = joints or joints_of(config)
        fits = known and len(known.names) == shape[1]
        self.flip_indices = known.flips if known and fits else None
        if flip and self.flip_indices is None:
            raise UserError(
                "flip_test needs to know the teacher's left and right joints, but its "
                'config names no dataset'
            )
        settings = {
            **teacher_settings(teacher_config, teacher.checkpoint),
            **crop,
            'zooms': zooms,
            'flip': flip and ('shifted' if self.shift else 'not shifted'),
            'shape': shape,
            'joints': joints and joints.names,
            'flip_indices': self.flip_indices,
            'sigma': sigma,
        }
        about = [source.describe() for source in self.sources]
        self.people = TrainingInstances(self.sources, crop, zooms)
        self.store = HeatmapStore(path, write=True)
        present = self.store.claim(settings)
        if 'sigma' not in present:  # in older files
            del settings['sigma']
        if changed := difference(present, settings):
            raise UserError(
                f'teacher cache "{path}" belongs to another teacher or box: {changed}; '
                f'remove the file or name another one, and {ADVICE}'
            )
        self.about = {key_of(one): one for one in about}
        for key, one in self.about.items():
            if key not in self.store.sources():
                self.store.add_source(key, one, finished=False)

    def run(
        self, batch_size: int = 8, workers: int = 0, limit: int | None = None
    ) -> None:
        """Stores the missing people among all, or among the first ``limit``."""
        count = len(self.people) if limit is None else min(limit, len(self.people))
        keys = self.people.keys[:count]
        missing = self.store.missing(keys)
        loader = DataLoader(
            self.people,
            batch_sampler=self._batches(missing, batch_size),
            num_workers=workers,
            collate_fn=list,
        )
        bar = tqdm(
            total=count,
            initial=count - len(missing),
            unit='person',
            desc='teacher',
            mininterval=5,
        )
        for batch in loader:
            positions, crops, records = zip(*batch, strict=True)
            found = self.heatmaps(torch.cat(crops)).unflatten(0, (len(batch), -1))
            self.store.add(
                (keys[position], record._replace(step=step, zero=zero, maps=maps))
                for position, record, (step, zero, maps) in zip(
                    positions, records, map(pack_maps, found.cpu().numpy()), strict=True
                )
            )
            bar.update(len(batch))
        bar.close()
        for number, key in enumerate(self.about):
            if not self.store.missing(self.people.keys_of(number)):
                self.store.add_source(key, self.about[key], finished=True)

    @torch.inference_mode()
    def heatmaps(self, crops: Tensor) -> Tensor:
        """Computes heatmaps (N, K, h, w), float32, of crops (N, 3, H, W), uint8."""
        data = self.preprocessor(dict(inputs=list(crops), data_samples=[]))
        inputs = self.adapter(data['inputs'])
        output = last_output(self.model, inputs)
        if self.flip:
            mirrored = last_output(self.model, inputs.flip(-1))
            if isinstance(mirrored, tuple):
                mirrored = flip_vectors(*mirrored, self.flip_indices)
            else:
                mirrored = flip_heatmaps(
                    mirrored, self.flip_indices, 'heatmap', self.shift
                )
            output = mapped(lambda one, two: (one + two) / 2, output, mirrored)
        heatmaps = self.conversion(output).values
        assert isinstance(heatmaps, Tensor)
        return heatmaps.float()

    def _batches(self, positions: Sequence[int], size: int) -> Iterator[list[int]]:
        """Yields batches of people that no process has stored so far."""
        # Not seeded by the run, so that processes take different people.
        order = np.random.default_rng(int.from_bytes(os.urandom(8), 'little'))
        for start in order.permutation(np.arange(0, len(positions), size)):
            batch = positions[start : start + size]
            left = self.store.missing([self.people.keys[each] for each in batch])
            if left:
                yield [batch[index] for index in left]

"""Runs a teacher over the people of a training run."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from mmengine.config import Config
from mmpose.models.utils.tta import flip_heatmaps
from mmpose.registry import MODELS
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from tqdm import tqdm

from fpd_mmpose.errors import UserError
from fpd_mmpose.models.distillers import Teacher
from fpd_mmpose.teachers.cache.identity import (
    ADVICE,
    crop_settings,
    difference,
    key_of,
    sources_of,
)
from fpd_mmpose.teachers.cache.identity import teacher_settings as settings_of_teacher
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.training_instances import People
from fpd_mmpose.teachers.heatmaps import as_stages
from fpd_mmpose.teachers.input_adapter import InputAdapter
from fpd_mmpose.teachers.joints import flip_indices, joint_names

#: One as in testing, and one as wide as MPII's augmentation makes it.
ZOOMS = (1.0, 1.25)
#: Options of `model.teacher` that are about the live network.
LIVE = ('config', 'checkpoint')


def live_teacher(config: Config) -> Teacher:
    """Makes the teacher of a distillation config, network and all.

    Args:
        config (Config): The config.

    Returns:
        Teacher: Not prepared yet.

    Raises:
        UserError: If the config has none. One line.
    """
    settings = config.model.get('teacher') or {}
    if missing := [option for option in LIVE if not settings.get(option)]:
        raise UserError(
            f'the config needs model.teacher with {" and ".join(missing)}: it is no '
            'config for distillation'
        )
    return Teacher(**{k: v for k, v in settings.items() if k != 'cache'})


class CacheWriter:
    """Computes the heatmaps of a teacher and stores them.

    Run it again to go on after a kill, and several times at once to share the work:
    each process takes the people in an order of its own, and leaves out those that
    another one has stored.

    Args:
        config (Config): The config for distillation.
        path (str | Path): The file to make or to go on with.
        zooms (Sequence[float]): What the padded box is multiplied by, for each of the
            pictures that the teacher is shown. The widest is the margin. Defaults
            to :data:`ZOOMS`.
        flip (bool): Whether to average with the mirrored picture's heatmaps.
            Defaults to False.
        device (str): Of the network. Defaults to ``'cpu'``.

    Raises:
        UserError: If something is missing, or the file has other heatmaps. One line.
    """

    def __init__(
        self,
        config: Config,
        path: str | Path,
        zooms: Sequence[float] = ZOOMS,
        flip: bool = False,
        device: str = 'cpu',
    ):
        zooms = sorted(set(map(float, zooms)))
        if not zooms or not 0 < zooms[0] <= zooms[-1] or zooms[-1] < 1:
            raise UserError(
                f'zooms must be positive, and the widest 1 or more, got {zooms}'
            )
        self.device = torch.device(device)
        self.sources = sources_of(config)
        crop = crop_settings(self.sources)
        teacher = live_teacher(config)
        teacher_config, model = teacher.build()
        self.preprocessor = MODELS.build(config.model.data_preprocessor).to(device)
        self.adapter = InputAdapter(self.preprocessor, model.data_preprocessor)
        self.adapter.to(device)
        self.model = model.to(device)
        test_cfg = model.test_cfg or {}
        if flip and test_cfg.get('flip_mode', 'heatmap') != 'heatmap':
            raise UserError(
                f'--flip needs a teacher with flip_mode "heatmap", and it has '
                f'"{test_cfg["flip_mode"]}"'
            )
        self.shift = bool(test_cfg.get('shift_heatmap', False))
        self.flip = flip
        shape = [len(zooms), *self._shape(crop['input size'])]
        indices = flip_indices(teacher_config) or flip_indices(config)
        self.flip_indices = indices if indices and len(indices) == shape[1] else None
        if flip and self.flip_indices is None:
            raise UserError(
                "--flip needs to know the teacher's left and right joints: its config "
                'names no data set'
            )
        settings = {
            **settings_of_teacher(teacher_config, teacher.checkpoint),
            **crop,
            'zooms': zooms,
            'flip': flip and ('shifted' if self.shift else 'not shifted'),
            'shape': shape,
            'joints': joint_names(teacher_config),
            'flip_indices': self.flip_indices,
        }
        about = [source.describe() for source in self.sources]
        self.people = People(self.sources, crop, zooms)
        self.store = HeatmapStore(path, write=True)
        if changed := difference(self.store.claim(settings), settings):
            raise UserError(
                f'teacher cache "{path}" is of another teacher or box: {changed}; '
                f'remove the file or name another one, and {ADVICE}'
            )
        self.about = {key_of(one): one for one in about}
        for key, one in self.about.items():
            if key not in self.store.sources():
                self.store.add_source(key, one, finished=False)

    def run(
        self, batch_size: int = 8, workers: int = 0, limit: int | None = None
    ) -> None:
        """Stores the people that are missing.

        Args:
            batch_size (int): Defaults to 8.
            workers (int): Processes that read images. Defaults to 0.
            limit (int, optional): Look at the first people only. Defaults to all.
        """
        count = len(self.people) if limit is None else min(limit, len(self.people))
        keys = self.people.keys[:count]
        missing = self.store.missing(keys)
        loader = DataLoader(
            self.people,
            batch_sampler=_Missing(self.store, keys, missing, batch_size),
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
            positions, pictures, records = zip(*batch, strict=True)
            found = self.heatmaps(torch.cat(pictures)).unflatten(0, (len(batch), -1))
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
    def heatmaps(self, pictures: Tensor) -> Tensor:
        """Runs the teacher.

        Args:
            pictures (Tensor): Crops as the data sets give them, uint8, (N, 3, H, W).

        Returns:
            Tensor: Heatmaps, float32, (N, K, h, w).
        """
        data = self.preprocessor(dict(inputs=list(pictures), data_samples=[]))
        inputs = self.adapter(data['inputs'])
        heatmaps = self._last(inputs)
        if self.flip:
            mirrored = flip_heatmaps(
                self._last(inputs.flip(-1)), self.flip_indices, 'heatmap', self.shift
            )
            heatmaps = (heatmaps + mirrored) / 2
        return heatmaps.float()

    def _last(self, inputs: Tensor) -> Tensor:
        return as_stages(self.model(inputs, None), 'the teacher')[-1]

    def _shape(self, size: Sequence[int]) -> list[int]:
        picture = torch.zeros(1, 3, size[1], size[0], device=self.device)
        with torch.inference_mode():
            return list(self._last(picture).shape[1:])


class _Missing(Sampler):
    """Batches of people that nobody has stored by the time they are drawn."""

    def __init__(
        self, store: HeatmapStore, keys: list, positions: list[int], batch_size: int
    ):
        self.store = store
        self.keys = keys
        self.positions = positions
        self.batch_size = batch_size

    def __iter__(self) -> Iterator[list[int]]:
        # Not from the seed of the run: processes are to take different people.
        order = np.random.default_rng(int.from_bytes(os.urandom(8), 'little'))
        starts = np.arange(0, len(self.positions), self.batch_size)
        for start in order.permutation(starts):
            batch = self.positions[start : start + self.batch_size]
            left = self.store.missing([self.keys[position] for position in batch])
            if left:
                yield [batch[index] for index in left]

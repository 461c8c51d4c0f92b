"""A teacher whose heatmaps were computed beforehand."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import print_log
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.structures import PoseDataSample
from mmpose.structures.bbox import flip_bbox
from mmpose.utils.typing import SampleList
from torch import Tensor

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.cache.identity import (
    ADVICE,
    crop_settings,
    difference,
    key_of,
    source_difference,
    sources_of,
    teacher_settings,
)
from fpd_mmpose.teachers.cache.maps import source_pixels, unpack_levels, warp_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore, StoredPerson
from fpd_mmpose.teachers.cache.training_instances import teacher_warp
from fpd_mmpose.teachers.heatmaps import copy_to, student_stages
from fpd_mmpose.teachers.joints import config_of_run, joint_names, resolve_joint_map
from fpd_mmpose.teachers.live import Teacher

#: Pixels by which a box may differ from the stored one; it was mirrored and back.
TOLERANCE = 0.05


class StoredTeacher(Teacher):
    """A teacher that is a file of heatmaps, and no network.

    ``tools/cache_teacher.py`` ran the network over the box of each person, in several
    zooms. A sample's heatmaps are those of the zoom that is closest to its own, and
    outside of that from a wider one, warped with the transform that the sample itself
    got: scale, rotation, flip and another centre. Outside of the widest they are 0.
    Transforms that only change colours do not reach the teacher.

    Args:
        cache (str): The file.
        config (str | dict, optional): See :class:`Teacher`. Where it is given, the
            file has to be of it. Defaults to ``None``.
        checkpoint (str, optional): The same for the weights; a file that is not on
            this machine is not compared. Defaults to ``None``.
        joint_map (Sequence[int | None], optional): See :class:`Teacher`.
        **live (Any): Other arguments of :class:`Teacher`, which are about its network.
    """

    def __init__(
        self,
        cache: str,
        config: str | dict | None = None,
        checkpoint: str | None = None,
        joint_map: Sequence[int | None] | None = None,
        **live: Any,
    ):
        super().__init__(config, checkpoint, joint_map, **live)
        self.cache = str(cache)
        self._store: HeatmapStore | None = None
        self._boxes: dict[tuple[str, int], list[tuple[np.ndarray, int]]] = {}

    def __repr__(self) -> str:
        """Names the file."""
        return f'StoredTeacher(cache={self.cache!r})'

    def prepare(self, student: BasePoseEstimator) -> None:
        """Opens the file and checks that it is what the run needs.

        Args:
            student (BasePoseEstimator): The network to be trained.

        Raises:
            UserError: If the file is missing, of another teacher or other people, not
                finished, or of joints that do not match. One line.
        """
        if self._store is not None:
            return
        store = HeatmapStore(self.cache)
        if not store.settings:
            raise UserError(f'teacher cache "{self.cache}" is empty: {ADVICE}')
        self._check_teacher(store.settings)
        run = config_of_run('cache', self.cache)
        if run is not None:
            self._check_run(store, run)
        mine = student_stages(student)[-1].shape[1]
        my_names = joint_names(run) if run else None
        if student.metainfo:
            my_names = joint_names({'model': {'metainfo': student.metainfo}})
        self._joints = resolve_joint_map(
            self.joint_map,
            mine,
            store.settings['shape'][1],
            my_names,
            store.settings['joints'],
            repr(self),
        )
        boxes = defaultdict(list)
        for key, number in store.keys().items():
            box = np.array(json.loads(key.box))
            boxes[key.image, key.frame].append((box, number))
        self._boxes = dict(boxes)
        self._store = store
        print_log(
            f'{self!r}: heatmaps of {store.size()[0]:,} people, the network is not '
            'needed',
            logger='current',
        )

    def start(
        self, inputs: Tensor, data_samples: SampleList
    ) -> tuple[Tensor, SampleList]:
        """Keeps what :meth:`finish` needs: there is no network to start.

        Args:
            inputs (Tensor): See :meth:`heatmaps`.
            data_samples (list[PoseDataSample]): See :meth:`heatmaps`.

        Returns:
            tuple: Both.
        """
        return inputs, data_samples

    def finish(self, started: tuple[Tensor, SampleList], size: Sequence[int]) -> Tensor:
        """Calls :meth:`heatmaps`.

        Args:
            started (tuple): What :meth:`start` gave.
            size (Sequence[int]): See :meth:`heatmaps`.

        Returns:
            Tensor: See :meth:`heatmaps`.
        """
        inputs, data_samples = started
        return self.heatmaps(inputs, size, data_samples)

    def heatmaps(
        self, inputs: Tensor, size: Sequence[int], data_samples: SampleList
    ) -> Tensor:
        """Reads the heatmaps of a batch, and warps them as the samples are.

        Args:
            inputs (Tensor): Images as the student gets them, (N, 3, H, W).
            size (Sequence[int]): Height and width of the student's heatmaps.
            data_samples (list[PoseDataSample]): With ``warp_mat``, ``img_path``,
                ``ori_shape``, ``flip`` and ``flip_direction`` as metainfo, and the
                box.

        Returns:
            Tensor: As :meth:`Teacher.heatmaps`.

        Raises:
            UserError: If a sample lacks these, or the file has not its person. One
                line.
        """
        people = self._store.read([self._number(one) for one in data_samples])
        settings = self._store.settings
        levels, sources, first = [], [], []
        for person, sample in zip(people, data_samples, strict=True):
            maps = unpack_levels(person.maps, settings['shape'])
            levels.append(maps[:, self._order(sample)])
            sources.append(self._sources(person, sample, inputs, size))
            first.append(_closest(sources[-1]))
        on_host = (
            torch.from_numpy(np.stack(levels)),
            torch.from_numpy(np.stack(sources).astype(np.float32)),
            torch.tensor(first),
            torch.tensor([[person.zero, person.step] for person in people]),
        )
        levels, sources, first, scales = (
            copy_to(each, inputs.device) for each in on_host
        )
        with torch.no_grad():
            zeros, steps = scales[:, :, None, None, None, None].unbind(1)
            heatmaps = warp_maps((levels - zeros) * steps, sources, first, size)
            has_joint = self.has_joint(heatmaps.device)
            if has_joint is not None:
                heatmaps = heatmaps * has_joint[None, :, None, None]
        return heatmaps

    def _check_teacher(self, settings: dict[str, Any]) -> None:
        wanted: dict[str, Any] = {}
        if self.config:
            wanted['teacher config'] = teacher_settings(self._load_config(), '://')[
                'teacher config'
            ]
        if self.checkpoint:
            if '://' in self.checkpoint or Path(self.checkpoint).is_file():
                found = teacher_settings({'model': None}, self.checkpoint)
                wanted['teacher weights'] = found['teacher weights']
            else:
                print_log(
                    f'{self!r}: "{self.checkpoint}" is not on this machine, and is '
                    'not compared with the weights that made the file',
                    logger='current',
                )
        self._refuse(difference(settings, wanted))

    def _check_run(self, store: HeatmapStore, run: Config) -> None:
        sources = sources_of(run)
        self._refuse(difference(store.settings, crop_settings(sources)))
        known = store.sources()
        for source in sources:
            about = source.describe()
            if key_of(about) not in known:
                stored = [other for other, _ in known.values()]
                self._refuse(source_difference(stored, about))
            elif not known[key_of(about)][1]:
                self._refuse(f'not all people of "{about["name"]}" are in it yet')

    def _refuse(self, reason: str) -> None:
        if reason:
            raise UserError(f'teacher cache "{self.cache}": {reason}; {ADVICE}')

    def _number(self, sample: PoseDataSample) -> int:
        if 'warp_mat' not in sample:
            raise UserError(
                'a stored teacher has to know how a sample was cropped: use '
                'FPDTopdownAffine and FPDPackPoseInputs in the pipeline, or add '
                '"warp_mat" (and for videos "frame_index") to meta_keys of '
                'PackPoseInputs'
            )
        box = np.reshape(sample.gt_instances.bboxes, -1)[:4].astype(float)
        direction = sample.get('flip_direction')
        if direction:
            mirrored = np.linalg.det(sample.warp_mat[:, :2]) < 0
            if mirrored != (direction != 'diagonal'):
                raise UserError(
                    'a stored teacher needs RandomFlip before the crop in the pipeline'
                )
            height, width = sample.ori_shape[:2]
            box = flip_bbox(box, (width, height), 'xyxy', direction)
        place = (str(sample.img_path), int(sample.get('frame_index', -1)))
        for other, number in self._boxes.get(place, ()):
            if np.abs(other - box).max() < TOLERANCE:
                return number
        raise UserError(
            f'teacher cache "{self.cache}" has no person in box '
            f'{box.round(1).tolist()} of "{place[0]}": {ADVICE}'
        )

    def _order(self, sample: PoseDataSample) -> list[int]:
        """The stored heatmap of each joint, which a flip makes that of the other side.

        Joints that the teacher lacks get any, see :meth:`Teacher.has_joint`.
        """
        joints = range(self._store.settings['shape'][1])
        if self._joints is not None:
            joints = [joint or 0 for joint in self._joints]
        if not sample.get('flip'):
            return list(joints)
        pairs = self._store.settings['flip_indices']
        if pairs is None:
            raise UserError(
                f'teacher cache "{self.cache}" does not tell left from right, and a '
                "sample is mirrored: give the teacher's config a data set and "
                f'{ADVICE}, or take RandomFlip out'
            )
        return [pairs[joint] for joint in joints]

    def _sources(
        self,
        person: StoredPerson,
        sample: PoseDataSample,
        inputs: Tensor,
        size: Sequence[int],
    ) -> np.ndarray:
        settings = self._store.settings
        return np.stack(
            [
                source_pixels(
                    sample.warp_mat,
                    teacher_warp(
                        person.center, person.scale, zoom, settings['input size']
                    ),
                    inputs.shape[:-3:-1],
                    settings['input size'],
                    size[::-1],
                    settings['shape'][:1:-1],
                )
                for zoom in settings['zooms']
            ]
        )


def _closest(sources: np.ndarray) -> int:
    """The zoom whose pixels are the most like a sample's in size."""
    areas = np.abs(np.linalg.det(sources[:, :, :2]))
    return int(np.abs(np.log(areas)).argmin())

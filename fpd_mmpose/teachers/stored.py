"""A teacher whose heatmaps were computed beforehand."""

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
from fpd_mmpose.teachers.base import Teacher, describe_student, load_teacher_config
from fpd_mmpose.teachers.cache.identity import (
    ADVICE,
    crop_settings,
    difference,
    key_of,
    source_difference,
    sources_of,
    teacher_settings,
)
from fpd_mmpose.teachers.cache.maps import (
    source_pixels,
    stored_format,
    unpack_levels,
    warp_maps,
)
from fpd_mmpose.teachers.cache.store import HeatmapStore, StoredPerson
from fpd_mmpose.teachers.cache.training_instances import teacher_warp
from fpd_mmpose.teachers.joint_names import JointSet
from fpd_mmpose.teachers.joints import (
    JointSelection,
    config_of_run,
    joints_of_student,
    resolve_joint_map,
)
from fpd_mmpose.teachers.output_conversion import Conversion, Taught
from fpd_mmpose.teachers.output_format import OutputFormat, heatmap_format
from fpd_mmpose.teachers.recording import copy_to

#: Pixels by which a box, mirrored and back, may differ from the stored one.
TOLERANCE = 0.05


class StoredTeacher(Teacher):
    """A file of heatmaps, without a network; see ``model.teacher.cache``.

    :func:`~fpd_mmpose.teachers.cache.command.cache_teacher` stores the heatmaps of each
    person's box at several zooms. A sample gets those of the zoom closest to its own,
    or of a wider one outside of that, warped by the sample's own scale, rotation, flip,
    and center; they are 0 outside of the widest. Transforms that only change colors do
    not reach the teacher.
    """

    _store: HeatmapStore
    _joints: JointSelection
    _conversion: Conversion
    #: The grid that stored heatmaps are warped to: the student's, if it has heatmaps.
    _grid: OutputFormat
    _stored: OutputFormat
    #: The boxes of the people in each image and frame, with the numbers of the records.
    _boxes: dict[tuple[str, int], list[tuple[np.ndarray, int]]]

    def __init__(
        self,
        cache: str,
        config: str | dict | None = None,
        checkpoint: str | None = None,
        joint_map: Sequence[int | None] | None = None,
    ) -> None:
        self.cache = str(cache)
        self.config = config
        self.checkpoint = checkpoint
        self.joint_map = joint_map
        self._prepared = False

    def __repr__(self) -> str:
        """Names the file."""
        return f'StoredTeacher(cache={self.cache!r})'

    def prepare(self, student: BasePoseEstimator) -> None:
        """Opens the file, and checks its teacher, people, completeness, and joints."""
        if self._prepared:
            return
        store = HeatmapStore(self.cache)
        if not store.settings:
            raise UserError(f'teacher cache "{self.cache}" is empty: {ADVICE}')
        self._stored = stored_format(store.settings, self.cache)
        self._check_teacher(store.settings)
        run = config_of_run('cache', self.cache)
        if run is not None:
            self._check_run(store, run)
        student_format = describe_student(student)
        names = store.settings['joints']
        joint_map = resolve_joint_map(
            self.joint_map,
            student_format.joints,
            store.settings['shape'][1],
            joints_of_student(student, 'cache', self.cache),
            names and JointSet(names, store.settings['flip_indices']),
            repr(self),
        )
        self._store, self._boxes = store, store.boxes()
        self._joints = JointSelection(joint_map)
        size = student_format.x.size, student_format.y.size
        if student_format.simcc:
            cells = self._stored.x.cells, self._stored.y.cells
            grid = heatmap_format(student_format.joints, size, cells)
        else:
            grid = student_format
        self._grid = self._stored.with_cells(grid.x, grid.y)
        self._conversion = Conversion(self._grid, student_format)
        self._prepared = True
        print_log(
            f'{self!r}: heatmaps of {store.size()[0]:,} people; the network is not '
            'needed',
            logger='current',
        )

    def start(
        self, inputs: Tensor, data_samples: SampleList
    ) -> tuple[Tensor, SampleList]:
        """Returns its arguments, because there is no network to start."""
        return inputs, data_samples

    def finish(self, started: tuple[Tensor, SampleList]) -> Taught:
        """Reads the heatmaps of a batch, and warps them as its samples were warped.

        Samples need a box, and ``img_path``, ``warp_mat``, ``ori_shape``, ``flip``, and
        ``flip_direction`` as metainfo.
        """
        inputs, data_samples = started
        people = self._store.read([self._number(one) for one in data_samples])
        maps, affine, closest = [], [], []
        for person, sample in zip(people, data_samples, strict=True):
            maps.append(self._levels(person)[:, self._order(sample)])
            affine.append(self._sources(person, sample))
            # The zoom whose pixels are closest in size to those of the sample.
            areas = np.abs(np.linalg.det(affine[-1][:, :, :2]))
            closest.append(int(np.abs(np.log(areas)).argmin()))
        on_host = (
            torch.from_numpy(np.stack(maps)),
            torch.from_numpy(np.stack(affine).astype(np.float32)),
            torch.tensor(closest),
            torch.tensor([[person.zero, person.step] for person in people]),
        )
        levels, sources, first, scales = (
            copy_to(each, inputs.device) for each in on_host
        )
        with torch.no_grad():
            zeros, steps = scales[:, :, None, None, None, None].unbind(1)
            size = self._grid.y.cells, self._grid.x.cells
            heatmaps = warp_maps((levels - zeros) * steps, sources, first, size)
            has_joint = self.has_joint(heatmaps.device)
            if has_joint is not None:
                heatmaps = heatmaps * has_joint[None, :, None, None]
            return self._conversion(heatmaps)

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""
        return self._joints.present(device)

    def network_to_validate(self, student: BasePoseEstimator) -> None:
        """Returns None, because there is no network."""

    def _check_teacher(self, settings: dict[str, Any]) -> None:
        wanted: dict[str, Any] = {}
        if self.config:
            found = teacher_settings(load_teacher_config(self.config), '://')
            wanted['teacher config'] = found['teacher config']
        if self.checkpoint:
            if '://' in self.checkpoint or Path(self.checkpoint).is_file():
                found = teacher_settings({'model': None}, self.checkpoint)
                wanted['teacher weights'] = found['teacher weights']
            else:
                print_log(
                    f'{self!r}: "{self.checkpoint}" is not on this machine, so it is '
                    'not compared with the weights that made the file',
                    logger='current',
                )
        self._require_no(difference(settings, wanted))

    def _check_run(self, store: HeatmapStore, run: Config) -> None:
        sources = sources_of(run)
        self._require_no(difference(store.settings, crop_settings(sources)))
        known = store.sources()
        for source in sources:
            about = source.describe()
            if key_of(about) not in known:
                stored = [other for other, _ in known.values()]
                self._require_no(source_difference(stored, about))
            elif not known[key_of(about)][1]:
                self._require_no(f'some people of "{about["name"]}" are missing')

    def _require_no(self, fault: str) -> None:
        if fault:
            raise UserError(f'teacher cache "{self.cache}": {fault}; {ADVICE}')

    def _number(self, sample: PoseDataSample) -> int:
        """Finds the number of the person's record."""
        if 'warp_mat' not in sample:
            raise UserError(
                'a stored teacher needs to know how a sample was cropped: use '
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

    def _levels(self, person: StoredPerson) -> np.ndarray:
        try:
            return unpack_levels(person.maps, self._store.settings['shape'])
        except ValueError as error:
            raise UserError(
                f'teacher cache "{self.cache}" is damaged: {error}; remove the file '
                'and run `fpd cache`'
            ) from error

    def _order(self, sample: PoseDataSample) -> list[int]:
        """Lists the stored heatmap of each joint, on the other side after a flip."""
        settings = self._store.settings
        joints = self._joints.indices(settings['shape'][1])
        if not sample.get('flip'):
            return joints
        pairs = settings['flip_indices']
        if pairs is None:
            raise UserError(
                f'teacher cache "{self.cache}" does not know the left and right joints '
                "that a mirrored sample needs: give the teacher's config a dataset and "
                f'{ADVICE}, or remove RandomFlip'
            )
        return [pairs[joint] for joint in joints]

    def _sources(self, person: StoredPerson, sample: PoseDataSample) -> np.ndarray:
        """Maps the sample's heatmap pixels to those of each zoom, (Z, 2, 3)."""
        settings = self._store.settings
        input_size = settings['input size']
        return np.stack(
            [
                source_pixels(
                    sample.warp_mat,
                    teacher_warp(person.center, person.scale, zoom, input_size),
                    self._grid.axes,
                    self._stored.axes,
                )
                for zoom in settings['zooms']
            ]
        )

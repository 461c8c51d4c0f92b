"""MPII with the coordinates of the reference."""

from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import MMLogger
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_cs2xyxy

from fpd_mmpose.errors import UserError
from fpd_mmpose.geometry import CENTER_SHIFT, PADDING, PIXELS_PER_SCALE
from fpd_mmpose.readers.annotations import (
    LARGEST,
    MPII_TWINS,
    as_numbers,
    in_either_layout,
    looks_swapped,
    read_visibility,
)
from fpd_mmpose.readers.mpii_ground_truth import read_head_sizes
from fpd_mmpose.readers.text import read_json

#: Fields of a record and their shapes.
BOX: dict[str, tuple[int, ...]] = {'center': (2,), 'scale': ()}
#: How many people it takes to decide whether x and y of a whole file are swapped.
ENOUGH_PEOPLE = 10


@DATASETS.register_module()
class FPDMpiiDataset(MpiiDataset):
    """MPII people (Andriluka et al., CVPR 2014) as the reference reads them.

    It takes the arguments and files of MMPose's ``MpiiDataset`` and differs as follows:

    - Keypoints are 0-based pixels, in training and in testing. ``MpiiDataset`` keeps
      the file's 1-based pixels, so its training targets are off by one. Evaluate with
      :class:`MpiiPCKh`; ``MpiiPCKAccuracy`` adds 1 to the predictions.
    - Files are found in MMPose's layout (``annotations/mpii_val.json``,
      ``annotations/mpii_gt_val.mat``) and in the reference's (``annot/valid.json``,
      ``annot/gt_valid.mat``), whichever of the two the config names.
    - Image names need not be numbers.
    - Coordinates are float64, as in the reference.
    - Every record is kept, as in the reference: record i of the file has ``id`` i.
    - ``headbox_file`` may be relative to ``data_root``, like ``ann_file``.
    - With ``test_mode``, records need no joints (MPII's ``test.json``). Such a dataset
      cannot be evaluated, but :class:`MpiiPCKh` can save the predictions.

    Args:
        *args: Arguments of ``MpiiDataset``; ``metainfo`` may have any keypoints.
        apply_exif: Turn images as their EXIF orientation says, for photos that were
            annotated as a viewer shows them. MPII's are not turned.
        **kwargs: Arguments of ``MpiiDataset``.

    Raises:
        UserError: If a file is missing or is not MPII's, or a record is invalid.

    Example:
        >>> import json, tempfile
        >>> from pathlib import Path
        >>> from fpd_mmpose.datasets import FPDMpiiDataset
        >>> person = dict(image='1.jpg', center=[60, 80], scale=0.5,
        ...               joints=[[60, 80]] * 16, joints_vis=[1] * 16)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, 'people.json')
        ...     _ = path.write_text(json.dumps([person]))
        ...     dataset = FPDMpiiDataset(str(path))
        >>> dataset[0]['keypoints'][0, 0].tolist()
        [59.0, 79.0]
        >>> dataset[0]['bbox'].tolist()
        [[9.0, 36.5, 109.0, 136.5]]
    """

    headbox_file: str | None

    def __init__(self, *args: Any, apply_exif: bool = False, **kwargs: Any) -> None:
        self.apply_exif = apply_exif
        super().__init__(*args, **kwargs)

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        people = self._read_people()
        head_sizes = None
        if self.headbox_file:
            head_sizes = read_head_sizes(self.headbox_file)
            if len(head_sizes) != len(people):
                raise UserError(
                    f'"{self.headbox_file}" has head boxes of {len(head_sizes)} people '
                    f'but "{self.ann_file}" has {len(people)} people: use files that '
                    'belong together'
                )
        MMLogger.get_current_instance().info(
            f'"{self.ann_file}": {len(people)} people used, none left out'
        )
        image_ids = _number_images([person['image'] for person in people])
        instances = []
        for index, person in enumerate(people):
            instance = self._instance(index, image_ids[person['image']], person)
            if head_sizes is not None:
                instance['head_size'] = head_sizes[index].reshape(1, 1)
            instances.append(instance)
        images = [
            dict(img_id=image_id, img_path=self._image_path(name))
            for name, image_id in image_ids.items()
        ]
        self.coco = None
        return instances, images

    def _get_topdown_data_infos(self, instance_list: list[dict]) -> list[dict]:
        """Keeps every record; the base class silently drops some."""
        return instance_list

    def _join_prefix(self) -> None:
        super()._join_prefix()
        if self.headbox_file and not Path(self.headbox_file).exists():
            self.headbox_file = str(Path(self.data_root or '') / self.headbox_file)
        for name in ('ann_file', 'headbox_file'):
            given = getattr(self, name)
            if given:
                found = in_either_layout(given, MPII_TWINS)
                if found != str(given):
                    MMLogger.get_current_instance().info(
                        f'"{given}" does not exist: reading "{found}"'
                    )
                setattr(self, name, found)

    def _image_path(self, name: str) -> str:
        return str(Path(self.data_prefix['img']) / name)

    def _instance(self, index: int, image_id: int, person: dict) -> dict:
        center = np.array(person['center'], dtype=np.float64)
        scale = np.full((1, 2), person['scale'] * PIXELS_PER_SCALE)
        if center[0] != -1:
            center[1] += CENTER_SHIFT * person['scale']
        else:
            # The pipeline pads every box, the reference only those with a center.
            scale /= PADDING
        center = (center - 1).reshape(1, 2)
        instance = {
            'id': index,
            'img_id': image_id,
            'img_path': self._image_path(person['image']),
            'apply_exif': self.apply_exif,
            'bbox_center': center,
            'bbox_scale': scale,
            'bbox': bbox_cs2xyxy(center, scale),
            'bbox_score': np.ones(1, dtype=np.float32),
            'area': np.prod(scale, axis=1).astype(np.float32),
            'category_id': [1],
        }
        if 'joints' in person:
            keypoints = np.array(person['joints'], dtype=np.float64) - 1
            instance['keypoints'] = keypoints[None]
            instance['keypoints_visible'] = _labeled(person)[None].astype(np.float64)
        return instance

    def _read_people(self) -> list[dict]:
        path = self.ann_file
        people = read_json(
            path, 'a list of MPII people (see the page "Data" of the documentation)'
        )
        if not isinstance(people, list) or not people:
            hint = ' (it looks like COCO)' if 'annotations' in _keys(people) else ''
            raise UserError(f'"{path}" is not a list of MPII people{hint}')
        with_joints = any('joints' in _keys(person) for person in people)
        count = self.metainfo['num_keypoints']
        joints = {'joints': (count, 2), 'joints_vis': (count,)}
        fields = BOX | joints if with_joints else BOX
        for index, person in enumerate(people):
            self._check(f'record {index} of "{path}"', person, fields)
        if with_joints:
            _check_axes(path, people)
        elif not self.test_mode:
            raise UserError(
                f'"{path}" has no joints: use it for testing, not for training'
            )
        return people

    def _check(
        self, record: str, person: dict, fields: dict[str, tuple[int, ...]]
    ) -> None:
        missing = {'image', *fields} - _keys(person)
        if missing:
            raise UserError(
                f'{record} is not an MPII person: it lacks {", ".join(sorted(missing))}'
            )
        image = person['image']
        if not isinstance(image, str) or not image or '\0' in image:
            raise UserError(f'{record} has no valid image: expected a file name')
        values: dict[str, np.ndarray] = {}
        for field, shape in fields.items():
            numbers = as_numbers(person[field], shape)
            if numbers is None:
                raise UserError(
                    f'{record} has no valid {field}: expected finite numbers of shape '
                    f'{shape}, at most {LARGEST:g}'
                )
            values[field] = numbers
        if values['scale'] <= 0:
            raise UserError(
                f'{record} has a box of no area (scale {person["scale"]}): correct it '
                'or remove it'
            )
        if 'joints' in values:
            size = np.full(2, values['scale'] * PIXELS_PER_SCALE)
            flags = read_visibility(values['joints_vis'][None], [record])
            annotated = values['joints'][flags[0] > 0]
            if looks_swapped(annotated, values['center'], size):
                raise UserError(
                    f'{record} has joints that are far from its box but inside it with '
                    'x and y exchanged: were they swapped?'
                )


def _keys(record: object) -> set[str]:
    return set(record) if isinstance(record, dict) else set()


def _labeled(person: dict) -> np.ndarray:
    return np.array(person['joints_vis']) > 0


def _check_axes(path: str, people: list[dict]) -> None:
    """Raises an error if x and y are swapped throughout a file.

    In a small image, a single swapped person stays too near the box to be noticed.
    """
    records, offsets = [], []
    for index, person in enumerate(people):
        points = np.array(person['joints'])[_labeled(person)]
        if len(points) >= 3:
            middle = points.mean(axis=0)
            both = np.stack([middle, middle[::-1]]) - person['center']
            records.append(index)
            offsets.append(np.linalg.norm(both, axis=1) / person['scale'])
    if len(records) < ENOUGH_PEOPLE:
        return
    given, exchanged = np.transpose(offsets)
    if given.mean() > 2 * exchanged.mean():
        first = records[int(np.argmax(given > 2 * exchanged))]
        raise UserError(
            f'the joints of "{path}", such as those of record {first}, are much nearer '
            'to the centers of their boxes with x and y exchanged: were they swapped?'
        )


def _number_images(names: list[str]) -> dict[str, int]:
    """Numbers images by name or, unless all names are distinct numbers, by position."""
    names = list(dict.fromkeys(names))
    stems = [Path(name).stem for name in names]
    if all(stem.isdecimal() and len(stem) < 19 for stem in stems):
        numbers = [int(stem) for stem in stems]
        if len(set(numbers)) == len(names):
            return dict(zip(names, numbers, strict=True))
    return {name: position for position, name in enumerate(names)}

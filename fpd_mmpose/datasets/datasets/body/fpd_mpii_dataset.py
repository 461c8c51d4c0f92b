"""MPII with the coordinates of the reference."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from mmpose.datasets.datasets import MpiiDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_cs2xyxy
from scipy.io import loadmat

#: Pixels of one unit of `scale` in MPII's annotations.
PIXELS_PER_SCALE = 200.0
#: The centre is moved down by this many pixels per unit of `scale`.
CENTER_SHIFT = 15.0
#: A head is taken as this share of the diagonal of its box.
HEAD_BIAS = 0.6
NUM_JOINTS = 16
#: What a record holds besides the name of its image.
SHAPES = {
    'center': (2,),
    'scale': (),
    'joints': (NUM_JOINTS, 2),
    'joints_vis': (NUM_JOINTS,),
}


@DATASETS.register_module()
class FPDMpiiDataset(MpiiDataset):
    """MPII people (Andriluka et al., CVPR 2014) as the released FPD code reads them.

    It reads the files of MMPose's ``MpiiDataset`` and differs in this:

    - Keypoints are 0-based pixels, in training and in testing. ``MpiiDataset`` keeps
      the file's 1-based ones, so that its training targets are one pixel off.
      Evaluate with :class:`MpiiPCKh`, not ``MpiiPCKAccuracy``, which adds 1 itself.
    - Names of images need not be numbers.
    - Coordinates are float64, as in the reference.
    - ``headbox_file`` may be given relative to ``data_root``, like ``ann_file``.

    Raises:
        ValueError: If a file is missing or is not MPII's. One line.
    """

    def _load_annotations(self) -> tuple[list[dict], list[dict]]:
        people = self._read_people()
        head_sizes = self._read_head_sizes(len(people))
        image_ids = _number([person['image'] for person in people])
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

    def _join_prefix(self) -> None:
        super()._join_prefix()
        if self.headbox_file and not Path(self.headbox_file).exists():
            self.headbox_file = str(Path(self.data_root or '') / self.headbox_file)

    def _image_path(self, name: str) -> str:
        return str(Path(self.data_prefix['img']) / name)

    def _instance(self, index: int, image_id: int, person: dict) -> dict:
        center = np.array(person['center'], dtype=np.float64)
        if center[0] != -1:
            center[1] += CENTER_SHIFT * person['scale']
        center = (center - 1).reshape(1, 2)
        scale = np.full((1, 2), person['scale'] * PIXELS_PER_SCALE)
        bbox = bbox_cs2xyxy(center, scale)
        keypoints = np.array(person['joints'], dtype=np.float64) - 1
        return {
            'id': index,
            'img_id': image_id,
            'img_path': self._image_path(person['image']),
            'bbox_center': center,
            'bbox_scale': scale,
            'bbox': bbox,
            'bbox_score': np.ones(1, dtype=np.float32),
            'keypoints': keypoints.reshape(1, NUM_JOINTS, 2),
            'keypoints_visible': np.array(person['joints_vis']).reshape(1, NUM_JOINTS),
            'area': np.prod(scale, axis=1).astype(np.float32),
            'category_id': [1],
        }

    def _read_people(self) -> list[dict]:
        path = Path(self.ann_file)
        if not path.is_file():
            raise ValueError(
                f'MPII annotation file "{path}" does not exist: see "Data" in the '
                'README for the layout'
            )
        try:
            people = json.loads(path.read_text())
        except ValueError as error:
            raise ValueError(f'"{path}" is not valid JSON: {error}') from error
        required = {'image', *SHAPES}
        if not isinstance(people, list) or not people:
            raise ValueError(f'"{path}" is not a list of MPII people')
        for index, person in enumerate(people):
            if not isinstance(person, dict) or required - set(person):
                raise ValueError(
                    f'record {index} of "{path}" is not an MPII person: it needs '
                    f'{", ".join(sorted(required))}'
                )
            for field, shape in SHAPES.items():
                if not _is_numbers(person[field], shape):
                    raise ValueError(
                        f'record {index} of "{path}" has no valid {field}: expected '
                        f'numbers of shape {shape}'
                    )
        return people

    def _read_head_sizes(self, num_people: int) -> np.ndarray | None:
        if not self.headbox_file:
            return None
        path = Path(self.headbox_file)
        if not path.is_file():
            raise ValueError(f'MPII head box file "{path}" does not exist')
        try:
            boxes = loadmat(str(path), variable_names=['headboxes_src'])
        except Exception as error:  # of many types, scipy's own among them
            raise ValueError(
                f'"{path}" cannot be read as a MATLAB file: {error}'
            ) from error
        if 'headboxes_src' not in boxes:
            raise ValueError(f'"{path}" has no `headboxes_src`')
        boxes = boxes['headboxes_src']
        if boxes.shape != (2, 2, num_people):
            raise ValueError(
                f'"{path}" has head boxes of shape {boxes.shape}, and '
                f'"{self.ann_file}" needs (2, 2, {num_people}): do they belong '
                'together?'
            )
        return HEAD_BIAS * np.linalg.norm(boxes[1] - boxes[0], axis=0)


def _number(names: list[str]) -> dict[str, int]:
    """Numbers images by their names, or by position if those are not all numbers."""
    names = list(dict.fromkeys(names))
    stems = [Path(name).stem for name in names]
    if all(stem.isdecimal() for stem in stems):
        numbers = [int(stem) for stem in stems]
        if len(set(numbers)) == len(names):
            return dict(zip(names, numbers, strict=True))
    return {name: position for position, name in enumerate(names)}


def _is_numbers(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        numbers = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        return False
    return numbers.shape == shape and bool(np.isfinite(numbers).all())

"""COCO with the boxes of the reference."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.datasets import CocoDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_xywh2xyxy

from ...coco_files import PERSON, read_coco, read_detections
from ...files import COCO_TWINS, in_either_layout

NOT_A_PERSON = 'of another category than person'
OUTSIDE = 'with a box outside of the image'
NO_AREA = 'with a box without area'


@DATASETS.register_module()
class FPDCocoDataset(CocoDataset):
    """COCO people (Lin et al., ECCV 2014) as the released FPD code reads them.

    It takes the arguments of MMPose's ``CocoDataset`` and differs in this:

    - An annotated box ends at its last pixel: ``x2 = min(W - 1, x1 + w - 1)``, where
      ``CocoDataset`` has ``x1 + w``. Detected boxes are used as they are.
    - The reference's people are kept: every person but crowds, those without a
      labelled keypoint, those whose area is not above 0, and those whose box is
      outside of the image. ``num_keypoints`` of the file is not looked at. What is
      left out is logged, with the reason.
    - Coordinates and scores are float64.
    - Images may be in ``images/train2017`` or in ``train2017``, whichever is named.
    - ``bbox_file`` may be given relative to ``data_root``, like ``ann_file``.
    - Records that are not what they should be are refused, see
      :mod:`fpd_mmpose.datasets.coco_files`.

    Left out as well are a box without width or height; one to the left of the image
    or above it, of which the reference would crop another place; an annotated box of a
    pixel; and a detected one outside of the image, of which it would crop nothing.

    Raises:
        ValueError: If a file is missing, is not COCO's or leaves no person. One line.
    """

    def load_data_list(self) -> list[dict]:
        """Loads the people, with annotated or with detected boxes.

        Returns:
            list[dict]: A record for each person.

        Raises:
            ValueError: See the class.
        """
        if self.data_mode != 'topdown':
            raise ValueError(
                f'{type(self).__name__} reads people one by one: set '
                f"data_mode='topdown' instead of {self.data_mode!r}"
            )
        if self.bbox_file:
            return self._detected_people()
        return self._annotated_people()

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Converts an annotation.

        Args:
            raw_data_info (dict): ``raw_ann_info``, and ``raw_img_info`` of its image.

        Returns:
            dict: MMPose's record, with the reference's box and in float64.
        """
        info = super().parse_data_info(raw_data_info)
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        keypoints = np.array(annotation['keypoints'], dtype=np.float64)
        keypoints = keypoints.reshape(1, -1, 3)
        box = _reference_box(annotation['bbox'], image)
        info.update(
            bbox=np.array([box], dtype=np.float64),
            keypoints=keypoints[..., :2],
            keypoints_visible=np.minimum(1, keypoints[..., 2]),
        )
        return info

    def _join_prefix(self) -> None:
        super()._join_prefix()
        if 'img' in self.data_prefix:
            self.data_prefix['img'] = in_either_layout(
                self.data_prefix['img'], COCO_TWINS
            )
        if self.bbox_file and not Path(self.bbox_file).exists():
            self.bbox_file = str(Path(self.data_root or '') / self.bbox_file)

    def _image_path(self, image: dict) -> str:
        return str(Path(self.data_prefix.get('img', '')) / image['file_name'])

    def _annotated_people(self) -> list[dict]:
        coco = read_coco(self.ann_file, self.metainfo['num_keypoints'])
        self._metainfo['CLASSES'] = coco.dataset['categories']
        people, left_out = [], defaultdict(list)
        for image_id, image in coco.imgs.items():
            if image_id % self.sample_interval:
                continue
            image = {**image, 'img_path': self._image_path(image)}
            for annotation in coco.imgToAnns.get(image_id, []):
                reason = _why_left_out(annotation, image)
                if reason:
                    left_out[reason].append(annotation['id'])
                    continue
                people.append(
                    self.parse_data_info(
                        dict(raw_ann_info=annotation, raw_img_info=image)
                    )
                )
        _report(self.ann_file, 'annotation', len(people), left_out)
        return people

    def _detected_people(self) -> list[dict]:
        coco = read_coco(self.ann_file, num_keypoints=None)
        self._metainfo['CLASSES'] = coco.dataset['categories']
        detections = read_detections(self.bbox_file, self.ann_file, coco.imgs)
        num_keypoints = self.metainfo['num_keypoints']
        people, left_out = [], defaultdict(list)
        for index, detection in enumerate(detections):
            image = coco.imgs.get(detection['image_id'])
            reason = _why_detection_left_out(detection, image)
            if reason:
                left_out[reason].append(index)
                continue
            box = np.array([detection['bbox']], dtype=np.float64)
            people.append(
                {
                    'id': len(people),
                    'img_id': detection['image_id'],
                    'img_path': self._image_path(image),
                    'img_shape': (image['height'], image['width']),
                    'bbox': bbox_xywh2xyxy(box),
                    'bbox_score': np.array([detection['score']], dtype=np.float64),
                    # Not looked at: the metric reads the annotations itself.
                    'keypoints': np.zeros((1, num_keypoints, 2)),
                    'keypoints_visible': np.ones((1, num_keypoints)),
                }
            )
        _report(self.bbox_file, 'detection', len(people), left_out)
        return people


def _reference_box(box: Sequence[float], image: dict) -> tuple[float, ...]:
    """Corners of the box; the last ones are before the first if it is outside."""
    x, y, width, height = box
    left, top = max(0, x), max(0, y)
    right = min(image['width'] - 1, left + max(0, width - 1))
    bottom = min(image['height'] - 1, top + max(0, height - 1))
    return left, top, right, bottom


def _why_left_out(annotation: dict, image: dict) -> str | None:
    if annotation['category_id'] != PERSON:
        return NOT_A_PERSON
    if annotation['iscrowd']:
        return 'of a crowd'
    if max(annotation['keypoints']) <= 0:
        return 'without a labelled keypoint'
    if annotation['area'] <= 0:
        return 'with an area of 0'
    if min(annotation['bbox'][2:]) == 0:
        return NO_AREA
    left, top, right, bottom = _reference_box(annotation['bbox'], image)
    if _is_outside(annotation['bbox'], image) or right < left or bottom < top:
        return OUTSIDE
    if right <= 0 or bottom <= 0 or (right == left and bottom == top):
        return 'with a box of a pixel'
    return None


def _why_detection_left_out(detection: dict, image: dict) -> str | None:
    if detection['category_id'] != PERSON:
        return NOT_A_PERSON
    if min(detection['bbox'][2:]) == 0:
        return NO_AREA
    return OUTSIDE if _is_outside(detection['bbox'], image) else None


def _is_outside(box: Sequence[float], image: dict) -> bool:
    x, y, width, height = box
    return (
        x >= image['width'] or y >= image['height'] or x + width <= 0 or y + height <= 0
    )


def _report(
    path: str | Path, kind: str, num_people: int, left_out: dict[str, list[int]]
) -> None:
    """Logs what is left out; raises an error if that is everything."""
    reasons = [f'{len(ids)} {reason}' for reason, ids in left_out.items()]
    if not num_people:
        raise ValueError(
            f'"{path}" leaves no person to use: left out '
            f'{", ".join(reasons) or "nothing, it is empty"}'
        )
    for reason, (first, *_) in zip(reasons, left_out.values(), strict=True):
        print_log(
            f'"{path}": {num_people} people used; {kind}s left out: {reason} '
            f'(the first is {kind} {first})',
            logger='current',
        )

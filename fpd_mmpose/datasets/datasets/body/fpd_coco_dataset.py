"""COCO with the boxes of the reference."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from mmpose.datasets.datasets import CocoDataset
from mmpose.registry import DATASETS
from mmpose.structures.bbox import bbox_xywh2xyxy

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import COCO_TWINS, in_either_layout
from fpd_mmpose.readers.coco import (
    NOT_A_PERSON,
    CocoListing,
    is_person,
    read_coco,
    read_detections,
)
from fpd_mmpose.readers.coco_people import (
    NO_AREA,
    OUTSIDE,
    is_outside,
    read_coco_people,
    reference_box,
)


@DATASETS.register_module()
class FPDCocoDataset(CocoDataset):
    """COCO people (Lin et al., ECCV 2014) as the reference reads them.

    It takes the arguments of MMPose's ``CocoDataset`` and differs as follows:

    - An annotated box ends at its last pixel: ``x2 = min(W - 1, x1 + w - 1)``, not
      ``x1 + w``. Detected boxes are used as they are.
    - The same people are left out as in the reference: crowds, people without a labeled
      keypoint, people with an area of 0, and boxes outside the image. The file's
      ``num_keypoints`` is ignored. The counts are logged with the reasons.
    - Coordinates and scores are float64.
    - Images are found in ``train2017`` and in ``images/train2017``, whichever of the
      two the config names.
    - ``bbox_file`` may be relative to ``data_root``, like ``ann_file``.
    - People are of the category named "person", whatever its number.
    - Every record that is used is checked when it is read, and :class:`FPDLoadImage`
      checks that the image has the size that the file says.

    A few boxes that the reference keeps are left out, too: boxes of no width or height;
    annotated boxes to the left of the image or above it, for which it crops another
    place; annotated boxes of one pixel; and detected boxes outside the image.

    Args:
        *args: Arguments of ``CocoDataset``.
        apply_exif: Turn images as their EXIF orientation says, for photos that were
            annotated as a viewer shows them. COCO's are not turned.
        **kwargs: Arguments of ``CocoDataset``.

    Raises:
        UserError: If a file is missing or is not COCO's, a record is invalid, or no
            person is left.

    Example:
        >>> import json, tempfile
        >>> from pathlib import Path
        >>> from fpd_mmpose.datasets import FPDCocoDataset
        >>> annotations = dict(
        ...     images=[dict(id=7, file_name='7.jpg', width=640, height=480)],
        ...     annotations=[dict(id=1, image_id=7, category_id=1, area=3000,
        ...                       bbox=[10, 20, 50, 100], keypoints=[30, 60, 2] * 17)],
        ...     categories=[dict(id=1, name='person')])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, 'people.json')
        ...     _ = path.write_text(json.dumps(annotations))
        ...     dataset = FPDCocoDataset(str(path))
        creating index...
        index created!
        >>> dataset[0]['bbox'].tolist()
        [[10.0, 20.0, 59.0, 119.0]]
    """

    bbox_file: str | None

    def __init__(self, *args: Any, apply_exif: bool = False, **kwargs: Any) -> None:
        self.apply_exif = apply_exif
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        """Loads the people, with detected boxes if there is a ``bbox_file``."""
        if self.data_mode != 'topdown':
            raise UserError(
                f"{type(self).__name__} needs data_mode='topdown', got "
                f'{self.data_mode!r}'
            )
        if self.bbox_file:
            return self._detected_people(self.bbox_file)
        return self._annotated_people()

    def parse_data_info(self, raw_data_info: dict) -> dict:
        """Converts an annotation to MMPose's record with the reference's box."""
        info = super().parse_data_info(raw_data_info)
        annotation, image = raw_data_info['raw_ann_info'], raw_data_info['raw_img_info']
        keypoints = np.array(annotation['keypoints'], dtype=np.float64)
        keypoints = keypoints.reshape(1, -1, 3)
        box = reference_box(annotation['bbox'], image)
        info.update(
            bbox=np.array([box], dtype=np.float64),
            keypoints=keypoints[..., :2],
            keypoints_visible=np.minimum(1, keypoints[..., 2]),
            **self._loading(image),
        )
        return info

    def filter_data(self) -> list[dict]:
        """Applies ``filter_cfg``, and logs how many people it leaves out."""
        kept = super().filter_data()
        if left_out := len(self.data_list) - len(kept):
            print_log(
                f'"{self.bbox_file or self.ann_file}": {len(kept)} people used after '
                f'filter_cfg, which leaves out {left_out}',
                logger='current',
            )
        return kept

    def _join_prefix(self) -> None:
        super()._join_prefix()
        if 'img' in self.data_prefix:
            self.data_prefix['img'] = in_either_layout(
                self.data_prefix['img'], COCO_TWINS
            )
        if self.bbox_file and not Path(self.bbox_file).exists():
            self.bbox_file = str(Path(self.data_root or '') / self.bbox_file)

    def _image(self, image: dict) -> dict:
        path = Path(self.data_prefix.get('img', '')) / image['file_name']
        return {**image, 'img_path': str(path)}

    def _loading(self, image: dict) -> dict:
        """Returns what :class:`FPDLoadImage` reads: coordinates are of this image."""
        return {
            'apply_exif': self.apply_exif,
            'expected_shape': (image['height'], image['width']),
        }

    def _annotated_people(self) -> list[dict]:
        found = read_coco_people(self.ann_file, self.metainfo['num_keypoints'])
        self._metainfo['CLASSES'] = found.listing.categories
        people = [
            self.parse_data_info(
                dict(raw_ann_info=annotation, raw_img_info=self._image(image))
            )
            for annotation in found.used
            for image in [found.listing.images[annotation['image_id']]]
            if image['id'] % self.sample_interval == 0
        ]
        left_out = found.left_out
        if skipped := [
            each['id'] for each in found.used if each['image_id'] % self.sample_interval
        ]:
            left_out = {**left_out, 'because of sample_interval': skipped}
        _report(self.ann_file, 'annotation', len(people), left_out)
        return people

    def _detected_people(self, path: str) -> list[dict]:
        listing, _ = read_coco(self.ann_file, has_annotations=False)
        self._metainfo['CLASSES'] = listing.categories
        detections = read_detections(path, listing)
        num_keypoints = self.metainfo['num_keypoints']
        people: list[dict] = []
        left_out = defaultdict(list)
        for index, detection in enumerate(detections):
            if reason := _why_left_out(detection, listing):
                left_out[reason].append(index)
                continue
            image = self._image(listing.images[detection['image_id']])
            box = np.array([detection['bbox']], dtype=np.float64)
            people.append(
                {
                    'id': len(people),
                    'img_id': detection['image_id'],
                    'img_path': image['img_path'],
                    'category_id': listing.person_ids[0],
                    **self._loading(image),
                    'img_shape': (image['height'], image['width']),
                    'bbox': bbox_xywh2xyxy(box),
                    'bbox_score': np.array([detection['score']], dtype=np.float64),
                    # Placeholders: the metric reads the annotations itself.
                    'keypoints': np.zeros((1, num_keypoints, 2)),
                    'keypoints_visible': np.ones((1, num_keypoints)),
                }
            )
        _report(path, 'detection', len(people), left_out)
        return people


def _why_left_out(detection: dict, listing: CocoListing) -> str | None:
    if not is_person(detection, listing.person_ids):
        return NOT_A_PERSON
    if min(detection['bbox'][2:]) == 0:
        return NO_AREA
    image = listing.images[detection['image_id']]
    return OUTSIDE if is_outside(detection['bbox'], image) else None


def _report(
    path: str | Path, kind: str, num_people: int, left_out: dict[str, list[int]]
) -> None:
    """Logs which people are left out, or raises an error if no person remains."""
    reasons = [f'{len(ids)} {reason}' for reason, ids in left_out.items()]
    if not num_people:
        raise UserError(
            f'"{path}" has no person to use; {kind}s left out: '
            f'{", ".join(reasons) or "none, because it is empty"}'
        )
    if not reasons:
        print_log(f'"{path}": {num_people} people used, none left out', 'current')
    for reason, (first, *_) in zip(reasons, left_out.values(), strict=True):
        print_log(
            f'"{path}": {num_people} people used; {kind}s left out: {reason} '
            f'(the first is {kind} {first})',
            logger='current',
        )

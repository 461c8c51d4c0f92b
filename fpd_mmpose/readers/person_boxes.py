"""Reads boxes of people that come without keypoints.

The format is COCO's: ``images`` with ``id``, ``file_name``, and optionally ``width``,
``height``, and, for a frame of the video ``file_name``, ``frame_index``;
``annotations`` with ``image_id``, ``bbox`` as x, y, width, and height, and optionally
``category_id``, ``score``, and ``iscrowd``; and ``categories``. A list of detections in
the format of COCO's results works, too.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import LARGEST, read_numbers
from fpd_mmpose.readers.coco import (
    CROWD,
    NOT_A_PERSON,
    check_file_name,
    check_images_are_listed,
    is_person,
    person_ids,
    read_crowd,
)
from fpd_mmpose.readers.text import read_json

HINT = 'tools/data/detect_people.py writes such a file'
#: Reasons for which a box is faulty.
FAULTS = ('that are not finite numbers', 'of no area', 'outside their image')


@dataclass
class PersonBoxes:
    """Boxes of people as x, y, width, and height in pixels, (n, 4), in file order.

    ``records`` (n,) has their positions in the file, and ``scores`` (n,) is 1 where the
    file has none. ``left_out`` has the positions of other boxes, by the reason.
    """

    images: dict[int | str, dict]
    image_ids: list[int | str]
    records: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    left_out: dict[str, list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image_ids)

    def without(self, reason: str, unwanted: ArrayLike) -> 'PersonBoxes':
        """Returns the boxes that are not unwanted, and notes the others.

        The reason follows the word "boxes" in messages.
        """
        excluded = np.asarray(unwanted, dtype=bool)
        if not excluded.any():
            return self
        kept = np.flatnonzero(~excluded)
        return PersonBoxes(
            self.images,
            [self.image_ids[i] for i in kept],
            self.records[kept],
            self.boxes[kept],
            self.scores[kept],
            {**self.left_out, reason: self.records[excluded].tolist()},
        )

    def usable(self, score_thr: float = 0.0, min_size: float = 0.0) -> 'PersonBoxes':
        """Leaves out boxes that are faulty, have a low score, or are small (in pixels).

        Where the file has no image sizes, boxes beyond the right or bottom edge stay.
        """
        finite = (np.abs(self.boxes) <= LARGEST).all(axis=1) & np.isfinite(self.scores)
        found = self.without(FAULTS[0], ~finite)
        found = found.without(FAULTS[1], (found.boxes[:, 2:] <= 0).any(axis=1))
        images = [found.images[image_id] for image_id in found.image_ids]
        sizes = np.array(
            [
                (image.get('width', np.inf), image.get('height', np.inf))
                for image in images
            ]
        ).reshape(-1, 2)
        start, end = found.boxes[:, :2], found.boxes[:, :2] + found.boxes[:, 2:]
        outside = (start >= sizes).any(axis=1) | (end <= 0).any(axis=1)
        found = found.without(FAULTS[2], outside)
        low = found.scores < score_thr
        found = found.without(f'with a score below {score_thr}', low)
        small = found.boxes[:, 2:].min(axis=1, initial=np.inf) < min_size
        return found.without(f'with a side below {min_size} pixels', small)


def read_person_boxes(
    path: str | Path,
    image_file: str | Path = '',
    list_images: Callable[[], Sequence[str]] = list,
) -> PersonBoxes:
    """Reads all boxes of people but those of crowds, and checks their records.

    For a list of detections, ``image_file`` has the COCO annotations that list its
    images. Without it, an ``image_id`` is the name of an image or the number in the
    name (as in 000000000785.jpg), which is looked up among ``list_images()``.
    """
    content = read_json(path, f'boxes of people ({HINT})')
    images = None
    categories = None
    if isinstance(content, list):
        records, kind = content, 'detection'
        if image_file:
            listing = read_json(image_file, 'COCO annotations')
            listing = listing if isinstance(listing, dict) else {}
            images = _read_images(listing, image_file)
            categories = listing.get('categories')
    elif isinstance(content, dict) and isinstance(content.get('annotations'), list):
        if image_file:
            raise UserError(
                f'"{path}" lists its own images: leave out "{image_file}", which is '
                'only for a list of detections'
            )
        records, kind = content['annotations'], 'annotation'
        images = _read_images(content, path)
        categories = content.get('categories')
    else:
        raise UserError(
            f'"{path}" has no boxes of people: expected the lists images, annotations '
            f'and categories as in COCO ({HINT}), or a list of COCO detections'
        )
    names = [f'{kind} {i} of "{path}"' for i in range(len(records))]
    for record, name in zip(records, names, strict=True):
        if not isinstance(record, dict):
            raise UserError(f"{name} is not a record: expected COCO's fields")
    ids = person_ids(categories, image_file or path)
    left_out = _left_out(records, names, ids)
    others = {index for indices in left_out.values() for index in indices}
    kept = [index for index in range(len(records)) if index not in others]
    people, names = [records[i] for i in kept], [names[i] for i in kept]
    for record, name in zip(people, names, strict=True):
        if not _is_id(record.get('image_id')):
            raise UserError(
                f'{name} has no valid `image_id`: expected a number or a name'
            )
    image_ids = [record['image_id'] for record in people]
    if images is None:
        images = _images_by_name(image_ids, names, list_images)
    check_images_are_listed(people, names, images, image_file or path)
    used = dict.fromkeys(image_ids)
    _check_images((images[image_id] for image_id in used), image_file or path)
    boxes = read_numbers(
        people, names, 'bbox', (4,), 'x, y, width, and height', finite=False
    )
    scores = read_numbers(
        people, names, 'score', expected='a number', default=1.0, finite=False
    )
    positions = np.array(kept, dtype=np.int64)
    return PersonBoxes(images, image_ids, positions, boxes, scores, left_out)


def _left_out(
    records: list[dict], names: list[str], ids: Sequence[int]
) -> dict[str, list[int]]:
    left_out: dict[str, list[int]] = {NOT_A_PERSON: [], CROWD: []}
    for index, (record, name) in enumerate(zip(records, names, strict=True)):
        if not is_person(record, ids):
            left_out[NOT_A_PERSON].append(index)
        elif read_crowd(record, name):
            left_out[CROWD].append(index)
    return {reason: indices for reason, indices in left_out.items() if indices}


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _read_images(content: dict, path: str | Path) -> dict[int | str, dict]:
    if not isinstance(content.get('images'), list):
        raise UserError(f'"{path}" has no list of images: expected COCO annotations')
    images: dict[int | str, dict] = {}
    for index, image in enumerate(content['images']):
        name = f'image {index} of "{path}"'
        if not isinstance(image, dict) or not _is_id(image.get('id')):
            raise UserError(f'{name} has no valid `id`: expected a number or a name')
        if image['id'] in images:
            raise UserError(f'{name} has the `id` of another: {image["id"]}')
        # A size may be null, which is as if it were missing.
        images[image['id']] = {k: v for k, v in image.items() if v is not None}
    return images


def _check_images(images: Iterable[dict], path: str | Path) -> None:
    for image in images:
        name = f'image {image["id"]!r} of "{path}"'
        check_file_name(image, name)
        for side in ('width', 'height'):
            size = image.get(side, 1)
            if not isinstance(size, int | float) or not 1 <= size < np.inf:
                raise UserError(
                    f'{name} has no valid `{side}`: expected a number of pixels'
                )
        frame = image.get('frame_index', 0)
        if not isinstance(frame, int) or isinstance(frame, bool) or frame < 0:
            raise UserError(
                f'{name} has no valid `frame_index`: expected an integer from 0'
            )


def _images_by_name(
    image_ids: list[int | str],
    names: list[str],
    list_images: Callable[[], Sequence[str]],
) -> dict[int | str, dict]:
    by_number: dict[int, str] = {}
    if any(isinstance(image_id, int) for image_id in image_ids):
        for name in list_images():
            stem = Path(name).stem
            if stem.isdecimal() and by_number.setdefault(int(stem), name) != name:
                raise UserError(
                    f'{names[0]} names its image by number, but number {int(stem)} may '
                    f'be "{by_number[int(stem)]}" or "{name}": set `ann_file_images` '
                    'to the COCO file that lists the images'
                )
    images: dict[int | str, dict] = {}
    for image_id, record in zip(image_ids, names, strict=True):
        file = by_number.get(image_id) if isinstance(image_id, int) else image_id
        if not file:
            raise UserError(
                f'{record} belongs to image {image_id!r}, but no image has that '
                'name: set `ann_file_images` to the COCO file that lists the images'
            )
        images[image_id] = {'id': image_id, 'file_name': file}
    return images

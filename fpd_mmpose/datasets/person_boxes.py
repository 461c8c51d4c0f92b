"""Reads boxes of people that come without keypoints.

The form is COCO's: ``images`` with ``id`` and ``file_name``, and optionally ``width``,
``height`` and, for a frame of a video of that name, ``frame_index``; ``annotations``
with ``image_id``, ``bbox`` as x, y, width and height, and optionally ``category_id``,
``score`` and ``iscrowd``; ``categories``. A list of detections, as COCO has results,
can be read as well.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .coco_files import PERSON
from .files import read_json

HINT = 'tools/data/detect_people.py writes such a file'
#: What may be wrong with boxes.
FAULTS = ('that are not finite numbers', 'of no area', 'outside of their image')


@dataclass
class PersonBoxes:
    """Boxes of people.

    Args:
        images (dict[int | str, dict]): The images by id.
        image_ids (list[int | str]): The image of each box.
        records (np.ndarray): Position of each box in the file, (n,).
        boxes (np.ndarray): x, y, width and height in pixels, (n, 4).
        scores (np.ndarray): 1 where the file has none, (n,).
        left_out (dict[str, list[int]]): Positions in the file of other boxes, by the
            reason for leaving them out.
    """

    images: dict[int | str, dict]
    image_ids: list[int | str]
    records: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray
    left_out: dict[str, list[int]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.image_ids)

    def without(self, reason: str, unwanted: Sequence[bool]) -> 'PersonBoxes':
        """Leaves boxes out.

        Args:
            reason (str): Why, as it follows "boxes".
            unwanted (Sequence[bool]): Which, (n,).

        Returns:
            PersonBoxes: The others, and a note of these.
        """
        unwanted = np.asarray(unwanted, dtype=bool)
        if not unwanted.any():
            return self
        kept = np.flatnonzero(~unwanted)
        return PersonBoxes(
            self.images,
            [self.image_ids[i] for i in kept],
            self.records[kept],
            self.boxes[kept],
            self.scores[kept],
            {**self.left_out, reason: self.records[unwanted].tolist()},
        )

    def usable(self, score_thr: float = 0.0, min_size: float = 0.0) -> 'PersonBoxes':
        """Leaves out boxes that show nothing, or not enough.

        Args:
            score_thr (float): The lowest score. Defaults to 0.
            min_size (float): The shortest side in pixels. Defaults to 0.

        Returns:
            PersonBoxes: Those that can be used; where the file has no sizes of
            images, boxes to the right of theirs or below are among them.
        """
        finite = np.isfinite(self.boxes).all(axis=1) & np.isfinite(self.scores)
        found = self.without(FAULTS[0], ~finite)
        found = found.without(FAULTS[1], (found.boxes[:, 2:] <= 0).any(axis=1))
        sizes = [found.images[image_id] for image_id in found.image_ids]
        sizes = np.array(
            [
                (image.get('width', np.inf), image.get('height', np.inf))
                for image in sizes
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
    """Reads the boxes of people and checks the form of their records.

    Args:
        path (str | Path): A file as :mod:`fpd_mmpose.datasets.person_boxes` describes
            it, or annotations of COCO, whose keypoints are not looked at, or a list of
            detections.
        image_file (str | Path): For a list of detections: the file of COCO
            annotations that has its images. Defaults to ``''``: an ``image_id`` is
            the name of an image, or the number in its name, as in 000000000785.jpg.
        list_images (Callable[[], Sequence[str]]): Gives the names of all images, from
            which such numbers are. Defaults to none.

    Returns:
        PersonBoxes: All boxes of people, but for crowds.

    Raises:
        ValueError: If a file is not what it should be. One line that names the record.
    """
    content = read_json(path, f'boxes of people ({HINT})')
    if isinstance(content, list):
        records, kind = content, 'detection'
        images = _images_of(image_file) if image_file else None
        person_ids = [PERSON]
    elif isinstance(content, dict) and isinstance(content.get('annotations'), list):
        if image_file:
            raise ValueError(
                f'"{path}" lists its images itself: "{image_file}" is for a list of '
                'detections; leave it out'
            )
        records, kind = content['annotations'], 'annotation'
        images = _read_images(content, path)
        person_ids = _person_ids(content)
    else:
        raise ValueError(
            f'"{path}" has no boxes of people: expected lists images, annotations and '
            f'categories as in COCO ({HINT}), or a list of COCO detections'
        )
    names = _Names(kind, path)
    for index, record in enumerate(records):
        if not isinstance(record, dict) or not _is_id(record.get('image_id')):
            raise ValueError(
                f'{names[index]} has no valid `image_id`: expected a number or a name'
            )
    image_ids = [record['image_id'] for record in records]
    if images is None:
        images = _images_by_name(image_ids, names, list_images)
    for index, image_id in enumerate(image_ids):
        if image_id not in images:
            raise ValueError(
                f'{names[index]} belongs to image {image_id!r}, which '
                f'"{image_file or path}" does not list'
            )
    found = PersonBoxes(
        images,
        image_ids,
        np.arange(len(records)),
        _numbers([record.get('bbox') for record in records], names, 'bbox', (4,)),
        _numbers([record.get('score', 1.0) for record in records], names, 'score'),
    )
    other = [record.get('category_id', PERSON) not in person_ids for record in records]
    crowd = [bool(record.get('iscrowd', 0)) for record in records]
    found = found.without('of another category than person', other)
    return found.without('of a crowd', np.array(crowd, dtype=bool)[found.records])


class _Names:
    """Names of records for errors; they are too many to be written beforehand."""

    def __init__(self, kind: str, path: str | Path):
        self.kind, self.path = kind, path

    def __getitem__(self, index: int) -> str:
        return f'{self.kind} {index} of "{self.path}"'


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _images_of(path: str | Path) -> dict[int | str, dict]:
    content = read_json(path, 'COCO annotations')
    return _read_images(content if isinstance(content, dict) else {}, path)


def _read_images(content: dict, path: str | Path) -> dict[int | str, dict]:
    if not isinstance(content.get('images'), list):
        raise ValueError(f'"{path}" has no list of images: expected COCO annotations')
    images = {}
    for index, image in enumerate(content['images']):
        name = f'image {index} of "{path}"'
        if not isinstance(image, dict) or not _is_id(image.get('id')):
            raise ValueError(f'{name} has no valid `id`: expected a number or a name')
        if image['id'] in images:
            raise ValueError(f'{name} has the `id` of another: {image["id"]}')
        if not isinstance(image.get('file_name'), str) or not image['file_name']:
            raise ValueError(f'{name} has no valid `file_name`: expected text')
        for side in ('width', 'height'):
            size = image.get(side, 1)
            if not isinstance(size, int | float) or not 1 <= size < np.inf:
                raise ValueError(f'{name} has no valid `{side}`: expected pixels')
        frame = image.get('frame_index', 0)
        if not isinstance(frame, int) or isinstance(frame, bool) or frame < 0:
            raise ValueError(
                f'{name} has no valid `frame_index`: expected a number from 0'
            )
        images[image['id']] = image
    return images


def _images_by_name(
    image_ids: list[int | str],
    names: _Names,
    list_images: Callable[[], Sequence[str]],
) -> dict[int | str, dict]:
    """Images by their names, or by the numbers in them."""
    by_number: dict[int, str] = {}
    if any(isinstance(image_id, int) for image_id in image_ids):
        for name in list_images():
            stem = Path(name).stem
            if stem.isdecimal() and by_number.setdefault(int(stem), name) != name:
                raise ValueError(
                    f'{names[0]} has a number for an image, and number {int(stem)} is '
                    f'"{by_number[int(stem)]}" and "{name}": give the COCO file of '
                    'the images as well (ann_file_images)'
                )
    images = {}
    for index, image_id in enumerate(image_ids):
        name = by_number.get(image_id) if isinstance(image_id, int) else image_id
        if not name:
            raise ValueError(
                f'{names[index]} belongs to image {image_id!r}, and no image has that '
                'name: give the COCO file that lists the images (ann_file_images)'
            )
        images[image_id] = {'id': image_id, 'file_name': name}
    return images


def _person_ids(content: dict) -> list:
    categories = content.get('categories')
    named = [
        category.get('id')
        for category in (categories if isinstance(categories, list) else [])
        if isinstance(category, dict) and category.get('name') == 'person'
    ]
    return named or [PERSON]


def _numbers(
    values: list, names: _Names, field: str, shape: tuple[int, ...] = ()
) -> np.ndarray:
    """All at once, or the first that is not what it should be in the error."""
    if not values:
        return np.zeros((0, *shape))
    numbers = _as_array(values, (len(values), *shape))
    if numbers is None:
        bad = [_as_array(value, shape) is None for value in values].index(True)
        expected = 'x, y, width and height' if shape else 'a number'
        raise ValueError(f'{names[bad]} has no valid `{field}`: expected {expected}')
    return numbers


def _as_array(value: Any, shape: tuple[int, ...]) -> np.ndarray | None:
    try:
        array = np.array(value)
    except ValueError:
        return None
    # Not by conversion, which would take text such as "3" for a number.
    right = array.shape == shape and array.dtype.kind in 'iuf'
    return array.astype(np.float64) if right else None

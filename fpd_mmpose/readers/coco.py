"""Reads images, categories, and detections of files in COCO's format."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import read_numbers
from fpd_mmpose.readers.text import read_json

#: The `category_id` of a person where a file does not name its categories.
PERSON = 1
NOT_A_PERSON = 'of another category than person'
CROWD = 'of a crowd'


@dataclass(frozen=True)
class CocoListing:
    """What an annotation file says of images (by id) and categories."""

    path: str
    images: dict[int, dict]
    categories: list[dict]
    person_ids: tuple[int, ...]

    def indices_of_people(self, records: Sequence[dict], whose: str) -> list[int]:
        """Returns the positions of people; it is an error if all are something else."""
        kept = [i for i, each in enumerate(records) if is_person(each, self.person_ids)]
        if records and not kept:
            ids = sorted({each['category_id'] for each in records})
            raise UserError(
                f'{whose} of the categories {_few(ids)} only, but people are of '
                f'category {_few(self.person_ids)} in "{self.path}"'
            )
        return kept

    def check_images_of(self, records: Iterable[dict], names: Iterable[str]) -> None:
        """Checks the images that records belong to: only these must be valid."""
        records = list(records)
        check_images_are_listed(records, names, self.images, self.path)
        used = list(dict.fromkeys(record['image_id'] for record in records))
        images = [self.images[image_id] for image_id in used]
        titles = [f'image id {image_id} of "{self.path}"' for image_id in used]
        for image, title in zip(images, titles, strict=True):
            check_file_name(image, title)
        for field in ('width', 'height'):
            size = read_numbers(images, titles, field)
            if (size < 1).any():
                raise UserError(f'{titles[(size < 1).argmax()]} has a {field} below 1')


def read_coco(
    path: str | Path, has_annotations: bool = True
) -> tuple[CocoListing, list[Any]]:
    """Reads an annotation file; its annotations are returned as they are."""
    content = read_json(path, 'COCO annotations')
    fields = ['images', 'categories'] + ['annotations'] * has_annotations
    if not isinstance(content, dict) or not all(
        isinstance(content.get(field), list) for field in fields
    ):
        raise UserError(
            f'"{path}" is not a COCO annotation file: expected the lists '
            f'{", ".join(fields)}, as in person_keypoints_*.json'
        )
    for field, kind in (('images', 'image'), ('categories', 'category')):
        names = [f'{kind} {i} of "{path}"' for i in range(len(content[field]))]
        check_ids(content[field], names, ['id'], unique='id')
    listing = CocoListing(
        str(path),
        {image['id']: image for image in content['images']},
        content['categories'],
        person_ids(content['categories'], path),
    )
    return listing, content['annotations'] if has_annotations else []


def person_ids(categories: Any, path: str | Path) -> tuple[int, ...]:
    """Finds the category of people, by its name if there are several categories."""
    given = categories if isinstance(categories, list) else []
    known = [each for each in given if isinstance(each, dict)]
    for found in (
        [each for each in known if str(each.get('name')).strip().lower() == 'person'],
        known if len(known) == 1 else [],
        # As COCO describes its people.
        [each for each in known if isinstance(each.get('keypoints'), list)],
    ):
        if found and all(isinstance(each.get('id'), int) for each in found):
            return tuple(each['id'] for each in found)
    if not known:
        return (PERSON,)
    listed = ', '.join(f'{each.get("id")} {each.get("name")!r}' for each in known[:8])
    raise UserError(
        f'"{path}" has no category named "person", but {listed}: name the category of '
        'the people "person"'
    )


def read_detections(path: str | Path, listing: CocoListing) -> list[dict]:
    """Reads detections of all categories and checks those of people."""
    detections = read_json(path, 'a list of COCO detections')
    if not isinstance(detections, list):
        raise UserError(
            f'"{path}" is not a list of COCO detections: set `bbox_file` to the '
            'results of a person detector'
        )
    names = [f'detection {i} of "{path}"' for i in range(len(detections))]
    check_ids(detections, names, ['category_id'])
    kept = listing.indices_of_people(detections, f'"{path}" has detections')
    people, names = [detections[i] for i in kept], [names[i] for i in kept]
    check_ids(people, names, ['image_id'])
    listing.check_images_of(people, names)
    read_boxes(people, names)
    read_numbers(people, names, 'score')
    return detections


def is_person(record: dict, ids: Sequence[int]) -> bool:
    """Checks the category of a record, which is that of people if it has none."""
    category = record.get('category_id')
    return category is None or category in ids


def read_crowd(record: dict, name: str) -> bool:
    """Reads ``iscrowd``, which is 0 or 1; no crowd if it is missing or null."""
    value = record.get('iscrowd')
    if value is None:
        return False
    if isinstance(value, int | float) and value in (0, 1):
        return bool(value)
    raise UserError(f'{name} has no valid `iscrowd`: expected 0 or 1, got {value!r}')


def check_file_name(image: dict, title: str) -> None:
    """Checks the name of an image."""
    name = image.get('file_name')
    if not isinstance(name, str) or not name or '\0' in name:
        raise UserError(f'{title} has no valid `file_name`: expected text')


def check_images_are_listed(
    records: Iterable[dict], names: Iterable[str], images: Mapping, path: str | Path
) -> None:
    """Checks that the ``image_id`` of each record is among the images of ``path``."""
    for record, name in zip(records, names, strict=True):
        if record['image_id'] not in images:
            raise UserError(
                f'{name} belongs to image {record["image_id"]!r}, which "{path}" does '
                'not list'
            )


def check_ids(
    records: list[Any], names: Sequence[str], fields: list[str], unique: str = ''
) -> None:
    """Checks fields that must be integers, one of which may have to be unique."""
    seen = set()
    for record, name in zip(records, names, strict=True):
        for field in fields:
            value = record.get(field) if isinstance(record, dict) else None
            if not isinstance(value, int) or isinstance(value, bool):
                raise UserError(f'{name} has no valid `{field}`: expected an integer')
        if unique:
            if record[unique] in seen:
                raise UserError(f'{name} has the `{unique}` of another: {record["id"]}')
            seen.add(record[unique])


def read_boxes(records: list[dict], names: Sequence[str]) -> np.ndarray:
    """Reads ``bbox`` of all records, (n, 4): x, y, width, and height in pixels."""
    boxes = read_numbers(
        records, names, 'bbox', (4,), '4 finite numbers (x, y, width, and height)'
    )
    negative = (boxes[:, 2:] < 0).any(axis=1)
    if negative.any():
        index = int(negative.argmax())
        raise UserError(
            f'{names[index]} has a box of negative size, {boxes[index].tolist()}: '
            'expected x, y, width, and height'
        )
    return boxes


def _few(values: Sequence[int]) -> str:
    return ', '.join(map(str, values[:8])) + (', ...' if len(values) > 8 else '')

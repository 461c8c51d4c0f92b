"""Reads and checks annotation and detection files in COCO's format."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from xtcocotools.coco import COCO

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import looks_swapped, read_json, read_numbers

#: The `category_id` of a person.
PERSON = 1
NUM_KEYPOINTS = 17


def read_coco(path: str | Path, num_keypoints: int | None = NUM_KEYPOINTS) -> COCO:
    """Reads, checks, and indexes an annotation file.

    With ``num_keypoints=None``, annotations are neither needed nor kept.
    """
    content = read_json(path, 'COCO annotations')
    fields = ['images', 'categories'] + ['annotations'] * (num_keypoints is not None)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(field), list) for field in fields
    ):
        raise UserError(
            f'"{path}" is not a COCO annotation file: expected the lists '
            f'{", ".join(fields)}, as in person_keypoints_*.json'
        )
    if num_keypoints is None:
        content.pop('annotations', None)
    for field, kind in (('images', 'image'), ('categories', 'category')):
        names = [f'{kind} {i} of "{path}"' for i in range(len(content[field]))]
        _check_ids(content[field], names, ['id'], unique='id')
    images = {image['id']: image for image in content['images']}
    names = [f'image id {image_id} of "{path}"' for image_id in images]
    for image, name in zip(images.values(), names, strict=True):
        if not isinstance(image.get('file_name'), str):
            raise UserError(f'{name} has no valid `file_name`: expected text')
    for field in ('width', 'height'):
        size = read_numbers(list(images.values()), names, field)
        if (size <= 0).any():
            raise UserError(f'{names[(size <= 0).argmax()]} has a {field} below 1')
    if num_keypoints is not None:
        _check_annotations(content['annotations'], images, path, num_keypoints)

    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    return coco


def read_detections(
    path: str | Path, ann_file: str | Path, images: dict[int, dict]
) -> list[dict]:
    """Reads detections of all categories and checks those of people.

    ``images`` are those of ``ann_file``, by id.
    """
    detections = read_json(path, 'a list of COCO detections')
    if not isinstance(detections, list):
        raise UserError(
            f'"{path}" is not a list of COCO detections: set `bbox_file` to the '
            'results of a person detector'
        )
    names = [f'detection {i} of "{path}"' for i in range(len(detections))]
    _check_ids(detections, names, ['image_id', 'category_id'])
    people, names = _people(detections, names)
    check_images_are_listed(people, names, images, ann_file)
    _read_boxes(people, names)
    read_numbers(people, names, 'score')
    return detections


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


def _check_annotations(
    annotations: list, images: dict, path: str | Path, num_keypoints: int
) -> None:
    names = [f'annotation {i} of "{path}"' for i in range(len(annotations))]
    _check_ids(annotations, names, ['id', 'image_id', 'category_id'], unique='id')
    names = [f'annotation id {record["id"]} of "{path}"' for record in annotations]
    check_images_are_listed(annotations, names, images, path)
    for record in annotations:
        # The default of xtcocotools, whose evaluation needs the field.
        record.setdefault('iscrowd', 0)
    people, names = _people(annotations, names)
    if people and not any('keypoints' in record for record in people):
        raise UserError(
            f'{names[0]} has no `keypoints`, nor has any other: use '
            'person_keypoints_*.json, not instances_*.json'
        )
    read_numbers(people, names, 'area')
    boxes = _read_boxes(people, names)
    keypoints = read_numbers(
        people,
        names,
        'keypoints',
        (3 * num_keypoints,),
        f'{3 * num_keypoints} finite numbers (x, y, and visibility of {num_keypoints} '
        'keypoints)',
    )
    index = _first_swapped(
        keypoints.reshape(-1, num_keypoints, 3), boxes, _image_sizes(people, images)
    )
    if index is not None:
        raise UserError(
            f'{names[index]} seems to have x and y of its keypoints swapped: expected '
            'x first, within the box'
        )


def _image_sizes(records: list[dict], images: dict[int, dict]) -> np.ndarray:
    listed = [images[record['image_id']] for record in records]
    sizes = [(image['width'], image['height']) for image in listed]
    return np.array(sizes, dtype=np.float64).reshape(-1, 2)


def _people(records: list[dict], names: list[str]) -> tuple[list[dict], list[str]]:
    kept = [i for i, record in enumerate(records) if record['category_id'] == PERSON]
    return [records[i] for i in kept], [names[i] for i in kept]


def _first_swapped(
    keypoints: np.ndarray, boxes: np.ndarray, sizes: np.ndarray
) -> int | None:
    points, labeled = keypoints[..., :2], keypoints[..., 2] > 0
    size = boxes[:, None, 2:]
    center = boxes[:, None, :2] + size / 2
    near = (np.abs(points - center) <= size).all(axis=-1)
    outside = ((points < 0) | (points > sizes[:, None])).any(axis=-1)
    mostly_outside = 2 * (outside & labeled).sum(axis=1) >= labeled.sum(axis=1)
    suspects = labeled.any(axis=1) & (mostly_outside | ~(near & labeled).any(axis=1))
    for index in np.flatnonzero(suspects):
        visible = points[index, labeled[index]]
        if looks_swapped(visible, center[index], size[index]):
            return int(index)
        # Near the diagonal of an image, a swapped person stays near the box.
        exchanged = visible[:, ::-1]
        if (
            mostly_outside[index]
            and ((exchanged >= 0) & (exchanged <= sizes[index])).all()
            and (np.abs(exchanged - center[index]) <= size[index]).all()
        ):
            return int(index)
    return None


def _check_ids(
    records: list[Any], names: Sequence[str], fields: list[str], unique: str = ''
) -> None:
    seen = set()
    for record, name in zip(records, names, strict=True):
        for field in fields:
            if not isinstance(record, dict) or not isinstance(record.get(field), int):
                raise UserError(f'{name} has no valid `{field}`: expected an integer')
        if unique:
            if record[unique] in seen:
                raise UserError(f'{name} has the `{unique}` of another: {record["id"]}')
            seen.add(record[unique])


def _read_boxes(records: list[dict], names: Sequence[str]) -> np.ndarray:
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

"""Reads annotation and detection files of COCO, with errors that name the record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from xtcocotools.coco import COCO

from .files import looks_swapped, read_json

#: The `category_id` of a person.
PERSON = 1
NUM_KEYPOINTS = 17


def read_coco(path: str | Path, num_keypoints: int | None = NUM_KEYPOINTS) -> COCO:
    """Reads an annotation file in COCO's format, once, and checks it.

    Args:
        path (str | Path): The file.
        num_keypoints (int, optional): How many keypoints a person has. Defaults to
            17. With None, annotations are neither needed nor kept.

    Returns:
        COCO: The indexed annotations.

    Raises:
        ValueError: If it is not such a file; lists an id twice; has an annotation of an
            image that it does not list, or a person without finite numbers for area,
            box and keypoints, with a box of negative size, or with x and y of the
            keypoints swapped. One line that names the record.
    """
    content = read_json(path, 'COCO annotations')
    fields = ['images', 'categories'] + ['annotations'] * (num_keypoints is not None)
    if not isinstance(content, dict) or not all(
        isinstance(content.get(field), list) for field in fields
    ):
        raise ValueError(
            f'"{path}" is not a COCO annotation file: expected lists '
            f'{", ".join(fields)}, as person_keypoints_*.json has them'
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
            raise ValueError(f'{name} has no valid `file_name`: expected text')
    for field in ('width', 'height'):
        size = _read_numbers(list(images.values()), names, field)
        if (size <= 0).any():
            raise ValueError(f'{names[(size <= 0).argmax()]} has a {field} below 1')
    if num_keypoints is not None:
        _check_annotations(content['annotations'], images, path, num_keypoints)

    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    return coco


def read_detections(
    path: str | Path, ann_file: str | Path, images: dict[int, dict]
) -> list[dict]:
    """Reads the boxes of a detector in COCO's format and checks those of people.

    Args:
        path (str | Path): The file.
        ann_file (str | Path): The file that the images are from, for the error.
        images (dict[int, dict]): The images by id.

    Returns:
        list[dict]: The detections of all categories.

    Raises:
        ValueError: If it is not such a file, or has a person in an image that is not
            listed, without a finite score and box, or with a box of negative size. One
            line that names the record.
    """
    detections = read_json(path, 'a list of COCO detections')
    if not isinstance(detections, list):
        raise ValueError(
            f'"{path}" is not a list of COCO detections: give the results of a person '
            'detector as `bbox_file`'
        )
    names = [f'detection {i} of "{path}"' for i in range(len(detections))]
    _check_ids(detections, names, ['image_id', 'category_id'])
    people, names = _people(detections, names)
    _check_images_are_listed(people, names, images, ann_file)
    _read_boxes(people, names)
    _read_numbers(people, names, 'score')
    return detections


def _check_annotations(
    annotations: list, images: dict, path: str | Path, num_keypoints: int
) -> None:
    names = [f'annotation {i} of "{path}"' for i in range(len(annotations))]
    _check_ids(annotations, names, ['id', 'image_id', 'category_id'], unique='id')
    names = [f'annotation id {record["id"]} of "{path}"' for record in annotations]
    _check_images_are_listed(annotations, names, images, path)
    for record in annotations:
        # As xtcocotools does; its evaluation needs it.
        record.setdefault('iscrowd', 0)
    people, names = _people(annotations, names)
    if people and not any('keypoints' in record for record in people):
        raise ValueError(
            f'{names[0]} has no `keypoints`, like every other: give '
            'person_keypoints_*.json, not instances_*.json'
        )
    _read_numbers(people, names, 'area')
    boxes = _read_boxes(people, names)
    keypoints = _read_numbers(
        people,
        names,
        'keypoints',
        (3 * num_keypoints,),
        f'x, y and visibility of {num_keypoints} keypoints',
    )
    index = _first_swapped(
        keypoints.reshape(-1, num_keypoints, 3), boxes, _image_sizes(people, images)
    )
    if index is not None:
        raise ValueError(
            f'{names[index]} seems to have x and y of its keypoints swapped: expected '
            'x first, within the box'
        )


def _image_sizes(records: list[dict], images: dict[int, dict]) -> np.ndarray:
    sizes = [images[record['image_id']] for record in records]
    sizes = [(image['width'], image['height']) for image in sizes]
    return np.array(sizes, dtype=np.float64).reshape(-1, 2)


def _people(records: list[dict], names: list[str]) -> tuple[list[dict], list[str]]:
    kept = [i for i, record in enumerate(records) if record['category_id'] == PERSON]
    return [records[i] for i in kept], [names[i] for i in kept]


def _first_swapped(
    keypoints: np.ndarray, boxes: np.ndarray, sizes: np.ndarray
) -> int | None:
    points, labelled = keypoints[..., :2], keypoints[..., 2] > 0
    size = boxes[:, None, 2:]
    center = boxes[:, None, :2] + size / 2
    near = (np.abs(points - center) <= size).all(axis=-1)
    outside = ((points < 0) | (points > sizes[:, None])).any(axis=-1)
    astray = 2 * (outside & labelled).sum(axis=1) >= labelled.sum(axis=1)
    suspects = labelled.any(axis=1) & (astray | ~(near & labelled).any(axis=1))
    for index in np.flatnonzero(suspects):
        visible = points[index, labelled[index]]
        if looks_swapped(visible, center[index], size[index]):
            return int(index)
        # Near the diagonal of an image, a swapped person stays near the box.
        turned = visible[:, ::-1]
        if (
            astray[index]
            and ((turned >= 0) & (turned <= sizes[index])).all()
            and (np.abs(turned - center[index]) <= size[index]).all()
        ):
            return int(index)
    return None


def _check_ids(
    records: list, names: Sequence[str], fields: list[str], unique: str = ''
) -> None:
    seen = set()
    for record, name in zip(records, names, strict=True):
        for field in fields:
            if not isinstance(record, dict) or not isinstance(record.get(field), int):
                raise ValueError(f'{name} has no valid `{field}`: expected an integer')
        if unique:
            if record[unique] in seen:
                raise ValueError(
                    f'{name} has the `{unique}` of another: {record["id"]}'
                )
            seen.add(record[unique])


def _check_images_are_listed(
    records: list[dict], names: Sequence[str], images: dict, path: str | Path
) -> None:
    for record, name in zip(records, names, strict=True):
        if record['image_id'] not in images:
            raise ValueError(
                f'{name} belongs to image {record["image_id"]}, which "{path}" does '
                'not list'
            )


def _read_boxes(records: list[dict], names: Sequence[str]) -> np.ndarray:
    boxes = _read_numbers(records, names, 'bbox', (4,), 'x, y, width and height')
    negative = (boxes[:, 2:] < 0).any(axis=1)
    if negative.any():
        index = negative.argmax()
        raise ValueError(
            f'{names[index]} has a box of negative size, {boxes[index].tolist()}: '
            'expected x, y, width and height'
        )
    return boxes


def _read_numbers(
    records: list[dict],
    names: Sequence[str],
    field: str,
    shape: tuple[int, ...] = (),
    meaning: str = 'finite',
) -> np.ndarray:
    # All at once: COCO has hundreds of thousands of records.
    values = [record.get(field) for record in records]
    if not _is_finite(values, (len(values), *shape)):
        for value, name in zip(values, names, strict=True):
            if not _is_finite(value, shape):
                number = f'{shape[0]} finite numbers' if shape else 'a number'
                raise ValueError(
                    f'{name} has no valid `{field}`: expected {number} ({meaning})'
                )
    return np.array(values, dtype=np.float64).reshape(len(values), *shape)


def _is_finite(value: Any, shape: tuple[int, ...]) -> bool:
    try:
        numbers = np.array(value)
    except ValueError:
        return False
    # Not by conversion, which would take text such as "3" for a number.
    return (
        numbers.shape == shape
        and numbers.dtype.kind in 'iuf'
        and bool(np.isfinite(numbers).all())
    )

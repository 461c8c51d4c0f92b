"""A small dataset in COCO's format: people as dots on noise."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

DETECTIONS = 'person_detection_results/COCO_val2017_detections_AP_H_56_person.json'
#: Keypoints relative to the box of a person, in COCO's order.
POSE = np.array(
    [
        [0.50, 0.08], [0.54, 0.06], [0.46, 0.06], [0.58, 0.08], [0.42, 0.08],
        [0.70, 0.22], [0.30, 0.22], [0.84, 0.36], [0.16, 0.36], [0.94, 0.50],
        [0.06, 0.50], [0.62, 0.54], [0.38, 0.54], [0.66, 0.76], [0.34, 0.76],
        [0.68, 0.96], [0.32, 0.96],
    ]
)  # fmt: skip


def own_skeleton(joints: int) -> dict:
    """Metainfo of a skeleton that is neither COCO's nor MPII's."""
    described = {
        index: dict(
            name=f'joint {index}', id=index, color=[0, 255, 0], type='', swap=''
        )
        for index in range(joints)
    }
    return dict(
        dataset_name='own',
        keypoint_info=described,
        skeleton_info={},
        joint_weights=[1.0] * joints,
        sigmas=[0.05] * joints,
    )


def image(image_id: int, width: int = 120, height: int = 80) -> dict:
    """Makes the record of an image."""
    name = f'{image_id:012d}.jpg'
    return dict(id=image_id, file_name=name, width=width, height=height)


def person(ann_id: int, image_id: int, bbox: list[float], /, **changes: Any) -> dict:
    """Annotates a person who fills the box, with every keypoint visible."""
    corner, size = np.array(bbox[:2]), np.array(bbox[2:])
    points = (corner + POSE * size).round(2)
    return {
        'id': ann_id,
        'image_id': image_id,
        'category_id': 1,
        'iscrowd': 0,
        'bbox': bbox,
        'area': float(size.prod() / 2),
        'num_keypoints': len(POSE),
        'keypoints': np.column_stack([points, np.full(len(POSE), 2)]).ravel().tolist(),
        'segmentation': [],
        **changes,
    }


def coco(images: list[dict], annotations: list[dict]) -> dict:
    """Makes the content of an annotation file."""
    category = dict(id=1, name='person', supercategory='person')
    return dict(images=images, annotations=annotations, categories=[category])


def write_json(path: Path, content: Any) -> str:
    """Writes a file, and creates its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    return str(path)


def write_coco(root: Path, reference_layout: bool = False) -> None:
    """Writes 4 training and 3 validation images, each with two people.

    The latter also have detections, one pixel larger on each side, and one of another
    category.
    """
    random = np.random.default_rng(0)
    for split, first, count in (('train', 100, 4), ('val', 201, 3)):
        images = [image(first + 7 * i) for i in range(count)]
        people = []
        for record in images:
            for left in (6, 62):
                x, y, w, h = left, 4, 44, 70
                x, y, w = x + random.integers(6), y + random.integers(5), w + left / 10
                box = [float(x), float(y), w, float(h)]
                people.append(person(len(people) + 1, record['id'], box))
            _draw(root, split, reference_layout, record, people[-2:], random)
        name = f'annotations/person_keypoints_{split}2017.json'
        write_json(root / name, coco(images, people))
    detections = [
        dict(
            image_id=annotated['image_id'],
            category_id=1,
            bbox=[x - 1, y - 1, w + 2, h + 2],
            score=0.9 - 0.1 * (index % 2),
        )
        for index, annotated in enumerate(people)
        for x, y, w, h in [annotated['bbox']]
    ]
    write_json(root / DETECTIONS, [*detections, {**detections[0], 'category_id': 3}])


def _draw(
    root: Path,
    split: str,
    reference_layout: bool,
    record: dict,
    people: list[dict],
    random: np.random.Generator,
) -> None:
    shape = (record['height'], record['width'], 3)
    canvas = random.integers(0, 60, shape).astype(np.uint8)
    for annotated in people:
        for x, y, _ in np.reshape(annotated['keypoints'], (-1, 3)):
            cv2.circle(canvas, (int(x), int(y)), 2, (60, 200, 255), -1)
    folder = root / ('images' if reference_layout else '') / f'{split}2017'
    folder.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(folder / record['file_name']), canvas)

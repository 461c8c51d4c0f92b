"""Annotations of people, detections, boxes, and lists of images."""

import copy
import json
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from PIL import Image

from fpd_mmpose.datasets import FPDCocoDataset, FPDMpiiDataset, UnlabeledPoseDataset
from fpd_mmpose.evaluation import FPDCocoMetric
from fpd_mmpose.readers.coco import read_coco, read_detections
from fpd_mmpose.readers.coco_people import read_coco_people
from fpd_mmpose.readers.media import find_files, open_media
from fpd_mmpose.readers.person_boxes import read_person_boxes
from fpd_mmpose.studies.people_split import split_people
from fuzzing.mutations import damaged_bytes
from fuzzing.subjects import Subject, Target, json_subject

_KEYPOINTS = 17


def mpii_people() -> list[dict]:
    """Makes people in MPII's layout."""
    rng = np.random.default_rng(0)
    people: list[dict] = []
    for number in range(12):
        joints = (rng.random((16, 2)) * 80 + 20).round(1).tolist()
        visible = [1] * 15 + [0]
        people.append(
            dict(
                image=f'{number:09d}.jpg',
                center=[60.0, 60.5],
                scale=0.5,
                joints=joints,
                joints_vis=visible,
            )
        )
    return people


def coco_people() -> dict:
    """Makes annotations in COCO's format."""
    images = [
        dict(id=n, file_name=f'{n:012d}.jpg', width=120, height=80) for n in (1, 2, 3)
    ]
    people = []
    for number, box in enumerate(([5, 4, 44, 70], [60, 4, 45.5, 70], [0, 0, 90, 60])):
        points = [[box[0] + 2 * k, box[1] + 3 * k, k % 3] for k in range(_KEYPOINTS)]
        people.append(
            dict(
                id=number + 1,
                image_id=number % 2 + 1,
                category_id=1,
                iscrowd=0,
                bbox=box,
                area=float(box[2] * box[3]),
                num_keypoints=12,
                keypoints=[value for point in points for value in point],
                segmentation=[],
            )
        )
    crowd = dict(people[0], id=8, iscrowd=1, segmentation={'size': [80, 120]})
    other = dict(id=9, image_id=3, category_id=3, bbox=[1, 2, 3, 4])
    categories = [dict(id=1, name='person'), dict(id=3, name='car')]
    annotations = [*people, crowd, other]
    return dict(images=images, annotations=annotations, categories=categories)


def detections() -> list[dict]:
    """Makes detections in the format of COCO's results."""
    return [
        dict(image_id=image, category_id=category, bbox=[1, 2.5, 40, 50], score=score)
        for image, category, score in ((1, 1, 0.9), (2, 1, 0.4), (2, 3, 0.8))
    ]


def boxes() -> dict:
    """Makes boxes of people without keypoints."""
    content = coco_people()
    for person in content['annotations']:
        person.pop('keypoints', None)
        person['score'] = 0.75
    return content


def _filled(dataset: Any) -> list[dict]:
    """Reads the people of a dataset that has not read them."""
    fresh = copy.copy(dataset)
    fresh._metainfo = copy.copy(dataset._metainfo)
    fresh.full_init()
    return [fresh.get_data_info(index) for index in range(len(fresh))]


def _mpii_dataset(folder: Path) -> Subject:
    path = folder / 'people.json'
    lazy = FPDMpiiDataset(str(path), lazy_init=True)
    test = FPDMpiiDataset(str(path), lazy_init=True, test_mode=True)
    without = [dict(image='1.jpg', center=[60, 80], scale=0.5)] * 2

    def read() -> Any:
        chosen = lazy if b'joints' in path.read_bytes() else test
        return _filled(chosen)

    return json_subject(path, [mpii_people(), mpii_people()[:2], without], read)


def _people_split(folder: Path) -> Subject:
    path = folder / 'people.json'
    return json_subject(
        path, [mpii_people()], lambda: split_people(folder, 1, 0, 'people.json')
    )


def _coco_people(folder: Path) -> Subject:
    path = folder / 'people.json'

    def read() -> Any:
        found = read_coco_people(path, _KEYPOINTS)
        truth = found.truth({1, 2}).dataset['annotations']
        numbers = [
            [each[field] for field in ('bbox', 'area', 'keypoints', 'iscrowd')]
            for each in (*truth, *found.used)
        ]
        return numbers, found.left_out

    return json_subject(path, [coco_people()], read)


def _coco_dataset(folder: Path) -> Subject:
    path = folder / 'people.json'
    lazy = FPDCocoDataset(str(path), lazy_init=True)

    def read() -> Any:
        return [
            [info['bbox'], info['keypoints'], info['keypoints_visible'], info['area']]
            for info in _filled(lazy)
        ]

    return json_subject(path, [coco_people()], read)


def _coco_metric(folder: Path) -> Subject:
    path = folder / 'people.json'
    FPDCocoDataset(str(path), lazy_init=True)
    meta = dict(dataset_name='coco', num_keypoints=_KEYPOINTS, sigmas=np.ones(17) / 9)

    def read() -> Any:
        metric = FPDCocoMetric(str(path))
        metric.dataset_meta = meta
        points = np.ones((1, _KEYPOINTS, 2))
        ids = [1, 2, 3, *metric.coco.imgs][-2:]
        for number in dict.fromkeys(ids):
            prediction = dict(
                id=number,
                img_id=number,
                keypoints=points,
                keypoint_scores=points[..., 0],
                category_id=1,
                areas=np.ones(1),
                bbox_scores=np.ones(1),
            )
            metric.results.append((prediction, {}))
        return bool(metric.compute_metrics(metric.results))

    return json_subject(path, [coco_people()], read)


def _coco_detections(folder: Path) -> Subject:
    path = folder / 'detections.json'
    people = folder / 'people.json'
    people.write_text(json.dumps(coco_people()), encoding='utf-8')
    lazy = FPDCocoDataset(
        str(people), bbox_file=str(path), lazy_init=True, test_mode=True
    )

    def read() -> Any:
        listing, _ = read_coco(people, has_annotations=False)
        read_detections(path, listing)
        return [[info['bbox'], info['bbox_score']] for info in _filled(lazy)]

    return json_subject(path, [detections()], read)


def _person_boxes(folder: Path) -> Subject:
    path = folder / 'boxes.json'
    names = [f'{number:012d}.jpg' for number in (1, 2, 3)]
    named = [
        dict(each, image_id=f'{each["image_id"]:012d}.jpg') for each in detections()
    ]

    def read() -> Any:
        found = read_person_boxes(path, '', lambda: names).usable(0.3, 2.0)
        return found.boxes, found.scores, found.records, found.left_out

    return json_subject(path, [boxes(), detections(), named], read)


def _box_images(folder: Path) -> Subject:
    """The file that lists the images of detections."""
    path = folder / 'images.json'
    found = folder / 'detections.json'
    found.write_text(json.dumps(detections()), encoding='utf-8')

    def read() -> Any:
        everyone = read_person_boxes(found, path).usable(0.3, 2.0)
        return everyone.boxes, everyone.scores

    return json_subject(path, [coco_people()], read)


def _unlabeled_people(folder: Path) -> Subject:
    path = folder / 'boxes.json'
    images = folder / 'images'
    images.mkdir()
    for number in (1, 2, 3):
        Image.new('RGB', (120, 80)).save(images / f'{number:012d}.jpg')
    lazy = UnlabeledPoseDataset(
        images=str(images), ann_file=str(path), lazy_init=True, score_thr=0.3
    )

    def read() -> Any:
        fresh = copy.copy(lazy)
        fresh.faulty = {}
        fresh.full_init()
        return [
            [info['bbox'], info['bbox_score'], list(info.get('expected_shape', ()))]
            for info in map(fresh.get_data_info, range(len(fresh)))
        ]

    return json_subject(path, [boxes(), detections()], read)


def _image_list(folder: Path) -> Subject:
    path = folder / 'images.txt'
    lines = ['1.jpg', 'sub/2.png', '../3.jpeg', '/data/4.webp', '', 'v.mp4', 'ü.jpg']
    text = '\n'.join(lines).encode()
    strange = (
        b'a\0b.jpg',
        b'x' * 5000 + b'.jpg',
        b'\xff.jpg',
        b'.jpg',
        b'\xe2\x80\xa8',
    )

    def damage(rng: Random) -> bytes:
        damaged = damaged_bytes(rng, text)
        if rng.random() < 0.5:
            damaged = damaged.replace(b'2.png', rng.choice(strange))
        return damaged

    def read() -> Any:
        media = open_media(path)
        return len(find_files([*media.names(), 'other.jpg'], [media]).missing)

    return Subject(path, [text], damage, read)


TARGETS = {
    'mpii_dataset': Target(_mpii_dataset),
    'people_split': Target(_people_split, 15),
    'coco_people': Target(_coco_people),
    'coco_dataset': Target(_coco_dataset),
    'coco_metric': Target(_coco_metric, 20),
    'coco_detections': Target(_coco_detections),
    'person_boxes': Target(_person_boxes),
    'box_images': Target(_box_images),
    'unlabeled_people': Target(_unlabeled_people, 2),
    'image_list': Target(_image_list),
}

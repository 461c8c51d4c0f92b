"""COCO's average precision, against pycocotools."""

import copy
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from mmpose.evaluation.metrics import CocoMetric
from mmpose.registry import METRICS
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from fpd_mmpose.datasets import FPDCocoDataset
from fpd_mmpose.evaluation import FPDCocoMetric
from tests.helpers.coco_data import (
    POSE,
    coco,
    image,
    own_skeleton,
    person,
    write_coco,
    write_json,
)

NAMES = [
    'AP', 'AP .5', 'AP .75', 'AP (M)', 'AP (L)',
    'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)',
]  # fmt: skip
PIPELINE = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='TopdownAffine', input_size=(192, 256)),
    dict(type='PackPoseInputs'),
]
SIGMAS = np.array(
    [26, 25, 25, 35, 35, 79, 79, 72, 72, 62, 62, 107, 107, 87, 87, 89, 89]
) / 1000  # fmt: skip


def sample_set(shared: Path) -> FPDCocoDataset:
    """MMPose's 4 images of COCO with the 118 detected boxes."""
    folder = shared / 'data/coco_sample'
    return FPDCocoDataset(
        str(folder / 'test_coco.json'),
        bbox_file=str(folder / 'test_coco_det_AP_H_56.json'),
        data_prefix=dict(img=str(folder)),
        pipeline=PIPELINE,
        test_mode=True,
    )


def predictions(dataset: FPDCocoDataset, noise: float) -> list[dict]:
    """The person closest to each box, with noise in proportion to the person's size.

    Keypoints that are not labeled are placed at the mean of the labeled ones.
    """
    random = np.random.default_rng(1)
    people = defaultdict(list)
    for ann in COCO(dataset.ann_file).dataset['annotations']:
        points = np.reshape(ann['keypoints'], (17, 3)).astype(float)
        labeled = points[:, 2] > 0
        if labeled.any():
            points[~labeled, :2] = points[labeled, :2].mean(axis=0)
            people[ann['image_id']].append((points[:, :2], np.sqrt(ann['area'])))
    samples = []
    for info in dataset:
        sample = info['data_samples'].to_dict()
        center = sample['input_center']
        points, size = min(
            people[sample['img_id']],
            key=lambda one: np.linalg.norm(one[0].mean(axis=0) - center),
        )
        points = points + noise * size * random.standard_normal(points.shape)
        scores = random.uniform(0, 1, (1, 17))
        sample['pred_instances'] = dict(keypoints=points[None], keypoint_scores=scores)
        # As a head adds to each prediction.
        sample['pred_instances'].update(
            bboxes=sample['gt_instances']['bboxes'],
            bbox_scores=sample['gt_instances']['bbox_scores'],
        )
        samples.append(sample)
    return samples


def evaluate(metric: CocoMetric, samples: list[dict], dataset) -> dict[str, float]:
    metric.dataset_meta = dataset.metainfo
    metric.process([], copy.deepcopy(samples))
    return metric.evaluate(len(samples))


def by_pycocotools(ann_file: str, samples: list[dict]) -> dict[str, float]:
    """The reference's rescoring and suppression, followed by COCO's own tool."""
    images = defaultdict(list)
    for sample in samples:
        points = sample['pred_instances']['keypoints'][0]
        scores = sample['pred_instances']['keypoint_scores'][0]
        x1, y1, x2, y2 = sample['gt_instances']['bboxes'][0]
        # Extended to 3:4, and padded by a quarter.
        width = 1.25 * max(x2 - x1, 0.75 * (y2 - y1))
        confident = scores[scores > 0.2]
        score = sample['gt_instances']['bbox_scores'][0] * (
            confident.mean() if len(confident) else 0
        )
        images[sample['img_id']].append((score, points, scores, width * width / 0.75))
    results = []
    for image_id, people in images.items():
        kept = []
        for one in sorted(people, key=lambda person: -person[0]):
            if all(oks(one, other) <= 0.9 for other in kept):
                kept.append(one)
        for score, points, scores, _ in kept:
            keypoints = np.column_stack([points, scores]).ravel().tolist()
            results.append(
                dict(image_id=image_id, category_id=1, keypoints=keypoints, score=score)
            )
    assert len(results) < len(samples)
    truth = COCO(ann_file)
    evaluation = COCOeval(truth, truth.loadRes(results), 'keypoints')
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    return {
        f'coco/{name}': value
        for name, value in zip(NAMES, evaluation.stats, strict=True)
    }


def oks(one: tuple, other: tuple) -> float:
    squared = ((one[1] - other[1]) ** 2).sum(axis=1)
    area = (one[3] + other[3]) / 2
    return float(np.exp(-squared / (2 * area * (2 * SIGMAS) ** 2)).mean())


@pytest.mark.parametrize('noise', [0.0, 0.03, 0.06, 0.09])
def test_scores_match_pycocotools_on_a_sample_of_coco(shared, noise):
    dataset = sample_set(shared)
    samples = predictions(dataset, noise)
    ours = evaluate(
        METRICS.build(dict(type='FPDCocoMetric', ann_file=dataset.ann_file)),
        samples,
        dataset,
    )
    assert ours == pytest.approx(by_pycocotools(dataset.ann_file, samples), abs=1e-6)
    assert set(ours) == {f'coco/{name}' for name in NAMES}


def test_stock_mmpose_differs_for_medium_and_large_people_only(shared):
    dataset = sample_set(shared)
    samples = predictions(dataset, 0.06)
    ours = evaluate(FPDCocoMetric(dataset.ann_file), samples, dataset)
    stock = evaluate(CocoMetric(dataset.ann_file), samples, dataset)
    differing = {name for name in ours if abs(ours[name] - stock[name]) > 1e-6}
    assert differing and differing <= {'coco/AP (M)', 'coco/AP (L)'}


def test_precision_decreases_with_noise(shared):
    folder = shared / 'data/coco_sample'
    dataset = FPDCocoDataset(
        str(folder / 'test_coco.json'),
        data_prefix=dict(img=str(folder)),
        pipeline=PIPELINE,
        test_mode=True,
    )
    precision = [
        evaluate(FPDCocoMetric(dataset.ann_file), predictions(dataset, noise), dataset)[
            'coco/AP'
        ]
        for noise in (0, 0.04, 0.08, 0.16, 0.32)
    ]
    assert precision[0] == pytest.approx(1)
    assert all(np.diff(precision) < 0) and precision[-1] < 0.05


# --- On drawn people ---------------------------------------------------------------


def drawn(root: Path) -> tuple[FPDCocoDataset, list[dict]]:
    write_coco(root)
    dataset = FPDCocoDataset(
        'annotations/person_keypoints_val2017.json',
        data_root=str(root),
        data_prefix=dict(img='val2017'),
        pipeline=PIPELINE,
        test_mode=True,
    )
    return dataset, predictions(dataset, 0)


def test_annotations_are_those_of_the_dataset_by_default(tmp_path):
    dataset, samples = drawn(tmp_path)
    assert evaluate(FPDCocoMetric(), samples, dataset)['coco/AP'] == pytest.approx(1)


def test_results_can_be_written_without_annotations(tmp_path):
    dataset, samples = drawn(tmp_path)
    path = write_json(
        tmp_path / 'images.json',
        dict(images=[image(201), image(208), image(215)], categories=[]),
    )
    metric = FPDCocoMetric(
        path, format_only=True, outfile_prefix=str(tmp_path / 'results')
    )
    assert evaluate(metric, samples, dataset) == {}
    assert '"bbox"' not in (tmp_path / 'results.keypoints.json').read_text()


@pytest.mark.parametrize(
    'content, message',
    [
        (None, 'does not exist'),
        ('', 'is empty'),
        ('{"images": [', 'is not valid JSON'),
        ('[]', 'is not a COCO annotation file'),
        ('{"images": [], "categories": []}', 'is not a COCO annotation file'),
    ],
)
def test_a_file_without_annotations(tmp_path, content, message):
    path = tmp_path / 'people.json'
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError) as info:
        FPDCocoMetric(str(path))
    assert str(info.value).startswith(f'"{path}" {message}')
    assert '\n' not in str(info.value)


def test_an_invalid_annotation_is_named(tmp_path):
    human = person(7, 5, [1.0, 1.0, 30.0, 40.0])
    human['keypoints'] = human['keypoints'][: 3 * (len(POSE) - 1)]
    path = write_json(tmp_path / 'people.json', coco([image(5)], [human]))
    metric = FPDCocoMetric(path)
    with pytest.raises(ValueError, match='annotation id 7 of .* 17 keypoints'):
        metric.dataset_meta = FPDCocoDataset.METAINFO | dict(
            dataset_name='coco', num_keypoints=17
        )


# --- Own data ------------------------------------------------------------------------


def own(
    root: Path, *changes: dict, categories: dict | None = None, **settings: Any
) -> FPDCocoDataset:
    """Two people in each of two images, of four keypoints each."""
    people, images = [], [image(5), image(6)]
    for index in range(4):
        x = 6 + 56 * (index % 2)
        human = person(index + 1, 5 + index // 2, [float(x), 4.0, 44.0, 70.0])
        human['keypoints'] = human['keypoints'][15:27]
        people.append(human)
    for index, each in enumerate(changes):
        people[index].update(each)
    content = coco(images, people)
    names = categories or {1: 'person', 2: 'other'}
    content['categories'] = [dict(id=i, name=name) for i, name in names.items()]
    for each in images:
        picture = np.zeros((each['height'], each['width'], 3), np.uint8)
        cv2.imwrite(str(root / each['file_name']), picture)
    return FPDCocoDataset(
        write_json(root / 'own.json', content),
        data_prefix=dict(img=str(root)),
        metainfo=own_skeleton(4),
        pipeline=PIPELINE,
        test_mode=True,
        **settings,
    )


def perfect(dataset: FPDCocoDataset) -> list[dict]:
    samples = []
    for info in dataset:
        sample = info['data_samples'].to_dict()
        truth = sample['gt_instances']
        sample['pred_instances'] = dict(
            keypoints=truth['keypoints'],
            keypoint_scores=np.ones((1, truth['keypoints'].shape[1])),
            bboxes=truth['bboxes'],
            bbox_scores=truth['bbox_scores'],
        )
        samples.append(sample)
    return samples


@pytest.mark.parametrize('given', [True, False])
@pytest.mark.parametrize(
    'changes, count',
    [
        ([], 4),
        ([dict(category_id=2)], 3),
        ([dict(iscrowd=1, keypoints=[])], 3),
        ([dict(iscrowd=None)], 4),
        ([dict(keypoints=[])], 3),
        ([dict(area=0), dict(bbox=[500, 4, 44, 70])], 2),
        ([dict(keypoints=[9, 9, -1] * 4)], 3),
        ([dict(num_keypoints='0')] * 4, 4),
    ],
    ids=str,
)
def test_who_is_used_is_who_is_scored(tmp_path, given, changes, count):
    dataset = own(tmp_path, *changes)
    assert len(dataset) == count
    metric = FPDCocoMetric(dataset.ann_file if given else None)
    scores = evaluate(metric, perfect(dataset), dataset)
    assert scores['coco/AP'] == pytest.approx(1)
    assert scores['coco/AR'] == pytest.approx(1)


@pytest.mark.parametrize('given', [True, False])
def test_the_category_of_people_may_have_any_number(tmp_path, given):
    people = [dict(category_id=0)] * 3
    dataset = own(tmp_path, *people, categories={0: 'person', 1: 'ball'})
    assert len(dataset) == 3
    metric = FPDCocoMetric(dataset.ann_file if given else None)
    scores = evaluate(metric, perfect(dataset), dataset)
    assert scores['coco/AP'] == pytest.approx(1)


def test_a_part_of_the_people_is_scored_alone(tmp_path):
    dataset = own(tmp_path, indices=3)
    scores = evaluate(FPDCocoMetric(dataset.ann_file), perfect(dataset), dataset)
    assert scores['coco/AP'] == pytest.approx(1)


def test_a_person_whom_the_detector_missed_counts(tmp_path):
    own(tmp_path)
    boxes = [dict(image_id=5, category_id=1, bbox=[6, 4, 44, 70], score=0.9)]
    dataset = own(tmp_path, bbox_file=write_json(tmp_path / 'boxes.json', boxes))
    truth = perfect(own(tmp_path))[0]
    samples = perfect(dataset)
    samples[0]['pred_instances'].update(
        {
            name: truth['pred_instances'][name]
            for name in ('keypoints', 'keypoint_scores')
        }
    )
    scores = evaluate(FPDCocoMetric(dataset.ann_file), samples, dataset)
    assert scores['coco/AR'] == pytest.approx(1 / 4)


def test_predictions_for_other_images(tmp_path):
    dataset = own(tmp_path)
    path = write_json(
        tmp_path / 'others.json', coco([image(9)], [person(1, 9, [1.0, 1, 30, 40])])
    )
    content = json.loads(Path(path).read_text())
    content['annotations'][0]['keypoints'] = [9, 9, 2] * 4
    write_json(Path(path), content)
    with pytest.raises(ValueError, match='prediction for image 5, which .*others.json'):
        evaluate(FPDCocoMetric(path), perfect(dataset), dataset)

"""Two drawn people with the joints of any config."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmpose.registry import DATASETS

from fpd_mmpose.teachers.joint_names import JointSet
from fpd_mmpose.teachers.joints import joints_of
from matrix.kinds import codec_of, joint_count

#: The boxes of the people, as x, y, width, and height.
BOXES = ((20.0, 12.0, 100.0, 190.0), (150.0, 30.0, 90.0, 170.0))
WIDTH, HEIGHT = 256, 220


def with_people(config: Config, folder: Path) -> Config:
    """Copies a config, and replaces its data by an image with two people.

    They have the joints that the head of the config returns.
    """
    skeleton = _joint_set(config)
    _draw(folder, len(skeleton.names))
    steps = list(_steps(config.get('train_pipeline')))
    (crop, target) = (
        next((dict(step) for step in steps if step.get('type') == wanted), None)
        for wanted in ('TopdownAffine', 'GenerateTarget')
    )
    codec = codec_of(config)
    last = codec[-1] if isinstance(codec, list) else codec
    crop = crop or dict(type='TopdownAffine', input_size=last.get('input_size'))
    target = target or dict(type='GenerateTarget', encoder=codec)
    dataset = dict(
        type='CocoDataset',
        metainfo=_metainfo(skeleton),
        data_root=str(folder),
        ann_file='people.json',
        data_prefix=dict(img=''),
    )
    first = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale')]
    found = copy.deepcopy(config)
    pack = [dict(type='FPDPackPoseInputs')]
    # A stored teacher needs the warp of this crop; export reads that of the config.
    own = dict(type='FPDTopdownAffine', input_size=crop['input_size'])
    for split, pipeline in (
        ('train', [*first, own, target, *pack]),
        ('val', [*first, crop, *pack]),
        ('test', [*first, crop, *pack]),
    ):
        found[f'{split}_dataloader'] = dict(
            batch_size=2,
            num_workers=0,
            dataset=dict(dataset, pipeline=pipeline, test_mode=split != 'train'),
        )
    return found


def batch(config: Config) -> dict[str, Any]:
    """Returns the people as a batch for a data preprocessor."""
    dataset = DATASETS.build(config.train_dataloader.dataset)
    return pseudo_collate([dataset[index] for index in range(len(BOXES))])


def image_of(folder: Path) -> np.ndarray:
    """Reads the image of the people."""
    return cv2.imread(str(folder / 'people.png'))


def _joint_set(config: Config) -> JointSet:
    found, count = joints_of(config), joint_count(config)
    if found is not None and len(found.names) == count:
        return found
    return JointSet([f'joint {index}' for index in range(count)], list(range(count)))


def _metainfo(skeleton: JointSet) -> dict[str, Any]:
    flips = skeleton.flips or range(len(skeleton.names))
    return dict(
        dataset_name=skeleton.dataset or 'drawn',
        keypoint_info={
            index: dict(
                name=name,
                id=index,
                color=[255, 255, 255],
                type='upper',
                swap='' if flips[index] == index else skeleton.names[flips[index]],
            )
            for index, name in enumerate(skeleton.names)
        },
        skeleton_info={},
        joint_weights=[1.0] * len(skeleton.names),
        sigmas=[0.05] * len(skeleton.names),
    )


def _draw(folder: Path, joints: int) -> None:
    """Writes an image of noise, and people whose joints are anywhere in their boxes."""
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(folder / 'people.png'), cv2.GaussianBlur(pixels, (7, 7), 2))
    people = []
    for number, (x, y, width, height) in enumerate(BOXES, 1):
        points = random.uniform((x, y), (x + width, y + height), (joints, 2))
        keypoints = np.column_stack([points.round(1), np.full(joints, 2)])
        people.append(
            dict(
                id=number,
                image_id=1,
                category_id=1,
                iscrowd=0,
                bbox=[x, y, width, height],
                area=width * height / 2,
                num_keypoints=joints,
                keypoints=keypoints.ravel().tolist(),
                segmentation=[],
            )
        )
    image = dict(id=1, file_name='people.png', width=WIDTH, height=HEIGHT)
    content = dict(
        images=[image],
        annotations=people,
        categories=[dict(id=1, name='person', supercategory='person')],
    )
    (folder / 'people.json').write_text(json.dumps(content), encoding='utf-8')


def _steps(pipeline: Any) -> Iterator[dict]:
    """Yields the steps of a pipeline, with those inside of other steps."""
    if isinstance(pipeline, dict):
        yield pipeline
        for value in pipeline.values():
            yield from _steps(value)
    elif isinstance(pipeline, list | tuple):
        for value in pipeline:
            yield from _steps(value)

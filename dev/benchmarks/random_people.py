"""Random people with real transforms, for the distillation benchmark."""

from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate

import fpd_mmpose  # noqa: F401

#: Width and height of an image.
IMAGE_SIZE = (320, 320)
#: Box of the person, (1, 4) as xyxy in pixels.
BOX = np.float32([[48, 32, 272, 288]])


def image_path(number: int) -> str:
    """Returns the image name of a person; there is no such file."""
    return f'{number}.jpg'


def random_batch(config: Config, size: int, seed: int = 0) -> dict[str, Any]:
    """Returns a batch, augmented and packed as by a dataloader."""
    joints = config.model.head.out_channels
    steps = Compose(
        [
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomFlip', prob=0.5, direction='horizontal'),
            dict(type='RandomScaleRotation', scale_factor=0.25, rotation_factor=30),
            dict(type='FPDTopdownAffine', input_size=tuple(config.codec['input_size'])),
            dict(type='GenerateTarget', encoder=dict(config.codec)),
            dict(type='FPDPackPoseInputs'),
        ]
    )
    rng = np.random.default_rng(seed)
    before = np.random.get_state()
    np.random.seed(seed)  # MMPose's transforms use it
    try:
        people = [steps(_person(rng, number, joints)) for number in range(size)]
    finally:
        np.random.set_state(before)
    return pseudo_collate(people)


def _person(rng: np.random.Generator, number: int, joints: int) -> dict[str, Any]:
    width, height = IMAGE_SIZE
    keypoints = rng.uniform(BOX[0, :2], BOX[0, 2:], (1, joints, 2)).astype(np.float32)
    return dict(
        img=rng.integers(0, 256, (height, width, 3), np.uint8),
        img_path=image_path(number),
        img_shape=(height, width),
        ori_shape=(height, width),
        id=number,
        bbox=BOX.copy(),
        bbox_score=np.ones(1, np.float32),
        keypoints=keypoints,
        keypoints_visible=np.ones((1, joints), np.float32),
        flip_indices=list(range(joints)),
        dataset_keypoint_weights=np.ones(joints, np.float32),
    )

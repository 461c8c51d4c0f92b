"""People are shown as the network sees them, with labels where the crop has them."""

import numpy as np
import pytest
from mmpose.registry import DATASETS

from fpd_mmpose.errors import UserError
from fpd_mmpose.panels.shown_people import show_people
from tests.helpers.reduced import reduced_config


def dataset_of(mpii_root, tmp_path, name='hourglass/hg4_128_mpii.py', split='train'):
    config = reduced_config(name, mpii_root, tmp_path)
    return DATASETS.build(config[f'{split}_dataloader'].dataset)


def test_without_augmentation_training_people_are_cropped_as_in_validation(
    mpii_root, tmp_path
):
    training = dataset_of(mpii_root, tmp_path)
    people = show_people(training, 3, augmented=False)
    again = show_people(training, 3, augmented=False)
    steps = dataset_of(mpii_root, tmp_path, split='val').pipeline
    for person, other, index in zip(people, again, (0, 6, 11), strict=True):
        expected = steps(training.get_data_info(index))
        image = expected['inputs'].numpy().transpose(1, 2, 0)[..., ::-1]
        assert np.array_equal(person.image, image)
        assert np.array_equal(person.image, other.image)
        assert person.visible.any() and person.keypoints.shape == (16, 2)


def test_augmentation_moves_the_labels_with_the_image(mpii_root, tmp_path):
    training = dataset_of(mpii_root, tmp_path)
    for step in training.pipeline.transforms:
        if type(step).__name__ == 'RandomFlip':
            step.prob = 1.0
        if type(step).__name__ == 'RandomScaleRotation':
            step.scale_factor = step.rotation_factor = 0
    flips = training.metainfo['flip_indices']
    plain = show_people(training, 2, augmented=False)
    flipped = show_people(training, 2, augmented=True)
    for one, other in zip(plain, flipped, strict=True):
        mirrored = 64 - one.keypoints[flips, 0]
        assert np.abs(mirrored - other.keypoints[:, 0])[other.visible].max() < 2


def test_datasets_take_turns_and_unlabeled_people_have_no_labels(mpii_root, tmp_path):
    name = 'fpd/hg4_128_fpd_unlabeled_mpii.py'
    people = show_people(dataset_of(mpii_root, tmp_path, name), 4, augmented=True)
    assert [person.visible.any() for person in people] == [True, False] * 2


def test_a_pipeline_that_packs_nothing_is_named(mpii_root, tmp_path):
    dataset = dataset_of(mpii_root, tmp_path)
    dataset.pipeline.transforms.pop()
    with pytest.raises(UserError, match='FPDMpiiDataset has no PackPoseInputs'):
        show_people(dataset, 1, augmented=False)

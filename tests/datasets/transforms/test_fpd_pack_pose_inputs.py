"""A packed sample keeps its crop and its frame."""

import numpy as np
from mmpose.datasets.transforms import PackPoseInputs

from fpd_mmpose.datasets import FPDPackPoseInputs


def packed(transform, **more):
    results = dict(
        img=np.zeros((8, 8, 3), np.uint8), id=7, warp_mat=np.eye(3)[:2], **more
    )
    return transform(results)['data_samples']


def test_the_crop_and_the_frame_are_kept():
    sample = packed(FPDPackPoseInputs(), frame_index=3)
    assert np.array_equal(sample.warp_mat, np.eye(3)[:2])
    assert (sample.frame_index, sample.id) == (3, 7)


def test_missing_keys_are_skipped():
    assert 'frame_index' not in packed(FPDPackPoseInputs())


def test_everything_else_is_as_in_mmpose():
    ours, theirs = (
        set(packed(kind()).metainfo) for kind in (FPDPackPoseInputs, PackPoseInputs)
    )
    assert ours - theirs == {'warp_mat'} and theirs <= ours

"""Bodies and poses: the geometry of the keypoints and their sides."""

import numpy as np
import pytest
from mmpose.datasets.datasets.utils import parse_pose_metainfo

from fpd_mmpose.datasets import FPDMpiiDataset
from fpd_mmpose.synthetic.skeleton import (
    ARM_CHAINS,
    LEG_CHAINS,
    PELVIS,
    THORAX,
    rotation,
    sample_skeleton,
)

NAMES = parse_pose_metainfo(FPDMpiiDataset.METAINFO)['keypoint_id2name']
SKELETONS = [sample_skeleton(np.random.default_rng(i)) for i in range(300)]


@pytest.mark.parametrize('side, chains', [('right', 0), ('left', 1)])
def test_chains_run_from_the_body_outward(side, chains):
    legs = [NAMES[i] for i in LEG_CHAINS[chains]]
    arms = [NAMES[i] for i in ARM_CHAINS[chains]]
    assert legs == [f'{side}_{name}' for name in ('hip', 'knee', 'ankle')]
    assert arms == [f'{side}_{name}' for name in ('shoulder', 'elbow', 'wrist')]


def test_bones_keep_their_lengths():
    for skeleton in SKELETONS[:50]:
        body, points = skeleton.body, skeleton.points
        for chain, lengths in [
            *((chain, (body.thigh, body.shin)) for chain in LEG_CHAINS),
            *((chain, (body.upper_arm, body.forearm)) for chain in ARM_CHAINS),
        ]:
            bones = np.linalg.norm(np.diff(points[list(chain)], axis=0), axis=1)
            np.testing.assert_allclose(bones, lengths)


@pytest.mark.parametrize('pair', [('shoulder', ARM_CHAINS), ('hip', LEG_CHAINS)])
def test_left_is_left_of_the_spine_only_in_views_from_behind(pair):
    _, chains = pair
    for skeleton in SKELETONS:
        joints = skeleton.joints
        up = joints[THORAX] - joints[PELVIS]
        leftward = joints[chains[1][0]] - joints[chains[0][0]]
        # In pixels (y down), positive where the person's left is on the right.
        turn = leftward[1] * up[0] - leftward[0] * up[1]
        axes = skeleton.chest_axes if chains is ARM_CHAINS else skeleton.hip_axes
        if abs(axes[2, 2]) > 0.5 and np.linalg.norm(up) > 0.15:
            assert (turn > 0) == (axes[2, 2] > 0)


def test_views_and_raised_limbs_are_mixed():
    behind = np.mean([s.chest_axes[2, 2] < 0 for s in SKELETONS])
    assert 0.03 < behind < 0.2
    assert len({s.pose for s in SKELETONS}) >= 8
    # Neither side does more than the other.
    raised = np.array(
        [[s.points[c[2], 1] > s.points[c[0], 1] for c in ARM_CHAINS] for s in SKELETONS]
    )
    assert (raised.mean(0) > 0.15).all()
    assert abs(np.diff(raised.mean(0))[0]) < 0.1


def test_a_placed_skeleton_fills_its_box():
    for skeleton in SKELETONS[:20]:
        low, high = skeleton.placed(120, np.array([90.0, 70.0])).extent()
        np.testing.assert_allclose((low + high) / 2, (90, 70))
        assert (high - low).max() == pytest.approx(120)


def test_rotation_is_right_handed():
    np.testing.assert_allclose(
        rotation('z', np.pi / 2) @ (1, 0, 0), (0, 1, 0), atol=1e-9
    )
    np.testing.assert_allclose(
        rotation('x', np.pi / 2) @ (0, 1, 0), (0, 0, 1), atol=1e-9
    )
    np.testing.assert_allclose(
        rotation('y', np.pi / 2) @ (0, 0, 1), (1, 0, 0), atol=1e-9
    )

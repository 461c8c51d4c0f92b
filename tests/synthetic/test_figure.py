"""Drawn figures: keypoints lie on the body, and faces show in front only."""

import dataclasses

import numpy as np

from fpd_mmpose.synthetic.brush import SUPERSAMPLING, Brush
from fpd_mmpose.synthetic.figure import Figure
from fpd_mmpose.synthetic.outfit import Outfit
from fpd_mmpose.synthetic.skeleton import HEAD_TOP, Skeleton, rotation, sample_skeleton

SIZE = 200
EMPTY = (255, 0, 255)
LIGHT = np.array([0.6, -0.8])


def blank() -> np.ndarray:
    side = SIZE * SUPERSAMPLING
    return np.full((side, side, 3), EMPTY, np.uint8)


def placed(seed: int) -> tuple[Skeleton, Outfit]:
    rng = np.random.default_rng(seed)
    skeleton = sample_skeleton(rng).placed(160, np.array([100.0, 100.0]))
    return skeleton, Outfit.sample(rng)


def painted(canvas: np.ndarray, points: np.ndarray) -> np.ndarray:
    x, y = np.rint(points * SUPERSAMPLING + 0.5).astype(int).T
    return (canvas[y, x] != EMPTY).any(-1)


def test_every_keypoint_lies_on_the_drawn_body():
    for seed in range(40):
        skeleton, outfit = placed(seed)
        canvas = blank()
        Figure(Brush(canvas, LIGHT), skeleton, outfit).draw()
        on_body = painted(canvas, skeleton.joints)
        on_body[HEAD_TOP] = True  # on the outline
        assert on_body.all(), seed


def test_the_figure_stays_within_its_extent():
    overhang = 0.08 * 160  # loose clothes and hair
    for seed in range(40):
        skeleton, outfit = placed(seed)
        canvas = blank()
        Figure(Brush(canvas, LIGHT), skeleton, outfit).draw()
        rows, columns = np.nonzero((canvas != EMPTY).any(-1))
        low, high = skeleton.extent()
        drawn = np.stack([columns, rows]) / SUPERSAMPLING
        assert (drawn.min(1) > low - overhang).all(), seed
        assert (drawn.max(1) < high + overhang).all(), seed


def test_the_face_shows_in_front_only():
    shown = {'front': 0, 'back': 0}
    for seed in range(40):
        skeleton, outfit = placed(seed)
        outfit = dataclasses.replace(outfit, hair=np.array((40.0, 60.0, 80.0)))
        for view, yaw in (('front', 0.0), ('back', np.pi)):
            canvas = blank()
            turned = dataclasses.replace(skeleton, head_axes=rotation('y', yaw))
            Figure(Brush(canvas, LIGHT), turned, outfit).head.draw()
            shown[view] += bool((canvas == (238, 240, 242)).all(-1).any())
    assert shown == {'front': 40, 'back': 0}


def test_clothes_are_alike_on_the_left_and_the_right():
    fields = {field.name for field in dataclasses.fields(Outfit)}
    assert not any('left' in name or 'right' in name for name in fields)


def test_a_brush_point_is_the_center_of_a_pixel():
    canvas = np.zeros((40, 40, 3), np.uint8)
    Brush(canvas, LIGHT).disc(np.array([7.0, 12.0]), 3.0, (255, 255, 255))
    rows, columns = np.nonzero(canvas[..., 0])
    center = (np.array([columns.mean(), rows.mean()]) - 0.5) / SUPERSAMPLING
    np.testing.assert_allclose(center, (7, 12), atol=0.15)

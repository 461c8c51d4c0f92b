"""A panel has a tile for each reading, colored where its heatmaps are high."""

import numpy as np

from fpd_mmpose.panels.drawing import HEIGHT, draw_panel
from fpd_mmpose.panels.readings import Reading
from fpd_mmpose.panels.shown_people import ShownPerson
from fpd_mmpose.teachers.output_format import Axis

AXES = (Axis(48, 12, 4), Axis(64, 16, 4))
META = dict(skeleton_links=[(0, 1)], keypoint_id2name={0: 'head', 1: 'foot'})
TOP, GAP, WIDTH = 16, 6, 192  # the title, between tiles, and of a tile


def person(visible: list[bool]) -> ShownPerson:
    gray = np.full((64, 48, 3), 100, np.uint8)
    points = np.array([[12.0, 16.0], [36.0, 48.0]])
    return ShownPerson('a.jpg', gray, points, np.array(visible), {})


def reading(peaks: tuple[float, float], known: tuple[bool, bool]) -> Reading:
    maps = np.zeros((1, 2, 16, 12), np.float32)
    maps[0, 0, 4, 3], maps[0, 1, 12, 9] = peaks
    points = person([True, True]).keypoints[None]
    return Reading('teacher', maps, AXES, points, np.array([known]))


def tile(panel: np.ndarray, column: int) -> np.ndarray:
    left = GAP + column * (WIDTH + GAP)
    return panel[GAP + TOP : GAP + TOP + HEIGHT, left : left + WIDTH]


def dots(picture: np.ndarray) -> list[tuple[bool, bool]]:
    """Whether the head's and the foot's dots are there: red and cyan, at zoom 4."""
    head, foot = picture[64, 48].astype(int), picture[192, 144].astype(int)
    return [tuple(head) == (255, 0, 0), tuple(foot) == (0, 255, 255)]


def test_labels_and_sure_keypoints_are_dots_in_the_color_of_their_joint():
    drawn = draw_panel(
        [person([True, True])], [reading((1.0, 0.05), (True, True))], META
    )
    assert dots(tile(drawn, 0)) == [True, True]
    assert dots(tile(drawn, 1)) == [True, False]


def test_a_map_colors_what_is_around_its_peak_as_strongly_as_it_is_high():
    high, low = (
        tile(draw_panel([person([0, 0])], [reading((peak, 0), (True, True))], META), 1)
        for peak in (1.0, 0.3)
    )
    beside = (64, 48 + 8)  # half a pixel of the heatmap from the peak
    red, paler = (int(one[beside][0]) - int(one[beside][1]) for one in (high, low))
    assert red > 2 * paler > 20
    assert len({tuple(color) for color in high[150:, :40].reshape(-1, 3)}) == 1


def test_joints_that_are_not_known_are_left_out():
    drawn = draw_panel([person([0, 0])], [reading((1.0, 1.0), (False, True))], META)
    assert dots(tile(drawn, 1)) == [False, True]
    nothing = draw_panel([person([0, 0])], [reading((1.0, 1.0), (False,) * 2)], META)
    assert np.ptp(tile(nothing, 1)) == 0


def test_people_are_below_each_other_or_in_columns():
    one, two = (
        draw_panel(
            [person([True, True])] * 2,
            [
                Reading(
                    'teacher',
                    *(np.repeat(reading((1, 1), (True, True)).maps, 2, 0), AXES),
                    *(
                        np.repeat(part, 2, 0)
                        for part in reading((1, 1), (True, True))[3:]
                    ),
                )
            ],
            META,
            columns,
        )
        for columns in (1, 2)
    )
    assert one.shape[0] > 1.7 * two.shape[0]
    assert two.shape[1] > 1.9 * one.shape[1]

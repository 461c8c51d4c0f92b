"""Boxes of people in the demos."""

import numpy as np
import pytest

from fpd_mmpose.demos import BoxSource, SideBySide, person_boxes
from fpd_mmpose.detection import PersonDetector, Selection
from fpd_mmpose.errors import UserError
from tests.helpers.small_detector import CONFIG, save_weights


@pytest.fixture(scope='module')
def detector(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp('detector')
    config = folder / 'rtmdet_small.py'
    config.write_text(CONFIG)
    weights = save_weights(str(config), folder / 'rtmdet_small.pth')
    return dict(config=str(config), checkpoint=weights, device='cpu')


@pytest.fixture
def noise() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (100, 130, 3), np.uint8)


def test_the_default_is_the_whole_image(noise):
    boxes = person_boxes(None)(noise)
    np.testing.assert_array_equal(boxes, [[0, 0, 130, 100]])


def test_a_detector_finds_the_boxes(detector, noise, student):
    (raw,) = PersonDetector(*detector.values())([noise])
    people = Selection(score_thr=0)(raw, 130, 100)
    assert people
    drawn = SideBySide([student], person_boxes(**detector, score_thr=0))(noise)
    np.testing.assert_allclose(
        drawn.boxes, [(x, y, x + w, y + h) for x, y, w, h, _ in people], atol=1e-2
    )
    assert len(drawn.predictions[0].people) == len(people)
    assert drawn.image.shape == noise.shape


def test_nothing_is_drawn_where_nobody_is_detected(detector, noise, student):
    people = BoxSource(PersonDetector(*detector.values()), Selection(score_thr=0.99))
    drawn = SideBySide([student], people, draw_heatmap=True)(noise)
    assert drawn.boxes.shape == (0, 4)
    np.testing.assert_array_equal(drawn.image[:100], noise)


def test_errors_name_the_detector(detector):
    with pytest.raises(UserError, match='^detector: `checkpoint` needs the `config`'):
        person_boxes(None, 'a.pth')
    with pytest.raises(UserError, match='^detector: .*pass them with --det-checkpoint'):
        person_boxes(detector['config'])
    with pytest.raises(UserError, match='^detector: `score_thr` is 1.5'):
        person_boxes(detector['config'], detector['checkpoint'], score_thr=1.5)

"""Videos that are written hold what was given."""

import numpy as np
import pytest

from fpd_mmpose.demos.frame_writer import CODECS, FrameWriter, fit_frame
from tests.helpers.demo_video import frames_of


def grey(width: int, height: int, level: int = 200) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize('suffix', sorted(CODECS))
def test_every_kind_of_file_gives_the_frames_back(suffix, tmp_path):
    path = tmp_path / f'a{suffix}'
    writer = FrameWriter(path, fps=12.5)
    for level in (40, 120, 200):
        writer.write(grey(65, 49, level))
    writer.close()
    found = [frame[:49, :65].mean() for frame in frames_of(path)]
    np.testing.assert_allclose(found, [40, 120, 200], atol=4)


def test_a_frame_of_another_size_keeps_its_proportions(tmp_path):
    path = tmp_path / 'a.avi'
    writer = FrameWriter(path, fps=10)
    writer.write(grey(64, 48))
    writer.write(grey(20, 40))
    writer.close()
    first, second = frames_of(path)
    assert first.shape == second.shape
    # 40 rows become 48, and 20 columns 24 between black borders.
    assert second[:, 24:40].mean() > 190
    assert second[:, :16].mean() < 10 and second[:, 48:].mean() < 10


def test_fitting_changes_no_frame_that_fits():
    frame = grey(64, 48)
    assert fit_frame(frame, (64, 48)) is frame
    padded = fit_frame(grey(63, 47), (64, 48))
    assert padded.shape == (48, 64, 3)
    np.testing.assert_array_equal(padded[:47, :63], grey(63, 47))
    assert fit_frame(grey(1000, 3), (64, 48)).shape == (48, 64, 3)


def test_a_size_that_a_codec_cannot_hold(tmp_path):
    writer = FrameWriter(tmp_path / 'a.mp4', fps=10)
    with pytest.raises(ValueError, match='a.mp4" cannot be written: .* 20000x2 pixels'):
        writer.write(grey(20000, 2))

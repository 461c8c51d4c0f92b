"""Writing of videos."""

import numpy as np
import pytest

from fpd_mmpose.demos.frames import CODECS, FrameWriter
from fpd_mmpose.errors import UserError
from tests.helpers.demo_video import frames_of


def gray(width: int, height: int, level: int = 200) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize('suffix', sorted(CODECS))
def test_every_format_keeps_the_frames(suffix, tmp_path):
    path = tmp_path / f'a{suffix}'
    writer = FrameWriter(path, fps=12.5)
    for level in (40, 120, 200):
        writer.write(gray(65, 49, level))
    writer.close()
    found = [frame[:49, :65].mean() for frame in frames_of(path)]
    np.testing.assert_allclose(found, [40, 120, 200], atol=4)


def test_a_size_that_a_codec_does_not_support(tmp_path):
    writer = FrameWriter(tmp_path / 'a.mp4', fps=10)
    with pytest.raises(UserError, match='a.mp4" cannot be written: .* 20000x2 pixels'):
        writer.write(gray(20000, 2))

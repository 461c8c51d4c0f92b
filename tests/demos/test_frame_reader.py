"""Reading of frames, even where the header of a video is wrong."""

import pytest

from fpd_mmpose.demos import FrameReader
from fpd_mmpose.errors import UserError
from tests.helpers.demo_video import claim_frames, write_video


@pytest.fixture
def warnings_logged(monkeypatch) -> list[str]:
    logged = []
    monkeypatch.setattr(
        'fpd_mmpose.demos.frames.print_log',
        lambda text, **_: logged.append(text),
    )
    return logged


def test_frames_come_in_order(tmp_path, warnings_logged):
    reader = FrameReader(write_video(tmp_path / 'a.avi', frames=6))
    assert (reader.total, reader.fps, reader.is_webcam) == (6, 10, False)
    frames = list(reader)
    assert [frame.shape for frame in frames] == [(48, 64, 3)] * 6
    assert [round(frame.mean() / 10) for frame in frames] == [3, 5, 7, 9, 11, 13]
    assert not warnings_logged


def test_a_video_that_ends_early_causes_a_warning(tmp_path, warnings_logged):
    path = write_video(tmp_path / 'a.avi', frames=6)
    claim_frames(path, 500)
    reader = FrameReader(path)
    assert reader.total == 500
    assert len(list(reader)) == 6
    assert warnings_logged == [f'"{path}" ends after 6 frames; its header says 500']


def test_a_video_whose_frames_change_size_is_read_to_its_end(tmp_path):
    small = write_video(tmp_path / 'small.mpg', frames=10, fps=25)
    large = write_video(tmp_path / 'large.mpg', frames=10, size=(96, 80), fps=25)
    both = tmp_path / 'both.mpg'
    both.write_bytes(small.read_bytes() + large.read_bytes())
    frames = list(FrameReader(both))
    assert len(frames) > 15
    assert {frame.shape for frame in frames} == {(48, 64, 3)}


# --- Errors --------------------------------------------------------------------------


def error_of(source) -> str:
    with pytest.raises(UserError) as error:
        FrameReader(source)
    assert '\n' not in str(error.value)
    return str(error.value)


def test_other_files(tmp_path):
    assert 'none.mp4" does not exist' in error_of(tmp_path / 'none.mp4')
    (tmp_path / 'a.jpg').touch()
    assert 'is not a video' in error_of(tmp_path / 'a.jpg')
    (tmp_path / 'a.mp4').write_text('not a video')
    assert 'is the file damaged?' in error_of(tmp_path / 'a.mp4')


def test_a_video_without_frames(tmp_path):
    path = write_video(tmp_path / 'a.avi', frames=0)
    assert 'is the file damaged?' in error_of(path)


def test_a_truncated_video(tmp_path):
    path = write_video(tmp_path / 'a.mp4', frames=6)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 'cannot be opened: is the file damaged?' in error_of(path)


def test_a_missing_webcam(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert '"webcam 97" cannot be opened: is it connected' in error_of('97')

"""The frames of videos, whatever their headers say."""

import pytest

from fpd_mmpose.demos import FrameReader
from tests.helpers.demo_video import claim_frames, write_video
from tests.helpers.refusals import refused


@pytest.fixture
def warnings_logged(monkeypatch) -> list[str]:
    logged = []
    monkeypatch.setattr(
        'fpd_mmpose.demos.frame_reader.print_log',
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


def test_a_video_that_ends_early_is_warned_of(tmp_path, warnings_logged):
    path = write_video(tmp_path / 'a.avi', frames=6)
    claim_frames(path, 500)
    reader = FrameReader(path)
    assert reader.total == 500
    assert len(list(reader)) == 6
    assert warnings_logged == [f'"{path}" ends after 6 frames; its header says 500']


def test_a_video_whose_pictures_change_size_is_read_to_its_end(tmp_path):
    small = write_video(tmp_path / 'small.mpg', frames=10, fps=25)
    large = write_video(tmp_path / 'large.mpg', frames=10, size=(96, 80), fps=25)
    both = tmp_path / 'both.mpg'
    both.write_bytes(small.read_bytes() + large.read_bytes())
    frames = list(FrameReader(both))
    assert len(frames) > 15
    assert {frame.shape for frame in frames} == {(48, 64, 3)}


# --- What cannot work ----------------------------------------------------------------


def refusal(source) -> str:
    return refused(FrameReader, source)


def test_files_that_are_no_videos(tmp_path):
    assert 'none.mp4" does not exist' in refusal(tmp_path / 'none.mp4')
    (tmp_path / 'a.jpg').touch()
    assert 'no video by its name' in refusal(tmp_path / 'a.jpg')
    (tmp_path / 'a.mp4').write_text('no video')
    assert 'is the file damaged?' in refusal(tmp_path / 'a.mp4')


def test_a_video_without_frames(tmp_path):
    path = write_video(tmp_path / 'a.avi', frames=0)
    assert 'is the file damaged?' in refusal(path)


def test_a_video_that_was_cut_off(tmp_path):
    path = write_video(tmp_path / 'a.mp4', frames=6)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    assert 'cannot be opened: is the file damaged?' in refusal(path)


def test_a_webcam_that_is_not_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert '"webcam 97" cannot be opened: is it there' in refusal('97')

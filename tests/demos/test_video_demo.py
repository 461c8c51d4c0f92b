"""The video demo: complete files, or files marked as partial."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest

from fpd_mmpose.demos import FrameReader, SideBySide, run_video_demo
from fpd_mmpose.demos.painter import CAPTION
from fpd_mmpose.errors import UserError
from tests.helpers.demo_video import claim_frames, frames_of, write_video


@pytest.fixture
def video(tmp_path) -> Path:
    return write_video(tmp_path / 'video.avi', frames=6)


class Stopped(SideBySide):
    """Receives a signal at a frame, as from Ctrl-C."""

    def __init__(self, *args, at: int, number: int = signal.SIGINT) -> None:
        super().__init__(*args)
        self.at, self.number, self.seen = at, number, 0

    def __call__(self, image: np.ndarray):
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), self.number)
        return super().__call__(image)


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_student_and_teacher_are_side_by_side_in_every_frame(
    student, teacher, video, tmp_path, capsys
):
    out = tmp_path / 'out.mp4'
    done = run_video_demo(FrameReader(video), SideBySide([student, teacher]), out)
    assert [frame.shape for frame in frames_of(out)] == [(48 + CAPTION, 128, 3)] * 6
    assert (done.frames, done.is_complete, done.out) == (6, True, out)
    assert set(done.milliseconds) == {'student', 'teacher'}
    assert '6 frames, ' in str(done) and 'frames per second' in str(done)
    bar = capsys.readouterr().err.replace('\r', '\n').splitlines()[-1]
    assert 'video.avi: 100%' in bar and '6/6' in bar and 'frame/s' in bar
    assert names_in(tmp_path) == ['out.mp4', 'video.avi']


def test_frames_without_a_keypoint_to_draw_are_counted(student, video, tmp_path):
    for kpt_thr, expected in ((1e6, True), (-1e6, False)):
        demo = SideBySide([student], kpt_thr=kpt_thr)
        text = str(run_video_demo(FrameReader(video), demo, tmp_path / 'out.mp4'))
        assert ('no keypoint drawn in 6 frames' in text) is expected


def test_a_video_that_ends_early_is_drawn_to_its_end(student, video, tmp_path):
    claim_frames(video, 500)
    done = run_video_demo(
        FrameReader(video), SideBySide([student]), tmp_path / 'out.avi'
    )
    assert done.is_complete and len(frames_of(tmp_path / 'out.avi')) == 6


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_video_is_kept_as_partial(number, student, video, tmp_path):
    out = tmp_path / 'out.avi'
    out.write_bytes(b'good')
    demo = Stopped([student], at=3, number=number)
    handler = signal.getsignal(number)
    done = run_video_demo(FrameReader(video), demo, out)
    assert out.read_bytes() == b'good'
    assert (done.frames, done.is_complete) == (3, False)
    assert done.out == tmp_path / 'out.partial.avi'
    assert len(frames_of(done.out)) == 3
    assert names_in(tmp_path) == ['out.avi', 'out.partial.avi', 'video.avi']
    assert signal.getsignal(number) is handler


def test_a_complete_video_replaces_a_partial_one(student, video, tmp_path):
    (tmp_path / 'out.partial.avi').write_bytes(b'partial')
    run_video_demo(FrameReader(video), SideBySide([student]), tmp_path / 'out.avi')
    assert names_in(tmp_path) == ['out.avi', 'video.avi']


def test_an_interruption_at_the_last_frame_is_harmless(student, video, tmp_path):
    done = run_video_demo(
        FrameReader(video), Stopped([student], at=6), tmp_path / 'out.avi'
    )
    assert done.is_complete


# --- Errors --------------------------------------------------------------------------


def error_of(student, video: Path, out: Path) -> str:
    with pytest.raises(UserError) as error:
        run_video_demo(FrameReader(video), SideBySide([student]), out)
    assert '\n' not in str(error.value)
    return str(error.value)


def test_unusable_outputs(student, video, tmp_path):
    assert 'must end in .avi' in error_of(student, video, tmp_path / 'out.jpg')
    assert 'is the input video' in error_of(student, video, video)
    (tmp_path / 'file').touch()
    assert 'cannot be written' in error_of(student, video, tmp_path / 'file/out.mp4')


def test_a_full_disk_keeps_the_old_file(student, tmp_path, full_disk):
    video = write_video(tmp_path / 'video.avi', frames=20)
    out = tmp_path / 'out.avi'
    out.write_bytes(b'good')
    with full_disk(10_000):
        text = error_of(student, video, out)
    assert 'out.avi" cannot be written: only ' in text and 'of 20 frames' in text
    assert text.endswith('is the disk full?')
    assert out.read_bytes() == b'good'
    assert names_in(tmp_path) == ['out.avi', 'video.avi']

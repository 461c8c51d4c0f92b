"""The frames of a video or of a webcam, one after the other."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from fpd_mmpose.readers.media import VIDEO_SUFFIXES, is_video

#: Frames per second of a video that does not say, or says nonsense.
DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0


class FrameReader:
    """Reads frames in order, each decoded once.

    The first frame is read at once, so that what cannot be read is refused here.

    Args:
        source (str | Path): A video file, or the number of a webcam.

    Attributes:
        name (str): The file, or ``'webcam 0'``.
        is_webcam (bool): Whether it ends only when the user says so.
        fps (float): Frames per second by the header.
        total (int | None): Frames by the header, which may be wrong; None where it
            does not say.

    Raises:
        ValueError: If it cannot be opened or has no frame. One line.
    """

    def __init__(self, source: str | Path) -> None:
        source = str(source)
        self.is_webcam = source.isdigit() and not Path(source).exists()
        if self.is_webcam:
            self.name = f'webcam {source}'
            self._capture = cv2.VideoCapture(int(source))
        else:
            self.name = source
            _check_file(Path(source))
            self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise ValueError(self._problem('cannot be opened'))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else DEFAULT_FPS
        total = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = not self.is_webcam and math.isfinite(total) and total > 0
        self.total = int(total) if known else None
        self._first = self._read()
        if self._first is None:
            raise ValueError(self._problem('has no frame that can be read'))

    def __iter__(self) -> Iterator[np.ndarray]:
        """Gives BGR images, uint8 (H, W, 3).

        A webcam may change their size; OpenCV brings those of a file to the first's.
        A video with fewer frames than its header says is warned of.
        """
        count, frame, self._first = 0, self._first, None
        while frame is not None:
            yield frame
            count += 1
            frame = self._read()
        if self.is_webcam or (self.total is not None and count < self.total):
            what = 'gives no more frames' if self.is_webcam else 'ends'
            said = '' if self.is_webcam else f'; its header says {self.total}'
            print_log(
                f'"{self.name}" {what} after {count} frames{said}',
                logger='current',
                level=logging.WARNING,
            )

    def close(self) -> None:
        """Closes the file, or frees the webcam."""
        self._capture.release()

    def _read(self) -> np.ndarray | None:
        done, frame = self._capture.read()
        return frame if done and frame is not None and frame.size else None

    def _problem(self, what: str) -> str:
        advice = (
            'is it there, and may you use it'
            if self.is_webcam
            else ('is the file damaged')
        )
        return f'"{self.name}" {what}: {advice}?'


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise ValueError(
            f'"{path}" does not exist: give a video, or the number of a webcam'
        )
    # OpenCV takes the name of an image for a sequence of images.
    if not is_video(path):
        raise ValueError(
            f'"{path}" is no video by its name: expected one that ends in '
            f'{", ".join(sorted(VIDEO_SUFFIXES))}'
        )

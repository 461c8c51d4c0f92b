"""Reads the frames of videos and webcams, and writes those of videos."""

import logging
import math
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from fpd_mmpose.errors import UserError
from fpd_mmpose.media_formats import VIDEO_SUFFIXES, is_video

#: Frames per second where the header has no plausible number.
DEFAULT_FPS = 25.0
_MAX_FPS = 1000.0
#: The codec for each file format, of those that OpenCV's own FFmpeg writes.
CODECS = {'.avi': 'MJPG', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}


class FrameReader:
    """Reads frames in order from a video file or a webcam, given by its number.

    ``fps`` and ``total``, the number of frames, are those of the header, which can be
    wrong; ``total`` is None if there is none. The first frame is read immediately, so
    an unreadable video is an error here.
    """

    def __init__(self, source: str | Path) -> None:
        source = str(source)
        self.is_webcam = source.isdigit() and not Path(source).exists()
        if self.is_webcam:
            self.name = f'webcam {source}'
            self._capture = cv2.VideoCapture(int(source))
        else:
            self.name = source
            if not Path(source).is_file():
                raise UserError(
                    f'"{source}" does not exist: give a video, or the number of a '
                    'webcam'
                )
            # OpenCV opens an image as the first of a sequence.
            if not is_video(source):
                raise UserError(
                    f'"{source}" is not a video: expected a name that ends in '
                    f'{", ".join(sorted(VIDEO_SUFFIXES))}'
                )
            self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise UserError(self._problem('cannot be opened'))
        fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.fps = fps if 0 < fps <= _MAX_FPS else DEFAULT_FPS
        total = self._capture.get(cv2.CAP_PROP_FRAME_COUNT)
        known = not self.is_webcam and math.isfinite(total) and total > 0
        self.total = int(total) if known else None
        self._first = self._read()
        if self._first is None:
            raise UserError(self._problem('has no frame that can be read'))

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yields uint8 BGR images, (H, W, 3), and warns if there are too few."""
        count, frame, self._first = 0, self._first, None
        while frame is not None:
            yield frame
            count += 1
            frame = self._read()
        problem = ''
        if self.is_webcam:
            problem = f'stopped after {count} frames'
        elif self.total is not None and count < self.total:
            problem = f'ends after {count} frames; its header says {self.total}'
        if problem:
            print_log(
                f'"{self.name}" {problem}', logger='current', level=logging.WARNING
            )

    def _read(self) -> np.ndarray | None:
        done, frame = self._capture.read()
        return frame if done and frame is not None and frame.size else None

    def _problem(self, problem: str) -> str:
        advice = 'is the file damaged?'
        if self.is_webcam:
            advice = 'is it connected, and are you allowed to use it?'
        return f'"{self.name}" {problem}: {advice}'


class FrameWriter:
    """Writes a video of frames of one size; the suffix gives the format.

    Messages name the file ``name``, or ``path``; ``count`` is the number of frames.
    """

    def __init__(self, path: Path, fps: float, name: str | Path | None = None) -> None:
        self.path = path
        self.name = name or path
        self.fps = fps
        self.count = 0
        self._writer: cv2.VideoWriter | None = None

    def write(self, frame: np.ndarray) -> None:
        """Adds a frame, uint8 BGR (H, W, 3)."""
        # Codecs halve the resolution of colors, and so need even sizes.
        bottom, right = (length % 2 for length in frame.shape[:2])
        frame = cv2.copyMakeBorder(frame, 0, bottom, 0, right, cv2.BORDER_CONSTANT)
        if self._writer is None:
            self._writer = self._open(frame)
        self._writer.write(frame)
        self.count += 1

    def close(self) -> None:
        """Finishes the file, and checks that it holds all frames.

        OpenCV does not report a full disk.
        """
        self.abandon()
        capture = cv2.VideoCapture(str(self.path))
        found = 0
        while capture.grab():
            found += 1
        capture.release()
        if found != self.count:
            raise UserError(
                f'"{self.name}" cannot be written: only {found} of {self.count} frames '
                'were saved; is the disk full?'
            )

    def abandon(self) -> None:
        """Closes the file without a check."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _open(self, frame: np.ndarray) -> cv2.VideoWriter:
        height, width = frame.shape[:2]
        code = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self.path), code, self.fps, (width, height))
        if not writer.isOpened():
            writer.release()
            raise UserError(
                f'"{self.name}" cannot be written: OpenCV does not support this format '
                f'for {width}x{height} pixels and {self.fps:g} frames per second; '
                'try .avi'
            )
        return writer

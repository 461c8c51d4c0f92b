"""Writes a video frame by frame."""

import logging
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from fpd_mmpose.errors import UserError

#: The codec for each file format, of those that OpenCV's own FFmpeg writes.
CODECS = {'.avi': 'MJPG', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}
_BORDER = (0, 0, 0)


class FrameWriter:
    """Writes a video in the size of its first frame; the suffix gives the format.

    Frames of other sizes are resized to fit, with black borders and a warning. Messages
    name the file ``name``, or ``path``; ``count`` is the number of frames so far.
    """

    def __init__(self, path: Path, fps: float, name: str | Path | None = None) -> None:
        self.path = path
        self.name = name or path
        self.fps = fps
        self.count = 0
        self._writer: cv2.VideoWriter | None = None
        self._size = (0, 0)
        self._shape = (0, 0)
        self._warned = False

    def write(self, frame: np.ndarray) -> None:
        """Adds a frame, uint8 BGR (H, W, 3)."""
        if self._writer is None:
            self._writer = self._open(frame)
        elif frame.shape[:2] != self._shape and not self._warned:
            self._warned = True
            print_log(
                f'frame {self.count} has {frame.shape[1]}x{frame.shape[0]} pixels, and '
                f'the first has {self._shape[1]}x{self._shape[0]}: resizing it to fit',
                logger='current',
                level=logging.WARNING,
            )
        self._writer.write(fit_frame(frame, self._size))
        self.count += 1

    def close(self) -> None:
        """Finishes the file, and checks that it holds all frames.

        OpenCV does not report a full disk.
        """
        self.abandon()
        found = _count_frames(self.path)
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
        height, width = self._shape = frame.shape[:2]
        # Codecs halve the resolution of colors, and so need even sizes.
        self._size = (width + width % 2, height + height % 2)
        code = cv2.VideoWriter.fourcc(*CODECS[self.path.suffix.lower()])
        writer = cv2.VideoWriter(str(self.path), code, self.fps, self._size)
        if not writer.isOpened():
            writer.release()
            width, height = self._size
            raise UserError(
                f'"{self.name}" cannot be written: OpenCV does not support this format '
                f'for {width}x{height} pixels and {self.fps:g} frames per second; '
                'try .avi'
            )
        return writer


def fit_frame(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Fits a frame into a size (width, height) and keeps its aspect ratio.

    Black borders are to the right and below, or on all sides if it was resized.
    """
    width, height = size
    rows, columns = frame.shape[:2]
    top = left = 0
    if not (width - 1 <= columns <= width and height - 1 <= rows <= height):
        scale = min(width / columns, height / rows)
        columns = max(1, round(columns * scale))
        rows = max(1, round(rows * scale))
        frame = cv2.resize(frame, (columns, rows), interpolation=cv2.INTER_AREA)
        top, left = (height - rows) // 2, (width - columns) // 2
    if (columns, rows) == size:
        return frame
    borders = (top, height - rows - top, left, width - columns - left)
    return cv2.copyMakeBorder(frame, *borders, cv2.BORDER_CONSTANT, value=_BORDER)


def _count_frames(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count

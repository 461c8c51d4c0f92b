"""Writes a video frame by frame."""

from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.errors import UserError

#: The codec for each file format, of those that OpenCV's own FFmpeg writes.
CODECS = {'.avi': 'MJPG', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}


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


def _count_frames(path: Path) -> int:
    capture = cv2.VideoCapture(str(path))
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count

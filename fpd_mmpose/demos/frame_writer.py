"""A video that is written frame by frame."""

import logging
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

#: Codes of the codecs that OpenCV's own FFmpeg writes into each kind of file.
CODECS = {'.avi': 'MJPG', '.mkv': 'mp4v', '.mov': 'mp4v', '.mp4': 'mp4v'}
_BORDER = (0, 0, 0)


class FrameWriter:
    """Writes a video whose size is that of the first frame.

    Frames of another size, of which one is warned, are shrunk or enlarged to fit into
    it, with black borders.

    Args:
        path (Path): The file; its suffix gives the format.
        fps (float): Frames per second.
        name (str | Path, optional): What messages call the file. Defaults to ``None``:
            its path.

    Attributes:
        count (int): Frames written so far.
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
        """Adds a frame.

        Args:
            frame (np.ndarray): BGR, uint8 (H, W, 3).

        Raises:
            ValueError: If OpenCV cannot open the file. One line.
        """
        if self._writer is None:
            self._open(frame)
        elif frame.shape[:2] != self._shape and not self._warned:
            self._warned = True
            print_log(
                f'frame {self.count} has {frame.shape[1]}x{frame.shape[0]} pixels and '
                f'the first {self._shape[1]}x{self._shape[0]}: it is fitted into that',
                logger='current',
                level=logging.WARNING,
            )
        self._writer.write(fit_frame(frame, self._size))
        self.count += 1

    def close(self) -> None:
        """Ends the file and looks whether all frames are in it.

        OpenCV does not say when the disk is full.

        Raises:
            ValueError: If frames are missing. One line.
        """
        self.abandon()
        found = _count_frames(self.path)
        if found != self.count:
            raise ValueError(
                f'"{self.name}" cannot be written: of {self.count} frames {found} '
                'arrived, is the disk full?'
            )

    def abandon(self) -> None:
        """Ends the file as it is."""
        if self._writer is not None:
            self._writer.release()
            self._writer = None

    def _open(self, frame: np.ndarray) -> None:
        height, width = self._shape = frame.shape[:2]
        # Codecs halve the colours' resolution.
        self._size = (width + width % 2, height + height % 2)
        code = cv2.VideoWriter_fourcc(*CODECS[self.path.suffix.lower()])
        self._writer = cv2.VideoWriter(str(self.path), code, self.fps, self._size)
        if not self._writer.isOpened():
            self.abandon()
            width, height = self._size
            raise ValueError(
                f'"{self.name}" cannot be written: OpenCV makes no such video of '
                f'{width}x{height} pixels and {self.fps:g} frames per second; try .avi'
            )


def fit_frame(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Brings a frame to a size and keeps its proportions.

    Args:
        frame (np.ndarray): BGR, uint8 (h, w, 3).
        size (tuple[int, int]): Width and height that are wanted.

    Returns:
        np.ndarray: BGR, uint8 (H, W, 3), with black borders to the right and below, or
        all round where it had to be resized.
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

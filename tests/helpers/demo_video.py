"""Videos for tests."""

import struct
from pathlib import Path

import cv2
import numpy as np


def write_video(
    path: Path, frames: int = 6, size: tuple[int, int] = (64, 48), fps: float = 10
) -> Path:
    """Writes gray frames of (width, height), each brighter than the one before."""
    code = {'.avi': 'MJPG', '.mpg': 'MPG1', '.mp4': 'mp4v'}[path.suffix]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*code), fps, size)
    assert writer.isOpened()
    for number in range(frames):
        writer.write(
            np.full((size[1], size[0], 3), min(255, 30 + 20 * number), np.uint8)
        )
    writer.release()
    return path


def claim_frames(path: Path, frames: int) -> None:
    """Changes the number of frames in the header of an .avi file."""
    content = bytearray(path.read_bytes())
    # The length of the stream is 32 bytes after the start of its header.
    start = content.find(b'strh') + 8 + 32
    content[start : start + 4] = struct.pack('<I', frames)
    path.write_bytes(content)


def frames_of(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read()[1]) is not None:
        frames.append(frame)
    return frames

"""The images and the frames of videos to look for people in, one after the other."""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import mmcv
import numpy as np
from mmengine.logging import print_log

from ..datasets.media import is_video, open_media, open_video


@dataclass(frozen=True)
class Frame:
    """An image, or a frame of a video.

    Attributes:
        name (str): The file, relative to the folder of the source, or as it is listed.
        index (int, optional): Of the frame in the video, from 0; ``None`` of images.
        read (Callable): Gives the BGR image, turned as its EXIF data say, or ``None``
            if it cannot be read. Call it before taking the next frame.
    """

    name: str
    index: int | None
    read: Callable[[], np.ndarray | None]

    @property
    def key(self) -> tuple[str, int | None]:
        """What tells the frame from the others of its source."""
        return self.name, self.index

    def __str__(self) -> str:
        return self.name if self.index is None else f'{self.name} frame {self.index}'


class Source:
    """Images and videos; these are decoded in order and never written to the disk.

    Iterating gives a :class:`Frame` for each. A video that cannot be opened counts
    as an image that cannot be read.

    Args:
        path (str | Path): A folder, which is searched with its subfolders, a text
            file that lists files, an image or a video.
        stride (int): Takes frames 0, stride, 2 * stride, ... of videos. Defaults to 1.

    Raises:
        ValueError: If nothing is there, or ``stride`` does not fit. One line.
    """

    def __init__(self, path: str | Path, stride: int = 1) -> None:
        if stride < 1:
            raise ValueError(f'`stride` is {stride}: it must be 1 or more')
        media = open_media(path)
        self._folder = Path(media.folder)
        self._names = media.names()
        self._stride = stride
        if stride != 1 and not any(map(is_video, self._names)):
            raise ValueError(
                f'`stride` is {stride}, and "{path}" has no video: leave it out'
            )

    def __len__(self) -> int:
        """How many there are, by the headers of the videos, which may be wrong."""
        return sum(self._count(name) if is_video(name) else 1 for name in self._names)

    def __iter__(self) -> Iterator[Frame]:
        for name in self._names:
            if is_video(name):
                yield from self._video_frames(name)
            else:
                yield Frame(name, None, partial(_read_image, self._folder / name))

    def _count(self, name: str) -> int:
        try:
            return math.ceil(len(open_video(self._folder / name)) / self._stride)
        except ValueError:
            return 1

    def _video_frames(self, name: str) -> Iterator[Frame]:
        index = expected = 0
        try:
            video = open_video(self._folder / name)
        except ValueError:
            pass
        else:
            expected = len(video)
            # Frames between are not converted, which reading them would.
            while video.vcap.grab():
                if index % self._stride == 0:
                    yield Frame(name, index, partial(_retrieve, video.vcap))
                index += 1
        if index == 0:
            yield Frame(name, None, lambda: None)
        elif index < expected:
            print_log(
                f'"{name}" ends after {index} frames; its header says {expected}',
                logger='current',
                level=logging.WARNING,
            )


def _read_image(path: Path) -> np.ndarray | None:
    try:
        return mmcv.imread(path)
    except (OSError, cv2.error):
        return None


def _retrieve(capture: cv2.VideoCapture) -> np.ndarray | None:
    return capture.retrieve()[1]

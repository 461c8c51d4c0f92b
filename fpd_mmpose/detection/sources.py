"""Reads images and video frames one after another."""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
import numpy as np
from mmengine.logging import print_log

from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import is_video, open_media, open_video


@dataclass(frozen=True)
class Frame:
    """An image, or a frame of a video."""

    name: str  # the file, relative to the folder of the source, or as it is listed
    index: int | None  # of the frame in its video, from 0; None for images
    #: Returns the BGR image in its EXIF orientation; a UserError says why it cannot be
    #: read. Must be called before the next frame is taken.
    read: Callable[[], np.ndarray]

    @property
    def key(self) -> tuple[str, int | None]:
        """Identifies the frame in its source."""
        return self.name, self.index

    def __str__(self) -> str:
        return self.name if self.index is None else f'{self.name} frame {self.index}'


class Source:
    """Iterates over a folder, a list (.txt), an image, or a video, frame by frame.

    Videos are decoded in order, without temporary files; frames 0, stride,
    2 * stride, ... are used. A video that cannot be opened counts as one image that
    cannot be read.
    """

    def __init__(self, path: str | Path, stride: int = 1) -> None:
        if stride < 1:
            raise UserError(f'`stride` is {stride}: it must be 1 or more')
        media = open_media(path)
        self._folder = Path(media.folder)
        self._names = media.names()
        self._stride = stride
        if stride != 1 and not any(map(is_video, self._names)):
            raise UserError(
                f'`stride` is {stride}, but "{path}" has no video: leave it at 1'
            )

    def __len__(self) -> int:
        """The number of frames, from the headers of the videos, which may be wrong."""
        return sum(self._count(name) if is_video(name) else 1 for name in self._names)

    def __iter__(self) -> Iterator[Frame]:
        for name in self._names:
            if is_video(name):
                yield from self._video_frames(name)
            else:
                yield Frame(name, None, partial(read_image, self._folder / name))

    def _count(self, name: str) -> int:
        try:
            return math.ceil(len(open_video(self._folder / name)) / self._stride)
        except ValueError:
            return 1

    def _video_frames(self, name: str) -> Iterator[Frame]:
        index = 0
        try:
            video = open_video(self._folder / name)
        except UserError as error:
            yield Frame(name, None, partial(_fail, error))
            return
        expected = len(video)
        # Grabbing does not convert skipped frames, as reading would.
        while video.vcap.grab():
            if index % self._stride == 0:
                yield Frame(name, index, partial(_retrieve, name, video.vcap))
            index += 1
        if index == 0:
            yield Frame(name, None, partial(_retrieve, name, video.vcap))
        elif index < expected:
            print_log(
                f'"{name}" ends after {index} frames, but its header says {expected}',
                logger='current',
                level=logging.WARNING,
            )


def _fail(error: UserError) -> np.ndarray:
    raise error


def _retrieve(name: str, capture: cv2.VideoCapture) -> np.ndarray:
    done, frame = capture.retrieve()
    if not done or frame is None:
        raise UserError(f'"{name}" cannot be decoded: is the file damaged?')
    return frame

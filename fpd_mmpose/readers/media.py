"""Finds images and videos, and reads frames of videos."""

import io
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from mmcv import VideoReader
from mmengine.logging import print_log
from PIL import Image
from PIL.TiffImagePlugin import IMAGELENGTH, IMAGEWIDTH, TiffImageFile

from fpd_mmpose.errors import UserError
from fpd_mmpose.media_formats import (
    CONVERT,
    count_suffixes,
    foreign_image,
    is_image,
    is_video,
    why_undecoded,
)
from fpd_mmpose.readers.text import read_lines

SOURCES = 'a folder of images, a text file that lists them, an image, or a video'
#: The EXIF tag whose values 5 to 8 exchange width and height.
ORIENTATION = 0x0112
#: How many videos a process keeps open.
MAX_OPEN_VIDEOS = 4

# Held while Pillow's limit is off.
_no_limit = threading.Lock()

# By process, because a forked process has no decoding threads: it must neither use nor
# close the decoders of its parent.
_readers: dict[int, OrderedDict[str, VideoReader]] = {}


@dataclass(frozen=True)
class Media:
    """All images and videos in a folder, or those listed by name."""

    folder: str
    listed: tuple[str, ...] | None = None

    def names(self) -> list[str]:
        """Lists the names relative to the folder, sorted unless they were listed.

        Subfolders are searched; hidden files and folders are skipped. Other files that
        are left out are logged, the first time.
        """
        return list(self._found if self.listed is None else self.listed)

    @cached_property
    def _found(self) -> list[str]:
        names: list[str] = []
        seen = set()
        for parent, folders, files in os.walk(self.folder, followlinks=True):
            # Links may form a cycle.
            real = os.path.realpath(parent)
            if real in seen:
                folders.clear()
                continue
            seen.add(real)
            folders[:] = sorted(name for name in folders if name[0] != '.')
            inside = os.path.relpath(parent, self.folder)
            names += [
                os.path.normpath(os.path.join(inside, name))
                for name in files
                if name[0] != '.'
            ]
        found = [name for name in names if is_image(name) or is_video(name)]
        others = [name for name in names if not (is_image(name) or is_video(name))]
        if not found:
            there = f'; it has {_describe(others)}' if others else ''
            raise UserError(
                f'"{self.folder}" has no image or video: expected files with names '
                f'that end in .jpg, .png, .mp4, or the like{there}'
            )
        log_left_out(self.folder, others)
        return sorted(found)

    def path_of(self, name: str) -> str | None:
        """Returns the path of a relative or absolute name; None if it is not listed."""
        path = os.path.normpath(os.path.join(self.folder, name))
        return path if self.listed is None or path in self._paths else None

    @cached_property
    def _paths(self) -> frozenset[str]:
        names = self.listed or ()
        return frozenset(
            os.path.normpath(os.path.join(self.folder, name)) for name in names
        )


class FoundFiles(NamedTuple):
    """Paths of existing and of missing files by name, and names that are not listed."""

    paths: dict[str, str]
    missing: dict[str, str]
    unlisted: list[str]


def open_media(path: str | Path) -> Media:
    """Opens a folder, a text file that lists images and videos, an image, or a video.

    Names in a text file are relative to its folder.
    """
    path = str(path)
    if os.path.isdir(path):
        return Media(path)
    if not os.path.isfile(path):
        raise UserError(f'"{path}" does not exist: expected {SOURCES}')
    folder, name = os.path.split(path)
    if is_image(name) or is_video(name):
        return Media(folder, (name,))
    if kind := foreign_image(name):
        raise UserError(f'"{path}" is {kind}, which cannot be read: {CONVERT}')
    return Media(folder, _read_list(path))


def images_in(folder: str | Path) -> list[str]:
    """Lists the images of a folder by name, without its subfolders and hidden files.

    If there are any, other files that are left out are logged.
    """
    with os.scandir(folder) as entries:
        names = sorted(e.name for e in entries if e.name[0] != '.' and e.is_file())
    found = [name for name in names if is_image(name)]
    if found:
        log_left_out(folder, [name for name in names if not is_image(name)])
    return found


def log_left_out(folder: str | Path, names: Sequence[str]) -> None:
    """Logs how many files of a folder are left out, by suffix."""
    if names:
        print_log(
            f'"{folder}": left out {_describe(names)}',
            logger='current',
            level=logging.WARNING if any(map(foreign_image, names)) else logging.INFO,
        )


def find_files(names: Iterable[str], media: Sequence[Media]) -> FoundFiles:
    """Looks for files by name; each must be in one place only."""
    found = FoundFiles({}, {}, [])
    for name in dict.fromkeys(names):
        candidates = [path for each in media if (path := each.path_of(name))]
        paths = sorted({path for path in candidates if os.path.isfile(path)})
        if len(paths) > 1:
            raise UserError(
                f'"{name}" may be "{paths[0]}" or "{paths[1]}": use a separate dataset '
                'for each of these folders'
            )
        if paths:
            found.paths[name] = paths[0]
        elif candidates:
            found.missing[name] = min(candidates)
        else:
            found.unlisted.append(name)
    return found


def image_size(path: str | Path, apply_exif: bool = False) -> tuple[int, int]:
    """Reads the width and height that OpenCV finds, optionally in EXIF orientation.

    Only the header is read.
    """
    try:
        with _open_unlimited(path) as image:
            size = image.size
            turns = apply_exif and _opencv_turns(image.format)
            if isinstance(image, TiffImageFile):
                # OpenCV always turns it, and some releases of Pillow its size.
                size = image.tag_v2[IMAGEWIDTH], image.tag_v2[IMAGELENGTH]
                turns = True
            exchanged = turns and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
            return size[::-1] if exchanged else size
    except Exception as error:  # of many types, depending on the format
        reason = 'cannot be opened as an image: download it again or leave it out'
        if not os.path.exists(path):
            reason = 'is missing: download it again or leave it out'
        reason = why_undecoded(path) or reason
        raise UserError(f'image "{path}" {reason}') from error


@cache
def _opencv_turns(kind: str) -> bool:
    """Tries whether OpenCV turns images by EXIF, which depends on its release."""
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    stream = io.BytesIO()
    try:
        Image.new('RGB', (2, 1)).save(stream, kind, exif=exif)
    except Exception:  # of many types: a format that Pillow cannot write
        return False
    pixels = cv2.imdecode(np.frombuffer(stream.getvalue(), np.uint8), cv2.IMREAD_COLOR)
    return pixels is not None and pixels.shape[:2] == (2, 1)


def _open_unlimited(path: str | Path) -> Image.Image:
    """Opens an image whose pixels are not decoded, so that any number is safe."""
    with _no_limit:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            return Image.open(path)
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def exif_orientation(path: str | Path) -> int:
    """Reads how viewers turn an image and OpenCV may not, 1 to 8; 1 is not at all."""
    try:
        with _open_unlimited(path) as image:
            if isinstance(image, TiffImageFile):
                return 1  # OpenCV turns it, too
            value = image.getexif().get(ORIENTATION, 1)
    except Exception:  # of many types: the image, or its metadata, may be damaged
        return 1
    return value if value in range(1, 9) else 1


def open_video(path: str | Path) -> VideoReader:
    """Opens a video with MMCV's reader, which keeps only the last frame."""
    if not os.path.isfile(path):
        raise UserError(f'video "{path}" does not exist')
    # By suffix, because OpenCV opens an image as the first of a sequence.
    video = VideoReader(str(path), cache_capacity=1) if is_video(path) else None
    if video is None or not video.opened or len(video) < 1:
        raise UserError(f'"{path}" cannot be opened as a video: is the file damaged?')
    return video


def read_frame(path: str | Path, index: int) -> np.ndarray:
    """Decodes a frame of a video to uint8 BGR, (H, W, 3), counting from 0.

    Each process keeps its last few videos open.
    """
    path = str(path)
    readers = _readers.setdefault(os.getpid(), OrderedDict())
    if path not in readers:
        readers[path] = open_video(path)
    readers.move_to_end(path)
    if len(readers) > MAX_OPEN_VIDEOS:
        readers.popitem(last=False)
    video = readers[path]
    if not 0 <= index < len(video):
        raise UserError(
            f'video "{path}" has no frame {index}: it has {len(video)}, from 0'
        )
    frame = video.get_frame(index)
    if frame is None:
        raise UserError(
            f'frame {index} of video "{path}" cannot be decoded: is the file damaged?'
        )
    # Transforms may write to the frame, which the reader keeps.
    return frame.copy()


def _describe(names: Sequence[str]) -> str:
    """Counts files that are left out, and says what to do about images among them."""
    files = 'other file' if len(names) == 1 else 'other files'
    foreign = sorted(
        {os.path.splitext(n)[1].lower() for n in names if foreign_image(n)}
    )
    advice = f' (convert {", ".join(foreign)} to JPEG or PNG)' if foreign else ''
    return f'{len(names)} {files}: {count_suffixes(names)}{advice}'


def _read_list(path: str) -> tuple[str, ...]:
    lines = read_lines(path, SOURCES)
    for number, line in enumerate(lines, start=1):
        if kind := foreign_image(line):
            raise UserError(
                f'line {number} of "{path}" names {kind}, which cannot be read: '
                f'{CONVERT}, got {line[-60:]!r}'
            )
        if line and not (is_image(line) or is_video(line)):
            raise UserError(
                f'line {number} of "{path}" is not an image or video: expected a name '
                f'that ends in .jpg, .png, .mp4, or the like, got {line[:60]!r}'
            )
    names = tuple(dict.fromkeys(filter(None, lines)))
    if not names:
        raise UserError(f'"{path}" lists no image')
    return names

"""Finds images and videos, and reads frames of videos."""

import os
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from mmcv import VideoReader
from PIL import Image

from fpd_mmpose.errors import UserError

IMAGE_SUFFIXES = frozenset(
    '.bmp .jpeg .jpg .png .ppm .pgm .tif .tiff .webp'.split()
)  # fmt: skip
VIDEO_SUFFIXES = frozenset(
    '.avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .ts .webm .wmv'.split()
)  # fmt: skip
SOURCES = 'a folder of images, a text file that lists them, an image, or a video'
#: The EXIF tag whose values 5 to 8 exchange width and height.
ORIENTATION = 0x0112
#: How many videos a process keeps open.
MAX_OPEN_VIDEOS = 4

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

        Subfolders are searched; hidden files and folders are skipped.
        """
        if self.listed is not None:
            return list(self.listed)
        names = []
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
                if name[0] != '.' and _is_media(name)
            ]
        if not names:
            raise UserError(
                f'"{self.folder}" has no image or video: expected files with names '
                'that end in .jpg, .png, .mp4, or the like'
            )
        return sorted(names)

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
    return Media(folder, (name,) if _is_media(name) else _read_list(path))


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


def is_video(path: str | Path) -> bool:
    """Checks whether a file is a video, by its suffix."""
    return os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES


def image_size(path: str | Path, apply_exif: bool = False) -> tuple[int, int]:
    """Reads the width and height of an image, optionally in its EXIF orientation.

    Only the header is read.
    """
    try:
        with Image.open(path) as image:
            turned = apply_exif and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
            return image.size[::-1] if turned else image.size
    except Exception as error:  # of many types, depending on the format
        reason = (
            'cannot be opened as an image' if os.path.exists(path) else 'is missing'
        )
        raise UserError(
            f'image "{path}" {reason}: download it again or leave it out'
        ) from error


def exif_orientation(path: str | Path) -> int:
    """Reads how an image is turned for display, 1 to 8; 1 is not at all."""
    try:
        with Image.open(path) as image:
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


def _is_media(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES or is_video(name)


def _read_list(path: str) -> tuple[str, ...]:
    try:
        text = Path(path).read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f'"{path}" cannot be read: expected {SOURCES}') from error
    lines = [line.strip() for line in text.splitlines()]
    for number, line in enumerate(lines, start=1):
        if line and not _is_media(line):
            raise UserError(
                f'line {number} of "{path}" is not an image or video: expected a name '
                f'that ends in .jpg, .png, .mp4, or the like, got {line[:60]!r}'
            )
    names = tuple(dict.fromkeys(filter(None, lines)))
    if not names:
        raise UserError(f'"{path}" lists no image')
    return names

"""Finds images and videos, and reads the frames of videos."""

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

IMAGE_SUFFIXES = frozenset(
    '.bmp .jpeg .jpg .png .ppm .pgm .tif .tiff .webp'.split()
)  # fmt: skip
VIDEO_SUFFIXES = frozenset(
    '.avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .ts .webm .wmv'.split()
)  # fmt: skip
#: The EXIF tag; of its values, 5 to 8 exchange width and height.
ORIENTATION = 0x0112
#: How many videos a process keeps open.
MAX_OPEN_VIDEOS = 4

# By process: a forked one must neither use nor close the decoders of its parent, whose
# threads it does not have.
_readers: dict[int, OrderedDict[str, VideoReader]] = {}


@dataclass(frozen=True)
class Media:
    """A folder of images and videos, or some files by name.

    Args:
        folder (str): What names are relative to.
        listed (tuple[str, ...], optional): The names. Defaults to None: everything in
            the folder.
    """

    folder: str
    listed: tuple[str, ...] | None = None

    def names(self) -> list[str]:
        """Lists the images and videos.

        Returns:
            list[str]: Their names, as listed; those of a folder are searched for in
            its subfolders too, without what is hidden, and sorted.

        Raises:
            ValueError: If there is none.
        """
        if self.listed is not None:
            return list(self.listed)
        names = []
        seen = set()
        for parent, folders, files in os.walk(self.folder, followlinks=True):
            # Links may lead in circles.
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
            raise ValueError(
                f'"{self.folder}" has no image or video: expected names that end in '
                '.jpg, .png, .mp4 and the like'
            )
        return sorted(names)

    def path_of(self, name: str) -> str | None:
        """Says where a file is, if it is there.

        Args:
            name (str): Its name, relative to the folder, or its absolute path.

        Returns:
            str | None: The path; None if files are listed and it is not among them.
        """
        path = os.path.normpath(os.path.join(self.folder, name))
        return path if self.listed is None or path in self._paths else None

    @cached_property
    def _paths(self) -> frozenset[str]:
        names = self.listed or ()
        return frozenset(
            os.path.normpath(os.path.join(self.folder, name)) for name in names
        )


class FoundFiles(NamedTuple):
    """Where files are.

    Args:
        paths (dict[str, str]): Paths by name.
        missing (dict[str, str]): Paths, by name, of those that do not exist.
        unlisted (list[str]): Names that no list has.
    """

    paths: dict[str, str]
    missing: dict[str, str]
    unlisted: list[str]


def open_media(path: str | Path) -> Media:
    """Says which images and videos are meant by a path.

    Args:
        path (str | Path): A folder; a text file with the name of an image or video on
            each line, relative to its own folder; an image; or a video.

    Returns:
        Media: The images and videos.

    Raises:
        ValueError: If it is none of these. One line.
    """
    path = str(path)
    if os.path.isdir(path):
        return Media(path)
    if not os.path.isfile(path):
        raise ValueError(
            f'"{path}" does not exist: expected a folder of images, a text file that '
            'lists them, an image or a video'
        )
    folder, name = os.path.split(path)
    return Media(folder, (name,) if _is_media(name) else _listed(path))


def find_files(names: Iterable[str], media: Sequence[Media]) -> FoundFiles:
    """Looks for files.

    Args:
        names (Iterable[str]): Their names.
        media (Sequence[Media]): Where they may be.

    Returns:
        FoundFiles: Where they are.

    Raises:
        ValueError: If a name stands for several files. One line.
    """
    found = FoundFiles({}, {}, [])
    for name in dict.fromkeys(names):
        candidates = {each.path_of(name) for each in media} - {None}
        paths = sorted(path for path in candidates if os.path.isfile(path))
        if len(paths) > 1:
            raise ValueError(
                f'"{name}" may be "{paths[0]}" or "{paths[1]}": read these folders '
                'with a dataset each'
            )
        if paths:
            found.paths[name] = paths[0]
        elif candidates:
            found.missing[name] = min(candidates)
        else:
            found.unlisted.append(name)
    return found


def is_video(path: str | Path) -> bool:
    """Tells by its suffix whether a file is a video.

    Args:
        path (str | Path): The file.

    Returns:
        bool: Whether it is.
    """
    return os.path.splitext(path)[1].lower() in VIDEO_SUFFIXES


def image_size(path: str | Path, apply_exif: bool = False) -> tuple[int, int]:
    """Reads the size of an image from its first bytes.

    Args:
        path (str | Path): The image.
        apply_exif (bool): Whether to turn it as its EXIF orientation says. Defaults
            to False.

    Returns:
        tuple[int, int]: Width and height.

    Raises:
        ValueError: If it is missing or is no image. One line.
    """
    try:
        with Image.open(path) as image:
            turned = apply_exif and image.getexif().get(ORIENTATION) in (5, 6, 7, 8)
            return image.size[::-1] if turned else image.size
    except Exception as error:  # of many types, depending on the format
        reason = (
            'cannot be opened as an image' if os.path.exists(path) else 'is missing'
        )
        raise ValueError(
            f'image "{path}" {reason}: fetch it or leave it out'
        ) from error


def open_video(path: str | Path) -> VideoReader:
    """Opens a video.

    Args:
        path (str | Path): The file.

    Returns:
        VideoReader: MMCV's reader, which keeps the last frame only.

    Raises:
        ValueError: If it is missing or is no video with frames. One line.
    """
    if not os.path.isfile(path):
        raise ValueError(f'video "{path}" does not exist')
    # By suffix: OpenCV takes the name of an image for a sequence of them.
    video = VideoReader(str(path), cache_capacity=1) if is_video(path) else None
    if video is None or not video.opened or len(video) < 1:
        raise ValueError(f'"{path}" cannot be opened as a video: is the file damaged?')
    return video


def read_frame(path: str | Path, index: int) -> np.ndarray:
    """Decodes a frame of a video; the last videos stay open, in each process its own.

    Args:
        path (str | Path): The video.
        index (int): The frame, from 0.

    Returns:
        np.ndarray: BGR, (H, W, 3), uint8.

    Raises:
        ValueError: If the video cannot be opened or has no such frame. One line.
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
        raise ValueError(
            f'video "{path}" has no frame {index}: it has {len(video)}, from 0'
        )
    frame = video.get_frame(index)
    if frame is None:
        raise ValueError(
            f'frame {index} of video "{path}" cannot be decoded: is the file damaged?'
        )
    # The reader keeps its own, and transforms may write on theirs.
    return frame.copy()


def _is_media(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_SUFFIXES or is_video(name)


def _listed(path: str) -> tuple[str, ...]:
    try:
        lines = Path(path).read_text(encoding='utf-8').splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f'"{path}" cannot be read: expected a folder of images, a text file that '
            'lists them, an image or a video'
        ) from error
    lines = [line.strip() for line in lines]
    for number, line in enumerate(lines, start=1):
        if line and not _is_media(line):
            raise ValueError(
                f'line {number} of "{path}" names no image or video: expected a name '
                f'that ends in .jpg, .png, .mp4 or the like, got {line[:60]!r}'
            )
    names = tuple(dict.fromkeys(filter(None, lines)))
    if not names:
        raise ValueError(f'"{path}" lists no image')
    return names

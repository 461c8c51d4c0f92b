"""The formats of image and video files, by suffix and by content."""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import cv2

#: Images that OpenCV decodes; some builds lack AVIF, GIF, or JPEG 2000.
IMAGE_SUFFIXES = frozenset(
    '.apng .avif .bmp .dib .gif .jfif .jp2 .jpe .jpeg .jpg .pbm .pgm .png .pnm .ppm '
    '.tif .tiff .webp'.split()
)
VIDEO_SUFFIXES = frozenset(
    '.avi .flv .m4v .mkv .mov .mp4 .mpeg .mpg .ts .webm .wmv'.split()
)  # fmt: skip
_RAW = 'a camera raw image'
#: Images that OpenCV does not decode.
FOREIGN_IMAGES = {
    **dict.fromkeys(('.heic', '.heif', '.hif'), 'a HEIF image'),
    '.jxl': 'a JPEG XL image',
    '.psd': 'a Photoshop image',
    '.svg': 'an SVG image',
    '.ico': 'an icon',
    '.tga': 'a Targa image',
    **dict.fromkeys('.arw .cr2 .cr3 .dng .nef .orf .raf .raw .rw2'.split(), _RAW),
}
#: Starts of files, by position, of the formats that not every OpenCV decodes.
_SIGNATURES = (
    (4, b'ftypavif', 'an AVIF image'),
    (4, b'ftypavis', 'an AVIF image'),
    (4, b'ftyphei', 'a HEIF image'),
    (4, b'ftyphev', 'a HEIF image'),
    (4, b'ftypmif1', 'a HEIF image'),
    (4, b'ftypmsf1', 'a HEIF image'),
    (0, b'GIF8', 'a GIF image'),
    (0, b'\0\0\0\x0cjP  ', 'a JPEG 2000 image'),
    (0, b'\0\0\0\x0cJXL ', 'a JPEG XL image'),
    (0, b'\xff\x0a', 'a JPEG XL image'),
    (0, b'8BPS', 'a Photoshop image'),
)
CONVERT = 'convert it to JPEG or PNG'
#: How many suffixes a message counts one by one.
_MOST_SUFFIXES = 5


def is_image(name: str | Path) -> bool:
    """Checks whether a file is an image that OpenCV decodes, by its suffix."""
    return _suffix(name) in IMAGE_SUFFIXES


def is_video(name: str | Path) -> bool:
    """Checks whether a file is a video, by its suffix."""
    return _suffix(name) in VIDEO_SUFFIXES


def foreign_image(name: str | Path) -> str | None:
    """Names the format of an image that OpenCV does not decode, by the suffix."""
    return FOREIGN_IMAGES.get(_suffix(name))


def why_undecoded(path: str | Path, error: Exception | None = None) -> str | None:
    """Says why OpenCV decodes no image in a file, and what to do; None if unknown.

    ``error`` is what OpenCV raised, if anything.
    """
    if 'CV_IO_MAX_IMAGE' in str(error):
        return (
            'has more pixels than OpenCV decodes (2^30, and 2^20 in a row or column): '
            'make it smaller, or cut it into parts'
        )
    try:
        with Path(path).open('rb') as file:
            start = file.read(32)
        is_known = cv2.haveImageReader(str(path))
    except (OSError, cv2.error):
        return None
    if is_known:
        return None
    matches = [
        kind
        for position, signature, kind in _SIGNATURES
        if start[position:].startswith(signature)
    ]
    kind = matches[0] if matches else foreign_image(path)
    if kind is None:
        return None
    return f'is {kind}, which OpenCV {cv2.__version__} does not decode: {CONVERT}'


def count_suffixes(names: Iterable[str]) -> str:
    """Counts files by suffix, the most frequent first, such as "10 .heic, 2 .txt"."""
    counts = Counter(_suffix(name) or 'without a suffix' for name in names)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    parts = [f'{count} {suffix}' for suffix, count in ranked[:_MOST_SUFFIXES]]
    if rest := sum(count for _, count in ranked[_MOST_SUFFIXES:]):
        parts.append(f'{rest} of other kinds')
    return ', '.join(parts)


def _suffix(name: str | Path) -> str:
    return os.path.splitext(name)[1].lower()

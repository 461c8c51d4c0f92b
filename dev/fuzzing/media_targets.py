"""Images and videos."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fpd_mmpose.checks.images import Images, _check_image
from fpd_mmpose.datasets.transforms import FPDLoadImage
from fpd_mmpose.demos.frames import FrameReader
from fpd_mmpose.demos.web.upload import read_upload
from fpd_mmpose.detection.sources import Source
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import exif_orientation, image_size
from fuzzing.subjects import Subject, Target, bytes_subject
from tests.helpers.demo_video import write_video


def _images(folder: Path, suffix: str, form: str) -> tuple[Path, list[bytes]]:
    path = folder / f'image{suffix}'
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    valid = []
    for options in ({}, {'exif': exif}):
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        valid.append(buffer.getvalue())
    return path, valid


def _image(suffix: str, form: str) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        path, valid = _images(folder, suffix, form)
        load = FPDLoadImage()

        def read() -> Any:
            errors = []
            readers: tuple[Callable[[], Any], ...] = (
                lambda: read_image(path),
                lambda: image_size(path, apply_exif=True),
                lambda: load(dict(img_path=str(path), id=3)),
            )
            _check_image(str(path), True, {}, Images())
            for reader in readers:
                try:
                    reader()
                except UserError as error:
                    errors.append(error)
            assert exif_orientation(path) in range(1, 9)
            if errors:
                raise errors[0]

        return bytes_subject(path, valid, read)

    return prepare


def _upload(folder: Path) -> Subject:
    path, valid = _images(folder, '.png', 'PNG')
    valid += _images(folder, '.jpg', 'JPEG')[1]

    def read() -> Any:
        with path.open('rb') as file:
            return read_upload(file, path.name).shape

    return bytes_subject(path, valid, read)


def _video(suffix: str) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        path = folder / f'video{suffix}'
        load = FPDLoadImage()
        valid = [write_video(path, frames=3, size=(32, 24)).read_bytes()]

        def read() -> Any:
            errors: list[UserError] = []

            def attempt(reader: Callable[[], Any]) -> None:
                try:
                    reader()
                except UserError as error:
                    errors.append(error)

            def frames() -> None:
                for frame in FrameReader(path):
                    assert frame.dtype == np.uint8 and frame.ndim == 3

            attempt(frames)
            source = Source(path)
            assert len(source) > 0
            for frame in source:
                attempt(frame.read)
            attempt(lambda: load(dict(img_path=str(path), frame_index=1, id=3)))
            if errors:
                raise errors[0]

        return bytes_subject(path, valid, read)

    return prepare


TARGETS = {
    'image_jpeg': Target(_image('.jpg', 'JPEG'), 2),
    'image_png': Target(_image('.png', 'PNG'), 2),
    'image_tiff': Target(_image('.tif', 'TIFF'), 2),
    'image_webp': Target(_image('.webp', 'WEBP'), 2),
    'image_bmp': Target(_image('.bmp', 'BMP'), 2),
    'upload': Target(_upload),
    'video_avi': Target(_video('.avi'), 20),
    'video_mp4': Target(_video('.mp4'), 20),
}

"""Formats of images: all that OpenCV decodes are read, and others are named."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from fpd_mmpose.datasets import FPDLoadImage
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image
from fpd_mmpose.media_formats import (
    FOREIGN_IMAGES,
    IMAGE_SUFFIXES,
    VIDEO_SUFFIXES,
    count_suffixes,
    is_image,
    why_undecoded,
)
from fpd_mmpose.readers.media import image_size, open_media

#: Formats of Pillow whose names are not those of the suffix.
WRITERS = dict(apng='PNG', dib='BMP', jfif='JPEG', jpe='JPEG', jp2='JPEG2000')
HEIC = b'\0\0\0\x18ftypheic\0\0\0\0mif1heic' + bytes(99)


def test_no_suffix_has_two_kinds():
    assert not IMAGE_SUFFIXES & VIDEO_SUFFIXES
    assert not (IMAGE_SUFFIXES | VIDEO_SUFFIXES) & FOREIGN_IMAGES.keys()


@pytest.mark.parametrize('upper', [False, True])
@pytest.mark.parametrize('suffix', sorted(IMAGE_SUFFIXES))
def test_an_image_of_each_suffix_is_read(tmp_path, suffix, upper):
    path = tmp_path / f'image{suffix.upper() if upper else suffix}'
    mode = {'.pgm': 'L', '.pbm': '1'}.get(suffix, 'RGB')
    image = Image.new('RGB', (60, 40), 'white').convert(mode)
    options = {}
    if suffix in ('.gif', '.apng'):
        # Animated: the first image counts.
        black = Image.new('RGB', image.size)
        options = dict(save_all=True, append_images=[black, black])
    kind = WRITERS.get(suffix[1:])
    try:
        image.save(path, kind, **options)
    except (KeyError, ValueError):
        pytest.skip('this Pillow does not write the format')
    assert is_image(path) and open_media(tmp_path).names() == [path.name]
    assert image_size(path) == (60, 40)
    load = FPDLoadImage()
    if not cv2.haveImageReader(str(path)):
        for read in (read_image, lambda path: load(dict(img_path=str(path)))):
            with pytest.raises(UserError, match=f'{path.name}.* does not decode'):
                read(path)
        return
    for found in (read_image(path), load(dict(img_path=str(path)))['img']):
        assert found.shape == (40, 60, 3) and found.mean() > 250


@pytest.mark.parametrize('name', ['photo.heic', 'photo.jpg'])
@pytest.mark.parametrize(
    'read', [read_image, image_size, lambda path: FPDLoadImage()(dict(img_path=path))]
)
def test_a_format_that_opencv_does_not_decode_is_named(tmp_path, read, name):
    path = tmp_path / name
    path.write_bytes(HEIC)
    with pytest.raises(UserError, match=f'{name}" is a HEIF image, .*: convert it'):
        read(str(path))


def test_the_suffix_names_a_format_without_a_signature(tmp_path):
    path = tmp_path / 'drawing.svg'
    path.write_text('<?xml version="1.0"?><svg/>')
    with pytest.raises(UserError, match='drawing.svg" is an SVG image'):
        read_image(path)


@pytest.mark.parametrize('size', [(40_000, 40_000), (1 << 20 | 1, 1)])
@pytest.mark.parametrize(
    'read', [read_image, lambda path: FPDLoadImage()(dict(img_path=str(path)))]
)
def test_the_limits_of_opencv_are_named(tmp_path, read, size):
    path = tmp_path / 'huge.ppm'
    path.write_bytes(b'P6 %d %d 255\n' % size + bytes(100))
    with pytest.raises(
        UserError, match='huge.ppm" has more pixels than OpenCV decodes'
    ):
        read(path)


def test_a_damaged_or_missing_file_has_no_other_reason(tmp_path):
    path = tmp_path / 'a.png'
    assert why_undecoded(path) is None
    cv2.imwrite(str(path), np.zeros((9, 9, 3), np.uint8))
    Path(path).write_bytes(path.read_bytes()[:30])
    assert why_undecoded(path) is None
    path.write_bytes(b'no image')
    assert why_undecoded(path) is None


def test_suffixes_are_counted_by_frequency():
    names = ['a.txt', 'b.HEIC', 'c.heic', 'LICENSE']
    assert count_suffixes(names) == '2 .heic, 1 .txt, 1 without a suffix'

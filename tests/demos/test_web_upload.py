"""Decoding of uploads to the web demo."""

import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from fpd_mmpose.demos.web import upload
from fpd_mmpose.demos.web.upload import read_upload
from fpd_mmpose.errors import UserError

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def by_opencv(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def error_of(content: bytes) -> str:
    with pytest.raises(UserError) as error:
        read_upload(io.BytesIO(content), 'person.png')
    assert '\n' not in str(error.value)
    return str(error.value)


class Observed(io.BytesIO):
    """Remembers the most bytes that it was asked for."""

    most = 0

    def read(self, size: int | None = -1) -> bytes:
        self.most = max(self.most, size or 0)
        return super().read(size)


def test_a_chunk_that_claims_gigabytes_makes_no_room_for_them():
    content = encoded(Image.fromarray(PIXELS), 'PNG')
    start = content.index(b'IDAT') - 4
    claimed = content[:start] + struct.pack('>I', 1 << 31) + content[start + 4 :]
    stream = Observed(claimed)
    read_upload(stream, 'a.png')
    assert 0 < stream.most <= len(content)


# --- Images that are decoded ---------------------------------------------------------


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA'])
def test_png_of_every_mode_is_decoded_as_by_opencv(mode):
    content = encoded(Image.fromarray(PIXELS).convert(mode), 'PNG')
    found = read_upload(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found, by_opencv(content))
    assert found.dtype == np.uint8 and found.flags.c_contiguous


@pytest.mark.parametrize('channels', [(), (3,), (4,)])
def test_png_with_16_bits_per_channel(channels):
    pixels = np.random.default_rng(1).integers(0, 65536, (30, 20, *channels), np.uint16)
    content = cv2.imencode('.png', pixels)[1].tobytes()
    found = read_upload(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found, by_opencv(content))


@pytest.mark.parametrize('mode', ['L', 'RGB', 'CMYK'])
@pytest.mark.parametrize('progressive', [False, True])
def test_jpeg_of_every_mode(mode, progressive):
    smooth = Image.fromarray(PIXELS).resize((100, 80)).convert(mode)
    content = encoded(smooth, 'JPEG', progressive=progressive)
    found = read_upload(io.BytesIO(content), 'a.jpg')
    # Libraries round differently in the inverse transform and the color conversion.
    np.testing.assert_allclose(found.astype(int), by_opencv(content), atol=4)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize('orientation', range(10))  # 0 and 9 have no meaning
def test_exif_orientation_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = Image.fromarray(cv2.resize(PIXELS, (100, 60)))
    content = encoded(plain, kind, exif=exif.tobytes())
    found, expected = read_upload(io.BytesIO(content), 'a'), by_opencv(content)
    assert found.shape == ((100, 60, 3) if orientation in range(5, 9) else (60, 100, 3))
    np.testing.assert_allclose(found.astype(int), expected, atol=4)


def test_damaged_exif_is_ignored():
    content = encoded(Image.fromarray(PIXELS), 'PNG', exif=b'Exif\0\0MM\0*\0\0\0\xff')
    found = read_upload(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found[..., ::-1], PIXELS)


@pytest.mark.parametrize('kind', ['MPO', 'PNG'])
def test_the_first_of_several_frames(kind):
    frames = [Image.fromarray(np.full((30, 20, 3), gray, np.uint8)) for gray in (9, 99)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.unique(read_upload(io.BytesIO(content), 'a')).tolist() == [9]


# --- Errors --------------------------------------------------------------------------


@pytest.mark.parametrize(
    'extension', ['.hdr', '.bmp', '.tiff', '.webp', '.jp2', '.ppm', '.pfm', '.gif']
)
def test_other_formats_that_opencv_can_read(extension):
    pixels = cv2.resize(PIXELS, (100, 80))
    if extension == '.pfm':
        pixels = pixels.astype(np.float32)
    if extension == '.gif':  # which old releases of OpenCV read but do not write
        content = encoded(Image.fromarray(pixels), 'GIF')
    else:
        content = cv2.imencode(extension, pixels)[1].tobytes()
    assert 'person.png" is not a JPEG or PNG image' in error_of(content)


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    parts = [b'\x89PNG\r\n\x1a\n']
    for kind, content in chunks:
        parts.append(struct.pack('>I', len(content)) + kind + content)
        parts.append(struct.pack('>I', zlib.crc32(kind + content)))
    return b''.join(parts)


def png_header(width: int, height: int) -> tuple[bytes, bytes]:
    return b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)


@pytest.mark.parametrize(
    'size', [(10_000, 4_001), (1, 32_767), (32_767, 1), (100_000, 100_000)]
)
def test_too_large_an_image_is_rejected_by_its_header(size):
    content = png(png_header(*size), (b'IDAT', zlib.compress(b'')), (b'IEND', b''))
    assert 'more than 40 million pixels or a side of more than 32766' in error_of(
        content
    )


def test_a_size_that_pillow_warns_about_is_rejected():
    content = png(png_header(10_000, 10_000), (b'IDAT', b''), (b'IEND', b''))
    with pytest.warns(Image.DecompressionBombWarning):
        assert 'send a smaller image' in error_of(content)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert 'send a smaller image' in error_of(content)


def test_a_second_header_does_not_evade_the_limit():
    """OpenCV allocates for the first header of a PNG file, Pillow for the last."""
    rows = zlib.compress((b'\0' + bytes(3 * 8)) * 8)
    large_first = png(
        png_header(30_000, 30_000), png_header(8, 8), (b'IDAT', rows), (b'IEND', b'')
    )
    assert read_upload(io.BytesIO(large_first), 'a.png').shape == (8, 8, 3)
    large_last = png(
        png_header(8, 8), png_header(30_000, 30_000), (b'IDAT', rows), (b'IEND', b'')
    )
    assert 'more than 40 million pixels' in error_of(large_last)


def test_truncated_and_empty_files():
    content = encoded(Image.fromarray(PIXELS), 'PNG')
    assert 'person.png" is damaged' in error_of(content[: len(content) // 2])
    content = encoded(Image.fromarray(PIXELS), 'JPEG')
    assert 'person.png" is damaged' in error_of(content[: len(content) - 200])
    assert 'person.png" is empty' in error_of(b'')
    assert 'is not a JPEG or PNG image' in error_of(content[:10])


def test_long_names_are_truncated():
    with pytest.raises(UserError) as error:
        upload.read_upload(io.BytesIO(b''), 'n' * 5000)
    assert len(str(error.value)) < 200

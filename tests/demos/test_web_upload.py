"""What the web demo decodes, and what it refuses."""

import io
import struct
import warnings
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from fpd_mmpose.demos.web import upload
from fpd_mmpose.demos.web.upload import read_picture

PIXELS = np.random.default_rng(0).integers(0, 256, (30, 20, 3), np.uint8)


def encoded(image: Image.Image, kind: str, **options) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def by_opencv(content: bytes) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def refusal(content: bytes) -> str:
    with pytest.raises(ValueError) as error:
        read_picture(io.BytesIO(content), 'person.png')
    assert '\n' not in str(error.value)
    return str(error.value)


# --- What is decoded -----------------------------------------------------------------


@pytest.mark.parametrize('mode', ['1', 'L', 'LA', 'P', 'RGB', 'RGBA'])
def test_png_of_every_mode_as_opencv_decodes_it(mode):
    content = encoded(Image.fromarray(PIXELS).convert(mode), 'PNG')
    found = read_picture(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found, by_opencv(content))
    assert found.dtype == np.uint8 and found.flags.c_contiguous


@pytest.mark.parametrize('channels', [(), (3,), (4,)])
def test_png_with_16_bits_a_channel(channels):
    pixels = np.random.default_rng(1).integers(0, 65536, (30, 20, *channels), np.uint16)
    content = cv2.imencode('.png', pixels)[1].tobytes()
    found = read_picture(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found, by_opencv(content))


@pytest.mark.parametrize('mode', ['L', 'RGB', 'CMYK'])
@pytest.mark.parametrize('progressive', [False, True])
def test_jpeg_of_every_mode(mode, progressive):
    smooth = Image.fromarray(PIXELS).resize((100, 80)).convert(mode)
    content = encoded(smooth, 'JPEG', progressive=progressive)
    found = read_picture(io.BytesIO(content), 'a.jpg')
    # Libraries round differently: in each inverse transform and color conversion.
    np.testing.assert_allclose(found.astype(int), by_opencv(content), atol=4)


@pytest.mark.parametrize('kind', ['JPEG', 'PNG'])
@pytest.mark.parametrize('orientation', range(10))  # 0 and 9 have no meaning
def test_exif_orientation_is_applied(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    plain = Image.fromarray(cv2.resize(PIXELS, (100, 60)))
    content = encoded(plain, kind, exif=exif.tobytes())
    found, expected = read_picture(io.BytesIO(content), 'a'), by_opencv(content)
    assert found.shape == ((100, 60, 3) if orientation in range(5, 9) else (60, 100, 3))
    np.testing.assert_allclose(found.astype(int), expected, atol=4)


def test_damaged_exif_is_ignored():
    content = encoded(Image.fromarray(PIXELS), 'PNG', exif=b'Exif\0\0MM\0*\0\0\0\xff')
    found = read_picture(io.BytesIO(content), 'a.png')
    np.testing.assert_array_equal(found[..., ::-1], PIXELS)


@pytest.mark.parametrize('kind', ['MPO', 'PNG'])
def test_the_first_of_several_frames(kind):
    frames = [Image.fromarray(np.full((30, 20, 3), grey, np.uint8)) for grey in (9, 99)]
    content = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.unique(read_picture(io.BytesIO(content), 'a')).tolist() == [9]


# --- What is refused -----------------------------------------------------------------


@pytest.mark.parametrize(
    'extension', ['.hdr', '.bmp', '.tiff', '.webp', '.jp2', '.ppm', '.pfm', '.gif']
)
def test_other_formats_that_opencv_can_read(extension):
    pixels = cv2.resize(PIXELS, (100, 80))
    if extension == '.pfm':
        pixels = pixels.astype(np.float32)
    content = cv2.imencode(extension, pixels)[1].tobytes()
    assert 'person.png" is not a JPEG or PNG picture' in refusal(content)


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
def test_the_header_tells_that_it_is_too_large(size):
    content = png(png_header(*size), (b'IDAT', zlib.compress(b'')), (b'IEND', b''))
    assert 'more than 40 million pixels or a side of more than 32766' in refusal(
        content
    )


def test_a_size_that_pillow_warns_of_is_refused():
    content = png(png_header(10_000, 10_000), (b'IDAT', b''), (b'IEND', b''))
    with pytest.warns(Image.DecompressionBombWarning):
        assert 'send a smaller picture' in refusal(content)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert 'send a smaller picture' in refusal(content)


def test_a_second_header_changes_nothing():
    """OpenCV allocates for the first header of a PNG file, Pillow for the last."""
    rows = zlib.compress((b'\0' + bytes(3 * 8)) * 8)
    large_first = png(
        png_header(30_000, 30_000), png_header(8, 8), (b'IDAT', rows), (b'IEND', b'')
    )
    assert read_picture(io.BytesIO(large_first), 'a.png').shape == (8, 8, 3)
    large_last = png(
        png_header(8, 8), png_header(30_000, 30_000), (b'IDAT', rows), (b'IEND', b'')
    )
    assert 'more than 40 million pixels' in refusal(large_last)


def test_what_is_cut_off_or_empty():
    content = encoded(Image.fromarray(PIXELS), 'PNG')
    assert 'person.png" is damaged' in refusal(content[: len(content) // 2])
    content = encoded(Image.fromarray(PIXELS), 'JPEG')
    assert 'person.png" is damaged' in refusal(content[: len(content) - 200])
    assert 'person.png" is empty' in refusal(b'')
    assert 'is not a JPEG or PNG picture' in refusal(content[:10])


def test_long_names_are_cut():
    with pytest.raises(ValueError) as error:
        upload.read_picture(io.BytesIO(b''), 'n' * 5000)
    assert len(str(error.value)) < 200

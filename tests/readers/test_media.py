"""Images and videos are found by folder, list, or name, and frames by index."""

import codecs
import multiprocessing
import os
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.logging import MMLogger
from PIL import Image

from fpd_mmpose.readers.media import (
    MAX_OPEN_VIDEOS,
    Media,
    _readers,
    find_files,
    image_size,
    images_in,
    open_media,
    open_video,
    read_frame,
)
from tests.helpers.refusals import refused as refusal


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in ('b.jpg', 'a.PNG', 'deep/er/c.jpeg', 'clip.mp4', 'notes.txt'):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b'')
    return tmp_path


@pytest.fixture(scope='module')
def video(tmp_path_factory) -> str:
    """Writes 30 frames of 64 x 48 pixels; frame i has a brightness of 8 * i."""
    path = str(tmp_path_factory.mktemp('video') / 'clip.mp4')
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*'mp4v'), 25, (64, 48))
    for index in range(30):
        writer.write(np.full((48, 64, 3), 8 * index, np.uint8))
    writer.release()
    return path


def index_of(frame: np.ndarray) -> int:
    return round(frame.mean() / 8)


def test_a_folder_and_its_subfolders_are_listed_in_order(folder):
    found = open_media(folder)
    assert found.names() == ['a.PNG', 'b.jpg', 'clip.mp4', 'deep/er/c.jpeg']
    assert found.path_of('deep/er/c.jpeg') == str(folder / 'deep/er/c.jpeg')


def test_hidden_files_and_folders_are_skipped(folder):
    for name in ('.thumbnails/a.jpg', '._b.jpg'):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b'')
    assert len(open_media(folder).names()) == 4


def test_links_to_folders_are_followed_but_not_in_cycles(folder, tmp_path_factory):
    other = tmp_path_factory.mktemp('other')
    (other / 'd.jpg').write_bytes(b'')
    (folder / 'linked').symlink_to(other)
    (folder / 'deep/cycle').symlink_to(folder)
    names = open_media(folder).names()
    assert names == ['a.PNG', 'b.jpg', 'clip.mp4', 'deep/er/c.jpeg', 'linked/d.jpg']


def test_names_in_a_list_are_relative_to_its_folder(folder):
    path = folder / 'deep' / 'list.txt'
    path.write_text(f'../b.jpg\n\n{folder}/a.PNG\n../b.jpg\n')
    found = open_media(path)
    assert found.names() == ['../b.jpg', f'{folder}/a.PNG']
    assert found.path_of('../b.jpg') == str(folder / 'b.jpg')
    assert found.path_of('../deep/../a.PNG') == str(folder / 'a.PNG')
    assert found.path_of('er/c.jpeg') is None


@pytest.mark.parametrize(
    'encoding', ['utf-8', 'utf-8-sig', 'utf-16', 'utf-16-le', 'utf-32']
)
@pytest.mark.parametrize('end', ['\n', '\r\n', '\r'])
def test_a_list_in_any_unicode(folder, encoding, end):
    text = end.join([' b.jpg ', '', 'deep/\xfc\u2028.jpg\t', 'a.PNG'])
    mark = codecs.BOM_UTF16_LE if encoding == 'utf-16-le' else b''
    (folder / 'list.txt').write_bytes(mark + text.encode(encoding))
    names = open_media(folder / 'list.txt').names()
    assert names == ['b.jpg', 'deep/\xfc\u2028.jpg', 'a.PNG']


@pytest.mark.parametrize('name', ['b.jpg', 'clip.mp4'])
def test_a_single_file(folder, name):
    found = open_media(folder / name)
    assert found.names() == [name]
    assert found.path_of(name) == str(folder / name)
    assert found.path_of('a.PNG') is None


def test_an_invalid_source_is_named(folder):
    assert 'gone" does not exist: expected' in refusal(open_media, folder / 'gone')
    assert 'notes.txt" lists no image' in refusal(open_media, folder / 'notes.txt')
    (folder / 'notes.txt').write_text('b.jpg\n{"images": []}\n')
    assert 'line 2 of' in refusal(open_media, folder / 'notes.txt')
    (folder / 'notes.txt').write_bytes(b'\xff\xfe\x00')
    assert 'notes.txt" is not UTF-8' in refusal(open_media, folder / 'notes.txt')
    (folder / 'empty').mkdir()
    assert 'empty" has no image' in refusal(open_media(folder / 'empty').names)


# --- Files that are left out ---------------------------------------------------------


@pytest.fixture
def said(monkeypatch) -> list[str]:
    """The lines that are logged."""
    lines: list[str] = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'handle', lambda line: lines.append(line.getMessage()))
    return lines


def fill(folder: Path, names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names.split():
        (folder / name).write_bytes(b'')
    return folder


def test_files_that_are_left_out_are_counted_once(tmp_path, said):
    names = 'a.jpg b.JFIF c.GiF d.mp4 1.HEIC 2.heic 3.txt LICENSE .hidden.txt'
    media = open_media(fill(tmp_path / 'folder', names))
    for _ in range(2):
        assert media.names() == ['a.jpg', 'b.JFIF', 'c.GiF', 'd.mp4']
    assert said == [
        f'"{tmp_path}/folder": left out 4 other files: 2 .heic, 1 .txt, 1 without a '
        'suffix (convert .heic to JPEG or PNG)'
    ]


def test_nothing_is_said_where_nothing_is_left_out(tmp_path, said):
    open_media(fill(tmp_path, 'a.jpg .DS_Store')).names()
    assert not said


def test_a_folder_without_images_says_what_it_has(tmp_path):
    message = refusal(open_media(fill(tmp_path, 'a.heic b.txt')).names)
    assert message.endswith(
        'it has 2 other files: 1 .heic, 1 .txt (convert .heic to JPEG or PNG)'
    )


def test_many_suffixes_are_summed_up(tmp_path, said):
    open_media(fill(tmp_path, 'a.jpg a.a b.b c.c d.d e.e f.f g.g')).names()
    assert '7 other files: 1 .a, 1 .b, 1 .c, 1 .d, 1 .e, 2 of other kinds' in said[0]


def test_images_directly_in_a_folder(tmp_path, said):
    folder = fill(tmp_path, 'b.PNG a.jpe .hidden.jpg clip.mp4')
    fill(folder / 'deep.jpg', 'c.jpg')
    assert images_in(folder) == ['a.jpe', 'b.PNG']
    assert said == [f'"{folder}": left out 1 other file: 1 .mp4']


def test_a_format_that_cannot_be_read_is_named(folder):
    (folder / 'a.HEIC').write_bytes(b'')
    message = refusal(open_media, folder / 'a.HEIC')
    assert 'a.HEIC" is a HEIF image, which cannot be read: convert it' in message
    (folder / 'notes.txt').write_text('b.jpg\na.heic\n')
    message = refusal(open_media, folder / 'notes.txt')
    assert 'line 2 of' in message and 'names a HEIF image' in message


# --- Sizes ---------------------------------------------------------------------------


def test_files_are_found_missing_or_unlisted(folder):
    media = [Media(str(folder), ('b.jpg', 'gone.jpg'))]
    found = find_files(['b.jpg', 'gone.jpg', 'a.PNG', 'b.jpg'], media)
    assert found.paths == {'b.jpg': str(folder / 'b.jpg')}
    assert found.missing == {'gone.jpg': str(folder / 'gone.jpg')}
    assert found.unlisted == ['a.PNG']


def test_a_name_must_be_unique_among_the_folders(folder):
    media = [Media(str(folder)), Media(str(folder / 'deep/er'))]
    found = find_files(['c.jpeg', 'b.jpg'], media)
    assert sorted(found.paths) == ['b.jpg', 'c.jpeg']
    (folder / 'deep/er/b.jpg').write_bytes(b'')
    assert '"b.jpg" may be' in refusal(find_files, ['b.jpg'], media)


def test_an_absolute_name_is_used_as_a_path(folder):
    path = str(folder / 'b.jpg')
    assert find_files([path], [Media('elsewhere')]).paths == {path: path}


def test_the_size_of_an_image_with_and_without_exif(tmp_path):
    path = tmp_path / 'turned.jpg'
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new('RGB', (60, 40)).save(path, exif=exif)
    assert image_size(path) == (60, 40)
    assert image_size(path, apply_exif=True) == (40, 60)
    path.write_bytes(b'not an image')
    assert 'turned.jpg" cannot be opened' in refusal(image_size, path)
    assert 'gone.jpg" is missing' in refusal(image_size, tmp_path / 'gone.jpg')


def huge_png(path: Path, width: int, height: int) -> Path:
    """Writes a PNG with the header of a large image, and hardly any pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack('>I', zlib.crc32(kind + content))
        return struct.pack('>I', len(content)) + kind + content + check

    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    data = chunk(b'IHDR', header) + chunk(b'IDAT', zlib.compress(b'0'))
    path.write_bytes(b'\x89PNG\r\n\x1a\n' + data + chunk(b'IEND', b''))
    return path


@pytest.mark.parametrize('size', [(10_000, 9_000), (40_000, 10_000), (60_000, 60_000)])
def test_the_size_of_a_huge_image(tmp_path, size):
    """Pillow warns above 89 million pixels, and refuses twice as many."""
    limit = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        assert image_size(huge_png(tmp_path / 'huge.png', *size)) == size
    assert limit == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize('suffix', ['jpg', 'png', 'webp', 'tif', 'avif'])
@pytest.mark.parametrize('apply_exif', [False, True])
def test_the_size_is_that_of_the_decoded_image(tmp_path, suffix, apply_exif):
    path = tmp_path / f'turned.{suffix}'
    exif = Image.Exif()
    exif[0x0112] = 6
    try:
        Image.new('RGB', (60, 40)).save(path, exif=exif)
    except (KeyError, ValueError, OSError):
        pytest.skip('this Pillow does not write the format')
    if not cv2.haveImageReader(str(path)):
        pytest.skip('this OpenCV does not read the format')
    flag = 0 if apply_exif else cv2.IMREAD_IGNORE_ORIENTATION
    content = np.frombuffer(path.read_bytes(), np.uint8)
    pixels = cv2.imdecode(content, cv2.IMREAD_COLOR | flag)
    assert image_size(path, apply_exif) == pixels.shape[1::-1]


def test_frames_in_any_order_equal_those_read_in_sequence(video):
    one_by_one = list(open_video(video))
    assert [index_of(frame) for frame in one_by_one] == list(range(30))
    for index in [29, 0, 13, 12, 13, 13, 14, 0, 28, *np.random.randint(30, size=30)]:
        np.testing.assert_array_equal(read_frame(video, index), one_by_one[index])


def test_changing_a_frame_does_not_change_the_next_read(video):
    expected = read_frame(video, 7).copy()
    read_frame(video, 7)[:] = 0
    np.testing.assert_array_equal(read_frame(video, 7), expected)


@pytest.mark.parametrize('index', [30, -1])
def test_a_frame_beyond_the_end_is_an_error(video, index):
    assert refusal(read_frame, video, index) == (
        f'video "{video}" has no frame {index}: it has 30, from 0'
    )


def test_a_frame_of_a_truncated_video_is_an_error(video, tmp_path):
    writer = cv2.VideoWriter(
        str(tmp_path / 'whole.avi'), cv2.VideoWriter_fourcc(*'MJPG'), 25, (64, 48)
    )
    for _ in range(30):
        writer.write(np.random.randint(256, size=(48, 64, 3), dtype=np.uint8))
    writer.release()
    content = (tmp_path / 'whole.avi').read_bytes()
    path = tmp_path / 'truncated.avi'
    path.write_bytes(content[: len(content) // 2])
    read_frame(path, 3)
    message = refusal(read_frame, path, 28)
    assert message.startswith(f'frame 28 of video "{path}" cannot be decoded')


def test_an_invalid_video_is_an_error(tmp_path):
    path = tmp_path / 'clip.mp4'
    assert 'clip.mp4" does not exist' in refusal(read_frame, path, 0)
    path.write_bytes(b'not a video')
    assert 'clip.mp4" cannot be opened as a video' in refusal(read_frame, path, 0)
    # OpenCV would open it as the first of a sequence.
    image = tmp_path / 'image_000.jpg'
    cv2.imwrite(str(image), np.zeros((9, 9, 3), np.uint8))
    assert 'cannot be opened as a video' in refusal(read_frame, image, 0)


def test_only_a_few_videos_stay_open(video, tmp_path):
    paths = [tmp_path / f'{index}.mp4' for index in range(MAX_OPEN_VIDEOS + 2)]
    for path in paths:
        path.symlink_to(video)
        read_frame(path, 1)
    opened = _readers[os.getpid()]
    assert list(opened) == [str(path) for path in paths[-MAX_OPEN_VIDEOS:]]
    read_frame(paths[2], 1)
    read_frame(paths[0], 1)
    assert str(paths[2]) in opened and str(paths[3]) not in opened


def test_a_forked_process_opens_the_video_itself(video):
    """Meanwhile, the decoder of the parent is in the middle of the video."""
    read_frame(video, 11)
    with multiprocessing.get_context('fork').Pool(1) as pool:
        found = pool.starmap(read_frame, [(video, 12), (video, 3)])
    assert [index_of(frame) for frame in found] == [12, 3]
    assert index_of(read_frame(video, 12)) == 12

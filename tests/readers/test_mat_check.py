"""MATLAB files that would crash SciPy, or fill the memory, are refused."""

import io
import struct
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import read_mat
from fpd_mmpose.readers.mat_check import MOST_BYTES, check_mat
from tests.helpers.mpii_mat_data import image, person, write_release


def written(compressed: bool = False, **arrays) -> bytes:
    buffer = io.BytesIO()
    savemat(buffer, arrays, do_compression=compressed)
    return buffer.getvalue()


@pytest.mark.parametrize('compressed', [False, True])
def test_what_scipy_writes_is_accepted(compressed, tmp_path):
    check_mat(
        written(
            compressed,
            numbers=np.ones((2, 3)),
            short=np.uint8([[1, 2]]),
            complicated=np.array([1 + 2j]),
            text=['ab', 'c'],
            cells=np.array(['a', 3, np.ones(2)], object),
            nothing=np.zeros((0, 0)),
            nested={'a': {'b': [1.0, 2.0]}},
        )
    )
    path = write_release(tmp_path / 'a.mat', [image('1.jpg', [person({0: (1, 2)})])])
    check_mat(path.read_bytes())


def test_a_wrong_type_is_refused_without_asking_scipy(tmp_path):
    content = bytearray(written(x=np.ones((2, 3))))
    # The tag of the numbers: type 9, 48 bytes.
    place = content.index(struct.pack('<II', 9, 48))
    content[place] = 200
    path = tmp_path / 'x.mat'
    path.write_bytes(content)
    with pytest.raises(UserError, match=r'x\.mat" cannot be read as a MATLAB file'):
        read_mat(path, 'a test', ['x'])


def test_a_file_that_unpacks_to_gigabytes_is_refused():
    head = written(x=np.ones(1))[:128]
    packer = zlib.compressobj(1)
    block = bytes(1 << 24)
    packed = b''.join(packer.compress(block) for _ in range(MOST_BYTES // len(block)))
    packed += packer.compress(block) + packer.flush()
    with pytest.raises(ValueError, match='unpacks to more than'):
        check_mat(head + struct.pack('<II', 15, len(packed)) + packed)


def element(kind: int, content: bytes) -> bytes:
    padding = b'\0' * (-len(content) % 8)
    return struct.pack('<II', kind, len(content)) + content + padding


def matrix(kind: int, sizes: tuple[int, ...], inside: bytes) -> bytes:
    flags, shape = struct.pack('<II', kind, 0), struct.pack(f'<{len(sizes)}i', *sizes)
    head = element(6, flags) + element(5, shape) + element(1, b'x')
    return element(14, head + inside)


def names(count: int) -> bytes:
    """The names of a struct's fields, of eight bytes each."""
    return struct.pack('<HHi', 5, 4, 8) + element(1, bytes(8 * count))


NOTHING = element(14, b'')


@pytest.mark.parametrize(
    'content',
    [
        pytest.param(matrix(4, (1 << 16, 1 << 16), element(16, b'')), id='spaces'),
        pytest.param(matrix(4, (1, 1), element(16, bytes(1 << 26))), id='text'),
        pytest.param(matrix(6, (1 << 27, 1), element(2, b'')), id='small numbers'),
        pytest.param(matrix(1, (6_000_000, 1), NOTHING * 6_000_000), id='cells'),
        pytest.param(
            matrix(2, (1_500_000, 1), names(4) + NOTHING * 6_000_000), id='fields'
        ),
        pytest.param(
            matrix(1, (3, 1), matrix(6, (1 << 25, 1), element(2, b'')) * 3),
            id='all together',
        ),
    ],
)
def test_what_grows_to_gigabytes_in_memory_is_refused(content):
    with pytest.raises(ValueError, match='reading it takes more than'):
        check_mat(written(x=np.ones(1))[:128] + content)


def test_a_struct_of_thousands_of_fields_is_refused():
    content = matrix(2, (0, 0), names(2000))
    with pytest.raises(ValueError, match='more than 1,000 fields'):
        check_mat(written(x=np.ones(1))[:128] + content)


@pytest.mark.parametrize('size', [0, 100, 128, 140, 200])
def test_a_truncated_file_is_refused(size):
    content = written(x=np.ones((4, 4)))[:size]
    if size == 128:
        check_mat(content)  # nothing in it
        return
    with pytest.raises(ValueError):
        check_mat(content)

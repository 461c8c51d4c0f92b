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


@pytest.mark.parametrize('size', [0, 100, 128, 140, 200])
def test_a_truncated_file_is_refused(size):
    content = written(x=np.ones((4, 4)))[:size]
    if size == 128:
        check_mat(content)  # nothing in it
        return
    with pytest.raises(ValueError):
        check_mat(content)

"""Files are written atomically."""

import json
import os
from collections.abc import Iterator

import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done, write_bytes, write_json
from tests.helpers.refusals import refused


@pytest.fixture
def full_disk() -> Iterator[None]:
    """Lets no file grow beyond 1000 bytes."""
    resource = pytest.importorskip('resource')
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def write_text(path, content):
    with replace_when_done(path) as partial:
        partial.write_text(content)


@pytest.mark.parametrize(
    ('write', 'content'),
    [(write_bytes, b'x' * 2000), (write_json, ['x'] * 2000), (write_text, 'x' * 2000)],
)
def test_a_full_disk_is_one_line_and_leaves_the_old_file(
    write, content, tmp_path, full_disk
):
    path = tmp_path / 'old.json'
    path.write_text('old')
    assert (
        refused(write, path, content) == f'"{path}" cannot be written: File too large'
    )
    assert path.read_text() == 'old' and os.listdir(tmp_path) == ['old.json']


@pytest.mark.parametrize('write', [write_json, write_text])
def test_a_folder_in_the_way_is_one_line(write, tmp_path):
    (tmp_path / 'folder').mkdir()
    with pytest.raises(UserError, match='folder" cannot be written: Is a directory'):
        write(tmp_path / 'folder', 'x')
    assert os.listdir(tmp_path) == ['folder']


def test_another_error_passes_and_leaves_the_old_file(tmp_path):
    path = tmp_path / 'old.json'
    write_json(path, [1])
    with pytest.raises(FileNotFoundError, match='input.txt'):
        with replace_when_done(path):
            open(tmp_path / 'input.txt')
    assert json.loads(path.read_text()) == [1]

"""MMEngine writes local files atomically."""

import os

import mmengine
import pytest
from mmengine.fileio import FileClient, LocalBackend, get_file_backend


def test_it_is_the_backend_of_local_files():
    backends = (
        get_file_backend('/tmp/x'),
        get_file_backend('/tmp/x', backend_args=dict(backend='local')),
        FileClient('disk').client,
    )
    assert {type(backend).__name__ for backend in backends} == {'WholeFileBackend'}
    assert all(isinstance(backend, LocalBackend) for backend in backends)


def test_a_write_that_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / 'new' / 'a.json'
    mmengine.dump([1], path)
    assert mmengine.load(path) == [1]

    def full(handle):
        raise OSError(28, 'No space left on device')

    monkeypatch.setattr(os, 'fsync', full)
    with pytest.raises(ValueError, match='a.json" cannot be written: No space left'):
        get_file_backend(str(path)).put(b'[2]', path)
    assert [mmengine.load(path)] == [[1]] and os.listdir(path.parent) == ['a.json']


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / 'target', tmp_path / 'link'
    link.symlink_to(target)
    get_file_backend(str(link)).put_text('ä', link)
    assert link.is_symlink() and target.read_text(encoding='utf-8') == 'ä'


def test_a_device_is_written_directly(tmp_path):
    pipe = tmp_path / 'pipe'
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    get_file_backend(str(pipe)).put(b'x', pipe)
    assert os.read(reader, 9) == b'x' and pipe.is_fifo()
    os.close(reader)

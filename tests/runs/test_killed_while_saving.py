"""A run killed at any moment can resume, and its best checkpoint is complete."""

import builtins
import io
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.helpers.tiny import files, trained

pytestmark = [
    pytest.mark.untrained,
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork'),
]


class Moments:
    """Counts the changes to the files of a run, and kills the process at one."""

    def __init__(self, folder: Path, fatal: int):
        self.folder, self.fatal, self.count = str(folder), fatal, 0

    def concerns(self, path: Any) -> bool:
        name = os.path.basename(os.fspath(path)) if isinstance(path, str | Path) else ''
        return str(path).startswith(self.folder) and (
            '.pth' in name or 'last_checkpoint' in name
        )

    def passed(self) -> None:
        self.count += 1
        if self.count == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def install(self) -> None:
        def audit(event: str, args: tuple) -> None:
            changes = event in ('os.rename', 'os.remove') or (
                event == 'open' and args[2] & (os.O_WRONLY | os.O_RDWR)
            )
            if changes and self.concerns(args[0]):
                self.passed()

        def open_in_halves(
            path: Any, mode: str = 'r', *args: Any, **kwargs: Any
        ) -> Any:
            file = original(path, mode, *args, **kwargs)
            halves = 'w' in mode and self.concerns(path)
            return Halves(file, self) if halves else file

        original = builtins.open
        builtins.open = io.open = open_in_halves
        sys.addaudithook(audit)


class Halves:
    """A file that can be killed in the middle of a write."""

    def __init__(self, file: Any, moments: Moments):
        self.file, self.moments = file, moments

    def __enter__(self) -> 'Halves':
        return self

    def __exit__(self, *error: Any) -> None:
        self.file.close()

    def write(self, content: Any) -> int:
        half = len(content) // 2
        self.file.write(content[:half])
        self.file.flush()
        self.moments.passed()
        return half + self.file.write(content[half:])


def in_child(folder: Path, fatal: int) -> int:
    """Resumes a run in its own process; returns its moments, or 0 if killed."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        try:
            moments = Moments(folder, fatal)
            moments.install()
            trained(folder, epochs=3, resume=True)
            os.write(writer, str(moments.count).encode())
        finally:
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        count = pipe.read()
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return 0
    return int(count)


def test_at_each_moment_of_saving(tmp_path):
    base = tmp_path / 'base'
    trained(base, epochs=2)
    whole = tmp_path / 'whole'
    shutil.copytree(base, whole)
    moments = in_child(whole, fatal=0)
    # Three checkpoints and two pointers are written, two files removed.
    assert moments >= 17
    for fatal in range(1, moments + 1):
        folder = tmp_path / str(fatal)
        shutil.copytree(base, folder)
        assert in_child(folder, fatal) == 0
        there = files(folder)
        for name in there:
            assert torch.load(folder / name)['state_dict'], (fatal, name)
        runner = trained(folder, epochs=4, resume=True)
        assert runner.epoch == 4
        best = [name for name in files(folder) if name.startswith('best')]
        assert best == ['best_test_up_epoch_4.pth'], (fatal, there)
        assert {'epoch_3.pth', 'epoch_4.pth'} <= files(folder)
        assert not list(folder.glob('.*')), fatal  # left by the kill
        shutil.rmtree(folder)


def test_a_best_checkpoint_that_no_other_names_is_adopted(tmp_path):
    # A kill between the new best checkpoint and the one that names it leaves this.
    trained(tmp_path, epochs=1, scores=dict(up=[2.0]))
    old = torch.load(tmp_path / 'epoch_1.pth')
    trained(tmp_path, epochs=2, resume=True, scores=dict(up=[2.0, 3.0]))
    content = torch.load(tmp_path / 'epoch_2.pth')
    content['message_hub']['runtime_info'].update(
        best_score=2.0, best_ckpt=old['message_hub']['runtime_info']['best_ckpt']
    )
    torch.save(content, tmp_path / 'epoch_2.pth')
    runner = trained(tmp_path, epochs=3, resume=True, scores=dict(up=[2.0, 3.0, 2.5]))
    assert runner.message_hub.get_info('best_score') == 3.0
    assert 'best_test_up_epoch_2.pth' in files(tmp_path)
    assert 'best_test_up_epoch_3.pth' not in files(tmp_path)

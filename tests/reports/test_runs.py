"""Reading finished runs as MMEngine leaves them."""

import json
import time

import pytest
import torch

from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.finished_runs import (
    Start,
    read_checkpoint,
    read_run,
    same_file,
    start_of,
)
from fpd_mmpose.reports.logs import read_log
from tests.helpers.finished import config_text, metrics, write_log, write_run


def means(log):
    return {epoch: m['PCKh/Mean'] for epoch, m in log.validations.items()}


class TestLogs:
    def test_a_resumed_run_continues_where_it_stopped(self, tmp_path):
        first, second = tmp_path / '20260101_000000', tmp_path / '20260102_000000'
        write_log(first, {1: 1.0, 2: 2.0, 3: 3.0}, config_text('start.pth'))
        # tools/train.py --resume drops `load_from`.
        write_log(second, {3: 30.0, 4: 4.0}, config_text(resume=True))
        log = read_log(tmp_path)
        assert means(log) == {1: 1.0, 2: 2.0, 3: 30.0, 4: 4.0}
        assert log.last_epoch == 4
        assert start_of(log.config.read_text()) == Start('start.pth', False)

    def test_a_restarted_run_replaces_the_first_one(self, tmp_path):
        config = config_text()
        write_log(tmp_path / '20260101_000000', {1: 1.0, 2: 2.0, 3: 3.0}, config)
        write_log(tmp_path / '20260102_000000', {1: 10.0, 2: 20.0}, config)
        log = read_log(tmp_path)
        assert means(log) == {1: 10.0, 2: 20.0} and log.last_epoch == 2
        assert log.config.parent.parent.name == '20260102_000000'

    def test_blank_lines_without_end_are_read_at_once(self, tmp_path):
        folder = tmp_path / '20260101_000000'
        write_log(folder, {1: 1.0}, config_text())
        (folder / f'{folder.name}.log').write_text('\n' * 60_000)
        start = time.process_time()
        assert read_log(tmp_path).processes is None
        assert time.process_time() - start < 2

    def test_a_run_of_iterations_is_validated_at_steps(self, tmp_path):
        lines = (
            dict(loss=0.1, lr=0.1, iter=50, step=50),
            dict(loss=0.1, lr=0.1, iter=100, step=100),
            dict(**metrics(5.0), step=100),
        )
        path = tmp_path / 'scalars.json'
        path.write_text(''.join(json.dumps(line) + '\n' for line in lines))
        assert read_log(path).validations == {100: metrics(5.0)}

    def test_metrics_of_a_test(self, tmp_path):
        path = tmp_path / 'metrics.json'
        path.write_text(json.dumps({**metrics(5.0), 'time': 1.0, 'data_time': 2.0}))
        assert read_log(path).metrics == metrics(5.0)

    def test_a_truncated_last_line_is_ignored(self, tmp_path):
        write_log(tmp_path / '20260101_000000', {1: 1.0, 2: 2.0}, config_text())
        path = tmp_path / '20260101_000000' / 'vis_data' / 'scalars.json'
        path.write_text(path.read_text()[:-20])
        assert means(read_log(path)) == {1: 1.0}

    @pytest.mark.parametrize(
        'text, error',
        [
            ('', 'is empty'),
            ('Epoch(train) [1]\nloss: 1\n', 'line 1: not JSON .*scalars.json'),
            ('[1, 2]', 'expected JSON objects'),
        ],
    )
    def test_other_files(self, tmp_path, text, error):
        path = tmp_path / 'log'
        path.write_text(text)
        with pytest.raises(UserError, match=f'log "{path}".*{error}'):
            read_log(path)

    def test_missing_files(self, tmp_path):
        with pytest.raises(
            UserError, match='has no log: expected <time>/vis_data/scal'
        ):
            read_log(tmp_path)
        with pytest.raises(UserError, match='log ".*x" does not exist: expected'):
            read_log(tmp_path / 'x')


class TestCheckpoints:
    def test_the_epoch_comes_from_the_file_or_from_its_name(self, tmp_path):
        torch.save(dict(meta=dict(epoch=7, iter=70)), tmp_path / 'a.pth')
        torch.save(dict(weight=torch.ones(1)), tmp_path / 'best_AP_epoch_12.pth')
        torch.save(dict(weight=torch.ones(1)), tmp_path / 'b.pth')
        first = read_checkpoint(tmp_path / 'a.pth')
        assert (first.epoch, first.steps, first.is_best) == (7, 70, False)
        second = read_checkpoint(tmp_path / 'best_AP_epoch_12.pth')
        assert (second.epoch, second.steps, second.is_best) == (12, None, True)
        assert read_checkpoint(tmp_path / 'b.pth').epoch is None

    def test_another_file_is_not_one(self, tmp_path):
        (tmp_path / 'train.json').write_text('{}')
        with pytest.raises(UserError, match='train.json" is not a PyTorch file'):
            read_checkpoint(tmp_path / 'train.json')

    def test_nothing_in_a_file_is_executed(self, tmp_path):
        class Evil:
            def __reduce__(self):
                return (exec, (f'open({str(tmp_path / "ran")!r}, "w")',))

        torch.save(dict(meta=Evil()), tmp_path / 'a.pth')
        with pytest.raises(UserError, match='^checkpoint ".*a.pth" is refused: '):
            read_checkpoint(tmp_path / 'a.pth')
        text = f'open({str(tmp_path / "ran")!r}, "w")\nload_from = "x.pth"'
        assert start_of(text) == Start('x.pth', False)
        assert not (tmp_path / 'ran').exists()

    @pytest.mark.parametrize('value', ['5', 'True', "b'x.pth'", "''", '...'])
    def test_a_start_that_is_not_a_path_is_ignored(self, value):
        assert start_of(f'load_from = {value}') is None

    @pytest.mark.parametrize('start', ['a\0b', '~nobody_of_this_name/a', 'a' * 5000])
    def test_a_start_that_cannot_be_a_path_is_another_file(self, start, tmp_path):
        assert not same_file(start, tmp_path / 'a.pth')


class TestWorkDirs:
    def test_the_best_checkpoint_is_used_or_else_the_last(self, tmp_path):
        run = read_run([f'a={write_run(tmp_path / "a", {1: 2.0, 2: 1.0}, best=1)}'])
        assert (run.name, run.checkpoint.epoch, run.epochs) == ('a', 1, 2)
        run = read_run([f'b={write_run(tmp_path / "b", {1: 2.0, 2: 1.0})}'])
        assert (run.checkpoint.epoch, run.epochs) == (2, 2)

    def test_a_folder_that_was_moved(self, tmp_path):
        write_run(tmp_path / 'a', {1: 1.0}).rename(tmp_path / 'b')
        run = read_run([f'a={tmp_path / "b"}'])
        assert run.checkpoint.path == tmp_path / 'b' / 'epoch_1.pth'

    def test_missing_and_ambiguous_files(self, tmp_path):
        with pytest.raises(UserError, match='"nowhere" is not a folder'):
            read_run(['a=nowhere'])
        with pytest.raises(UserError, match='must be NAME CONFIG .*, got "a b"'):
            read_run(['a', 'b'])
        folder = write_run(tmp_path / 'a', {1: 1.0, 2: 2.0}, best=1)
        (folder / 'best_PCKh_Mean_epoch_2.pth').touch()
        with pytest.raises(UserError, match='has 2 best checkpoints .*epoch_1.pth, '):
            read_run([f'a={folder}'])
        (folder / 'other.py').touch()
        with pytest.raises(UserError, match='has 2 configs'):
            read_run([f'a={folder}'])

"""The checkpoint that a run resumes from."""

import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

from fpd_mmpose.errors import UserError
from tests.helpers.tiny import tiny_runner, trained


@pytest.fixture
def weights(tmp_path) -> Path:
    path = tmp_path / 'student.pth'
    torch.save(tiny_runner(tmp_path / 'other').model.state_dict(), path)
    return path


def start_of(runner) -> torch.Tensor:
    """Returns the weights before the first step."""
    runner.call_hook('before_run')
    runner.model.layers[0].weight.data.fill_(7)
    runner.load_or_resume()
    return runner.model.layers[0].weight.data.clone()


class TestBeforeTheFirstCheckpoint:
    @pytest.fixture
    def config(self, tmp_path, weights) -> Config:
        path = tmp_path / 'recipe.py'
        path.write_text(f'load_from = {str(weights)!r}')
        config = Config.fromfile(path)
        config.load_from = None  # as MMPose's tools/train.py does
        return config

    def started(self, tmp_path, config, monkeypatch, *arguments):
        monkeypatch.setattr(sys, 'argv', ['train.py', 'recipe.py', *arguments])
        runner = tiny_runner(tmp_path / 'run', resume=True, cfg=config)
        return start_of(runner), runner

    @pytest.mark.parametrize('option', ['--resume', '--res', '--resume=auto'])
    def test_the_command_falls_back_to_load_from(
        self, tmp_path, config, weights, monkeypatch, option
    ):
        start, _ = self.started(tmp_path, config, monkeypatch, option)
        assert torch.equal(start, torch.load(weights)['layers.0.weight'])
        # The saved config records it, for tools/compare.py.
        left = Config.fromfile(tmp_path / 'run' / 'recipe.py')
        assert (left.load_from, left.resume) == (str(weights), False)

    @pytest.mark.parametrize(
        'arguments', [[], ['--resume', '--cfg-options', 'load_from=None']]
    )
    def test_none_means_none(self, tmp_path, config, monkeypatch, arguments):
        start, _ = self.started(tmp_path, config, monkeypatch, *arguments)
        assert (start == 7).all()

    def test_the_log_says_so(self, tmp_path, config, weights, monkeypatch):
        _, runner = self.started(tmp_path, config, monkeypatch, '--resume')
        (log,) = Path(runner.log_dir).glob('*.log')
        assert f'no checkpoint to resume in "{runner.work_dir}"' in log.read_text()
        assert f'training starts from load_from="{weights}"' in log.read_text()


class TestWhichCheckpoint:
    @pytest.fixture
    def run(self, tmp_path) -> Path:
        trained(tmp_path / 'run', epochs=3, checkpoint=dict(max_keep_ckpts=5))
        return tmp_path / 'run'

    def resumed_epoch(self, run: Path, **settings) -> int:
        runner = tiny_runner(run, epochs=4, resume=True, **settings)
        start_of(runner)
        return runner.epoch

    def test_the_one_that_last_checkpoint_names(self, run):
        (run / 'last_checkpoint').write_text('/gone/elsewhere/epoch_2.pth')
        assert self.resumed_epoch(run) == 2

    @pytest.mark.parametrize('size', [0, 1, 500, -1])
    def test_an_older_one_if_it_is_damaged(self, run, size):
        path = run / 'epoch_3.pth'
        path.write_bytes(path.read_bytes()[:size])
        assert self.resumed_epoch(run) == 2

    def test_an_older_one_if_two_of_its_bits_are_flipped(self, run):
        path = run / 'epoch_3.pth'
        content = bytearray(path.read_bytes())
        state = torch.load(path)['optimizer']['state'][0]['exp_avg'].numpy().tobytes()
        at = content.index(state)
        content[at] ^= 1
        content[at + 1] ^= 1
        path.write_bytes(content)
        torch.load(path)
        assert self.resumed_epoch(run) == 2

    def test_an_older_one_if_it_is_missing(self, run):
        (run / 'epoch_3.pth').unlink()
        (run / 'epoch_9.pth').write_bytes((run / 'epoch_1.pth').read_bytes())
        assert self.resumed_epoch(run) == 2

    @pytest.mark.parametrize(
        'text', [b'', b'\xff\0', b'..', b'/etc/passwd', b'x' * 9000]
    )
    def test_the_newest_if_the_pointer_is_damaged(self, run, text):
        (run / 'last_checkpoint').write_bytes(text)
        assert self.resumed_epoch(run) == 3

    def test_no_readable_one_is_an_error(self, run):
        for path in run.glob('epoch_*.pth'):
            path.write_bytes(b'x')
        with pytest.raises(ValueError, match='none of the 3 checkpoints.*move them'):
            self.resumed_epoch(run)

    def test_a_named_file_has_no_replacement(self, run):
        path = run / 'epoch_1.pth'
        assert self.resumed_epoch(run, load_from=str(path)) == 1
        path.write_bytes(b'x')
        with pytest.raises(ValueError, match='epoch_1.pth'):
            self.resumed_epoch(run, load_from=str(path))


class TestFilesThatCannotBeResumed:
    def test_weights_alone(self, tmp_path, weights):
        with pytest.raises(
            ValueError, match='student.pth" holds weights alone.*load_from'
        ):
            trained(tmp_path / 'run', resume=True, load_from=str(weights))

    def test_a_call_of_the_runner_is_checked_too(self, tmp_path, weights):
        with pytest.raises(ValueError, match='student.pth" holds weights alone'):
            tiny_runner(tmp_path / 'run').resume(str(weights))

    @pytest.mark.parametrize(
        'change',
        [
            dict(meta=None),
            dict(meta=dict(epoch='1', iter=4)),
            dict(meta=dict(epoch=1, iter=4, seed='x')),
            dict(message_hub=[]),
            dict(
                message_hub=dict(log_scalars={}, runtime_info={}, resumed_keys={1: 1})
            ),
            dict(optimizer=3),
            dict(optimizer={}),
            dict(param_schedulers=7),
        ],
    )
    def test_wrong_types_are_one_line(self, tmp_path, change):
        trained(tmp_path)
        content = torch.load(tmp_path / 'epoch_1.pth')
        torch.save({**content, **change}, tmp_path / 'x.bin')
        with pytest.raises(
            UserError, match='x.bin" (cannot be resumed|is damaged)'
        ) as info:
            trained(tmp_path, 2, resume=True, load_from=str(tmp_path / 'x.bin'))
        assert '\n' not in str(info.value)

    @pytest.mark.parametrize(
        'place, value',
        [
            (('param_groups', 0, 'lr'), 'x'),
            (('param_groups', 0, 'lr'), float('nan')),
            (('param_groups', 0, 'betas'), 3),
            (('param_groups', 0, 'amsgrad'), 0.5),
            (('param_groups', 0, 'params'), []),
            (('param_groups', 0), {'params': [0, 1, 2, 3]}),
            (('param_groups',), []),
            (('base_param_settings',), 3),
            (('state', 0), 3),
            (('state', 0, 'exp_avg'), torch.zeros(3)),
            (('state', 0, 'exp_avg_sq'), 'x'),
        ],
    )
    def test_an_optimizer_that_would_fail_later_is_refused(
        self, tmp_path, place, value
    ):
        trained(tmp_path)
        content = torch.load(tmp_path / 'epoch_1.pth')
        part = content['optimizer']
        for key in place[:-1]:
            part = part[key]
        part[place[-1]] = value
        torch.save(content, tmp_path / 'x.bin')
        with pytest.raises(UserError, match='x.bin" cannot be resumed') as info:
            trained(tmp_path, 2, resume=True, load_from=str(tmp_path / 'x.bin'))
        assert '\n' not in str(info.value)

    def test_logs_of_wrong_types_are_dropped(self, tmp_path):
        trained(tmp_path)
        path = tmp_path / 'epoch_1.pth'
        content = torch.load(path)
        hub = content['message_hub']
        hub['log_scalars']['train/lr'] = 3
        hub['resumed_keys'].update({'best_ckpt': False, 'train/loss': 'x'})
        torch.save(content, path)
        assert trained(tmp_path, 2, resume=True).epoch == 2


class TestACompleteRun:
    def test_its_own_checkpoint_says_what_to_change(self, tmp_path):
        trained(tmp_path, epochs=2)
        runner = trained(tmp_path, epochs=2, resume=True)
        (log,) = Path(runner.log_dir).glob('*.log')
        assert 'epoch 2 of 2: this run is complete' in log.read_text()
        assert 'raise train_cfg.max_epochs' in log.read_text()

    def test_the_checkpoint_of_another_run_is_an_error(self, tmp_path):
        trained(tmp_path / 'a', epochs=2)
        checkpoint = str(tmp_path / 'a' / 'epoch_2.pth')
        with pytest.raises(ValueError, match='this run is complete.*load_from'):
            trained(tmp_path / 'b', epochs=2, resume=True, load_from=checkpoint)

    def test_iterations(self, tmp_path):
        steps = dict(
            train_cfg=dict(by_epoch=False, max_iters=3, val_interval=9),
            checkpoint=dict(by_epoch=False, save_best=None),
        )
        trained(tmp_path, **steps)
        runner = trained(tmp_path, resume=True, **steps)
        (log,) = Path(runner.log_dir).glob('*.log')
        assert 'iteration 3 of 3: this run is complete' in log.read_text()


def test_the_log_says_that_a_best_checkpoint_lacks_the_optimizer(tmp_path):
    trained(tmp_path)
    best = str(tmp_path / 'best_test_up_epoch_1.pth')
    runner = trained(tmp_path, 2, resume=True, load_from=best)
    (log,) = Path(runner.log_dir).glob('*.log')
    assert 'no state of the optimizer' in log.read_text()

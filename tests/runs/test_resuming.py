"""The checkpoint that a run resumes from."""

import copy
import functools
import operator
import re
import sys
from math import nan as NAN
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import HistoryBuffer

from fpd_mmpose.errors import UserError
from fpd_mmpose.runs.training_state import check_optimizers
from tests.helpers.tiny import tiny_runner, trained

#: Stands for what is left out of a checkpoint.
GONE = object()


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


@pytest.fixture(scope='module')
def written(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp('complete')
    trained(folder)
    return torch.load(folder / 'epoch_1.pth')


class TestFilesThatCannotBeResumed:
    @pytest.fixture
    def complete(self, written) -> dict:
        return copy.deepcopy(written)

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
            dict(state_dict=3),
            dict(ema_state_dict=3),
            dict(ema_state_dict={'steps': torch.tensor(NAN)}),
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
        'place, value, problem',
        [
            ('param_groups.0.lr', 'x', '`lr`.*x'),
            ('param_groups.0.lr', NAN, '`lr`.*nan'),
            ('param_groups.0.lr', -1.0, '`lr`.*-1'),
            ('param_groups.0.weight_decay', 1e300, '`weight_decay`.*1e.300'),
            ('param_groups.0.betas', 3, '`betas`'),
            ('param_groups.0.betas', (0.9, 1.5), 'beta'),
            ('param_groups.0.amsgrad', 0.5, '`amsgrad`'),
            ('param_groups.0.amsgrad', True, 'max_exp_avg_sq'),
            ('param_groups.0.initial_lr', NAN, '`initial_lr`'),
            ('param_groups.0.params', [], 'size'),
            ('param_groups.0.params', [0, 0, 1, 2, 3, 4], 'of no parameter'),
            ('param_groups.0', {'params': [0, 1, 2, 3]}, ''),
            ('param_groups.0', {'params': [0, 1, 2, 3, 4, 5]}, 'lr'),
            ('param_groups', [], 'groups'),
            ('base_param_settings', 3, ''),
            ('state', GONE, 'state'),
            ('state.9', {}, 'of no parameter'),
            ('state.0', 3, ''),
            ('state.0', {}, 'step'),
            ('state.0.step', -1.0, '`step`'),
            ('state.0.step', torch.tensor(-1.0), '`step`.*negative'),
            ('state.0.step', torch.tensor(NAN), '`step`.*NaN'),
            ('state.0.step', torch.tensor(4), '`step`.*type'),
            ('state.0.exp_avg', GONE, 'exp_avg'),
            ('state.0.exp_avg', torch.zeros(3), '`exp_avg`.*shape'),
            ('state.0.exp_avg', torch.full((4, 2), NAN), '`exp_avg`.*NaN'),
            ('state.0.exp_avg_sq', 'x', '`exp_avg_sq`'),
            ('state.0.exp_avg_sq', torch.full((4, 2), -1.0), '`exp_avg_sq`.*neg'),
        ],
    )
    def test_an_optimizer_that_would_fail_later_is_refused(
        self, complete, tmp_path, place, value, problem
    ):
        self.refused(complete, tmp_path, f'optimizer.{place}', value, problem)

    @pytest.mark.parametrize(
        'place, value, problem',
        [
            ('', [], 'list of 1'),
            ('0', None, '.0.` is None'),
            ('0.last_step', GONE, '.0.` is'),
            ('0.last_step', -3, '`last_step` of .* is -3'),
            ('0.last_step', 0.5, '`last_step` of .* is 0.5'),
            ('0.step', 3, '.0.` is'),
            ('0.param_name', 'x', "`param_name` of .* is 'x'"),
            ('0.base_values', [], '`base_values`'),
            ('0.base_values', [NAN], '`base_values`'),
            ('0.gamma', 'x', '`gamma`'),
            ('0.milestones', {2: 'x'}, '`milestones`'),
            ('0.by_epoch', 'x', '`by_epoch`'),
        ],
    )
    def test_a_schedule_that_would_fail_later_is_refused(
        self, complete, tmp_path, place, value, problem
    ):
        place = f'param_schedulers.{place}'.rstrip('.')
        self.refused(complete, tmp_path, place, value, problem)

    def refused(self, complete, tmp_path, place, value, problem):
        content = complete
        *parts, last = [int(k) if k.isdecimal() else k for k in place.split('.')]
        part = functools.reduce(operator.getitem, parts, content)
        if value is GONE:
            del part[last]
        else:
            part[last] = value
        torch.save(content, tmp_path / 'x.bin')
        runner = tiny_runner(tmp_path, 2)
        with pytest.raises(UserError, match='x.bin" cannot be resumed') as info:
            runner.resume(str(tmp_path / 'x.bin'))
        assert re.search(problem, str(info.value)) and '\n' not in str(info.value)

    @pytest.mark.parametrize(
        'optimizer',
        [
            dict(type='Adam', amsgrad=True),
            dict(type='AdamW', lr=0.0),
            dict(type='SGD', lr=0.01),
            dict(type='SGD', lr=0.01, momentum=0.9),
            dict(type='RMSprop', centered=True, momentum=0.5),
            dict(type='Adagrad'),
            dict(type='Adadelta'),
            dict(type='Adamax'),
            dict(type='ASGD'),
            dict(type='NAdam'),
            dict(type='RAdam'),
            dict(type='Rprop'),
        ],
        ids=lambda optimizer: optimizer['type'],
    )
    def test_what_optimizers_save_is_taken(self, tmp_path, optimizer):
        settings = dict(
            optim_wrapper=dict(optimizer=optimizer),
            param_scheduler=[
                dict(type='LinearLR', start_factor=0.1, by_epoch=False, end=3),
                dict(type='CosineAnnealingLR', T_max=2, convert_to_iter_based=True),
                dict(type='ReduceOnPlateauLR', monitor='test/up'),
            ],
        )
        trained(tmp_path, **settings)
        assert trained(tmp_path, 2, resume=True, **settings).epoch == 2

    def test_a_parameter_without_state_starts_anew(self, complete, tmp_path):
        del complete['optimizer']['state'][3]
        torch.save(complete, tmp_path / 'x.bin')
        runner = trained(tmp_path, 2, resume=True, load_from=str(tmp_path / 'x.bin'))
        (log,) = Path(runner.log_dir).glob('*.log')
        assert 'no state of 1 parameters' in log.read_text()

    def test_the_scale_of_the_losses_is_checked(self, tmp_path):
        wrapper = tiny_runner(tmp_path).build_optim_wrapper(
            dict(optimizer=dict(type='SGD', lr=0.1))
        )
        wrapper.loss_scaler = torch.amp.GradScaler('cpu')
        check_optimizers(wrapper)
        wrapper.loss_scaler.load_state_dict(
            {**wrapper.loss_scaler.state_dict(), 'scale': NAN}
        )
        with pytest.raises(ValueError, match='`scale` of the loss scaler'):
            check_optimizers(wrapper)

    @pytest.mark.parametrize(
        'change, problem',
        [
            (dict(weight=torch.zeros(3)), 'size'),
            (dict(weight=torch.full((4, 2), NAN)), 'average of "layers.0.weight"'),
            (dict(weight='x'), ''),
        ],
    )
    def test_averages_that_do_not_fit_are_refused(self, tmp_path, change, problem):
        hooks = dict(custom_hooks=[dict(type='EMAHook')])
        trained(tmp_path, **hooks)
        content = torch.load(tmp_path / 'epoch_1.pth')
        # The names of the averaged and the trained weights are swapped in the file.
        content['state_dict']['layers.0.weight'] = change['weight']
        torch.save(content, tmp_path / 'x.bin')
        runner = tiny_runner(
            tmp_path, 2, resume=True, load_from=str(tmp_path / 'x.bin'), **hooks
        )
        with pytest.raises(
            UserError, match='x.bin" (cannot be resumed|does not fit)'
        ) as info:
            runner.train()
        assert re.search(problem, str(info.value))

    def test_another_schedule_can_be_asked_for(self, complete, tmp_path):
        complete['param_schedulers'] = []
        torch.save(complete, tmp_path / 'x.bin')
        runner = tiny_runner(tmp_path, 2)
        runner.resume(str(tmp_path / 'x.bin'), resume_param_scheduler=False)
        assert runner.epoch == 1

    def test_logs_that_cannot_be_continued_are_dropped(self, tmp_path):
        trained(tmp_path)
        path = tmp_path / 'epoch_1.pth'
        content = torch.load(path)
        hub = content['message_hub']
        hub['log_scalars']['train/lr'] = 3
        history = HistoryBuffer([1.0], [1])
        history.max_length = -1
        hub['log_scalars']['train/loss'] = history
        hub['log_scalars']['train/of_nothing'] = HistoryBuffer()
        hub['resumed_keys']['train/of_nothing'] = True
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

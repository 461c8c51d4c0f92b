"""A resumed run goes on as if it had never stopped."""

import os
import signal
import threading

import pytest
import torch
from mmengine.hooks import Hook
from torch.utils.data import Dataset

from tests.helpers.tiny import edit, files, tiny_runner


class Noise(Dataset):
    """Sixteen people, each drawn anew."""

    def __init__(self):
        self.read = []

    def __len__(self):
        return 16

    def __getitem__(self, index):
        self.read.append(index)
        return dict(inputs=torch.randn(2))


class Do(Hook):
    """Does something once, at a moment of the run."""

    priority = 'LOWEST'

    def __init__(self, moment, step, action):
        self.step, self.action, self.count = step, action, 0
        setattr(self, moment, self._pass)

    def _pass(self, runner, *args, **kwargs):
        self.count += 1
        if self.count == self.step:
            self.action()


class Killed(BaseException):
    pass


def kill():
    raise Killed


def send(number):
    return lambda: os.kill(os.getpid(), number)


def make(folder, by_epoch=True, steps=12, hooks=(), **settings):
    settings = dict(accumulative_counts=1, checkpoint={}) | settings
    checkpoint = dict(by_epoch=by_epoch, interval=1 if by_epoch else 4)
    schedule = dict(by_epoch=True, max_epochs=steps // 4)
    sampler = 'DefaultSampler' if by_epoch else 'InfiniteSampler'
    if not by_epoch:
        schedule = dict(by_epoch=False, max_iters=steps, val_interval=4)
        settings.update(scores=dict(up=[2.0]))
    settings['checkpoint'] = checkpoint | settings['checkpoint']
    runner = tiny_runner(
        folder,
        train_cfg=schedule,
        train_dataloader=dict(
            batch_size=4,
            sampler=dict(type=sampler),
            dataset=Noise(),
            num_workers=0,
            collate_fn=dict(type='default_collate'),
        ),
        **settings,
    )
    for hook in hooks:
        runner.register_hook(hook)
    return runner


def weights(runner):
    return torch.cat([value.flatten().double() for value in final(runner)])


def final(runner):
    yield from runner.model.state_dict().values()
    for state in runner.optim_wrapper.optimizer.state.values():
        yield from (state['exp_avg'], state['exp_avg_sq'])


def run(*args, **settings):
    runner = make(*args, **settings)
    runner.train()
    return runner


@pytest.mark.parametrize('by_epoch', [True, False])
class TestAfterAKill:
    def test_the_weights_are_those_of_an_unbroken_run(self, tmp_path, by_epoch):
        expected = run(tmp_path / 'whole', by_epoch)
        for step in (6, 3):
            runner = make(
                tmp_path / 'killed',
                by_epoch,
                hooks=[Do('after_train_iter', step, kill)],
                resume=True,
            )
            with pytest.raises(Killed):
                runner.train()
        found = run(tmp_path / 'killed', by_epoch, resume=True)
        assert torch.equal(weights(found), weights(expected))
        assert found.iter == 12

    def test_the_missed_validation_is_made_up_for(self, tmp_path, by_epoch):
        runner = make(tmp_path, by_epoch, hooks=[Do('before_val_epoch', 2, kill)])
        with pytest.raises(Killed):
            runner.train()
        hook = Do('before_val_epoch', 0, kill)
        runner = run(tmp_path, by_epoch, resume=True, hooks=[hook])
        assert hook.count == 2
        assert len([name for name in files(tmp_path) if 'best' in name]) == 1

    def test_that_of_the_last_step_too(self, tmp_path, by_epoch):
        runner = make(tmp_path, by_epoch, hooks=[Do('before_val_epoch', 3, kill)])
        with pytest.raises(Killed):
            runner.train()
        hook = Do('before_val_epoch', 0, kill)
        run(tmp_path, by_epoch, resume=True, hooks=[hook])
        assert hook.count == 1


def test_a_run_without_a_seed_goes_on_with_its_own(tmp_path):
    settings = dict(randomness=dict(seed=None), by_epoch=False)
    first = make(tmp_path, hooks=[Do('after_train_iter', 6, kill)], **settings)
    with pytest.raises(Killed):
        first.train()
    second = run(tmp_path, resume=True, **settings)
    assert second.seed == first.seed
    sampler = second.train_dataloader.sampler
    assert sampler.seed == first.train_dataloader.sampler.seed


def test_what_was_trained_on_is_not_read_again(tmp_path):
    run(tmp_path, by_epoch=False, steps=8)
    runner = run(tmp_path, by_epoch=False, resume=True)
    assert len(runner.train_dataloader.dataset.read) == 16


@pytest.mark.parametrize('wrong', [-1, 5, 1.0, 'a', None, True])
def test_a_wrong_position_in_a_checkpoint_is_the_start_of_the_epoch(tmp_path, wrong):
    run(tmp_path, steps=4)
    edit(tmp_path / 'epoch_1.pth', batches_of_epoch=wrong, sampler_seed=wrong)
    runner = run(tmp_path, steps=8, resume=True)
    assert runner.iter == 8 and len(runner.train_dataloader.dataset.read) == 16


class TestTold:
    @pytest.fixture(autouse=True)
    def pythons_own_handler(self):
        # Those who run the tests may have another, or ignore the signal.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        yield
        signal.signal(signal.SIGINT, before)

    @pytest.mark.parametrize('by_epoch', [True, False])
    @pytest.mark.parametrize(
        ('number', 'status'), [(signal.SIGTERM, 143), (signal.SIGINT, 130)]
    )
    def test_it_finishes_the_step_saves_and_exits(
        self, tmp_path, by_epoch, number, status
    ):
        expected = run(tmp_path / 'whole', by_epoch)
        told = tmp_path / 'told'
        hook = Do('before_train_iter', 6, send(number))
        before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
        runner = make(told, by_epoch, hooks=[hook])
        with pytest.raises(SystemExit) as stop:
            runner.train()
        assert stop.value.code == status
        after = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
        assert after == before
        assert 'interrupted.pth' in files(told)
        assert torch.load(told / 'interrupted.pth')['meta']['iter'] == 6
        found = run(told, by_epoch, resume=True)
        assert torch.equal(weights(found), weights(expected))
        assert 'interrupted.pth' not in files(told)

    def test_twice_it_ends_at_once(self, tmp_path):
        hooks = [Do('before_train_iter', step, send(signal.SIGINT)) for step in (6, 6)]
        with pytest.raises(KeyboardInterrupt):
            make(tmp_path, hooks=hooks).train()
        assert 'interrupted.pth' not in files(tmp_path)

    def test_the_checkpoint_of_this_very_step_is_enough(self, tmp_path):
        hook = Do('before_train_iter', 4, send(signal.SIGTERM))
        with pytest.raises(SystemExit):
            make(tmp_path, by_epoch=False, hooks=[hook]).train()
        assert files(tmp_path) == {'iter_4.pth'}

    def test_within_a_validation(self, tmp_path):
        hook = Do('before_val_iter', 2, send(signal.SIGTERM))
        with pytest.raises(SystemExit):
            make(tmp_path, hooks=[hook]).train()
        expected = {'epoch_1.pth', 'epoch_2.pth', 'best_test_up_epoch_1.pth'}
        assert files(tmp_path) == expected

    def test_after_one_without_a_checkpoint(self, tmp_path):
        hook = Do('before_val_iter', 2, send(signal.SIGTERM))
        with pytest.raises(SystemExit):
            make(tmp_path, hooks=[hook], checkpoint=dict(interval=3)).train()
        saved = torch.load(tmp_path / 'interrupted.pth')['meta']
        assert (saved['epoch'], saved['iter']) == (2, 8)

    def test_with_gradients_of_all_its_batches(self, tmp_path):
        hook = Do('before_train_iter', 5, send(signal.SIGTERM))
        settings = dict(accumulative_counts=3)
        expected = run(tmp_path / 'whole', **settings)
        with pytest.raises(SystemExit):
            make(tmp_path / 'told', hooks=[hook], **settings).train()
        saved = torch.load(tmp_path / 'told/interrupted.pth')['meta']
        assert saved['iter'] == 6
        found = run(tmp_path / 'told', resume=True, **settings)
        assert torch.equal(weights(found), weights(expected))

    def test_the_optimizer_is_saved_in_any_case(self, tmp_path):
        hook = Do('before_train_iter', 6, send(signal.SIGTERM))
        checkpoint = dict(save_optimizer=False, save_param_scheduler=False)
        with pytest.raises(SystemExit):
            make(tmp_path, hooks=[hook], checkpoint=checkpoint).train()
        saved = torch.load(tmp_path / 'interrupted.pth')
        assert {'optimizer', 'param_schedulers'} <= saved.keys()

    def test_a_thread_cannot_listen(self, tmp_path):
        runner = make(tmp_path)
        thread = threading.Thread(target=runner.train)
        thread.start()
        thread.join()
        assert runner.iter == 12

    def test_a_run_without_checkpoints_ends_at_once(self, tmp_path):
        hook = Do('before_train_iter', 2, send(signal.SIGINT))
        runner = make(tmp_path, hooks=[hook])
        runner._hooks = [h for h in runner._hooks if 'Checkpoint' not in str(type(h))]
        with pytest.raises(KeyboardInterrupt):
            runner.train()

"""Where a run is in its data, so that a resumed run goes on exactly there."""

from collections.abc import Iterator
from typing import Any

from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmengine.dist import get_rank
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from fpd_mmpose.draws import seed_all
from fpd_mmpose.finite import is_count

#: Names in the message hub, which checkpoints hold.
BATCHES, SEED = 'batches_of_epoch', 'sampler_seed'


def go_on(runner: Runner) -> None:
    """Lets a resumed run continue with the next batch, and notes the sampler's seed."""
    loop, hub = runner.train_loop, runner.message_hub
    info = hub.runtime_info
    loader = loop.dataloader
    sampler = loader.sampler
    if not isinstance(sampler, DefaultSampler | InfiniteSampler):
        sampler = getattr(loader.batch_sampler, 'sampler', None)
    if not isinstance(sampler, DefaultSampler | InfiniteSampler):
        hub.update_info(BATCHES, 0)
        return
    if runner.iter and is_count(info.get(SEED)):
        sampler.seed = info[SEED]
    hub.update_info(SEED, int(sampler.seed))
    if not runner.iter:
        return
    size = loader.batch_sampler.batch_size
    if isinstance(loop, EpochBasedTrainLoop):
        done = info.get(BATCHES)
        done = done if is_count(done) and done <= len(loader) else 0
        hub.update_info(BATCHES, done)
        sampler.start = done * size
    elif isinstance(loop, IterBasedTrainLoop):
        skipped = 0
        if isinstance(sampler, InfiniteSampler):
            # OneDL's loop may be told not to ask for them.
            asks = not getattr(loop, 'fast_forward_on_resume', False)
            skipped = runner.iter if asks else 0
            sampler.start = runner.iter * size
        batches = type(loop.dataloader_iterator)(loader)
        loop.dataloader_iterator = _Skipping(batches, skipped)


def seed_step(runner: Runner) -> None:
    """Seeds what the model draws in a step."""
    seed_all(runner.seed, get_rank(), runner.iter)


def count_batch(runner: Runner) -> None:
    """Counts a finished batch."""
    hub = runner.message_hub
    hub.update_info(BATCHES, hub.runtime_info.get(BATCHES, 0) + 1)


def start_epoch(runner: Runner) -> None:
    """Counts the batches of the next epoch from zero."""
    runner.message_hub.update_info(BATCHES, 0)


def validation_is_due(runner: Runner) -> bool:
    """Whether a resumed run's checkpoint was saved before a validation."""
    loop = runner.train_loop
    if not runner.iter or not runner._resume or runner.val_loop is None:
        return False
    if isinstance(loop, EpochBasedTrainLoop):
        step, last = runner.epoch, runner.max_epochs
        if runner.message_hub.runtime_info.get(BATCHES):
            return False
    elif isinstance(loop, IterBasedTrainLoop):
        step, last = runner.iter, runner.max_iters
    else:
        return False
    loop._decide_current_val_interval()
    return step >= loop.val_begin and (step % loop.val_interval == 0 or step == last)


def validate_if_missed(runner: Runner) -> None:
    """Validates a resumed run whose checkpoint was saved before its validation."""
    if not validation_is_due(runner):
        return
    # As after the training step, when MMEngine had not counted it yet.
    runner.message_hub.update_info('iter', runner.iter - 1)
    if isinstance(runner.train_loop, EpochBasedTrainLoop):
        runner.message_hub.update_info('epoch', runner.epoch - 1)
    runner.val_loop.run()


class _Skipping:
    """Answers for the batches that the sampler leaves out and the loop asks for."""

    def __init__(self, batches: Iterator, skipped: int):
        self.batches, self.skipped = batches, skipped

    def __next__(self) -> Any:
        if self.skipped:
            self.skipped -= 1
            return None
        return next(self.batches)

    def skip_iter(self, count: int) -> None:
        """Asks for so many batches, as OneDL's loop does."""
        for _ in range(count):
            next(self)

"""Teacher and student are validated before the first epoch."""

from pathlib import Path

import pytest
from mmengine.hooks import Hook
from mmengine.runner import Runner

from tests.helpers.reduced import reduced_config, reduced_distiller

HOOK = dict(type='ValidateBeforeTrainingHook')


def scores_of(runner: Runner, name: str) -> dict[str, float]:
    start = f'before_training/{name}/PCKh/'
    return {
        key.removeprefix(start): log.current()
        for key, log in runner.message_hub.log_scalars.items()
        if key.startswith(start)
    }


@pytest.fixture
def config(mpii_root, tmp_path):
    return reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)


def test_the_scores_are_those_of_testing_each_network_alone(
    config, mpii_root, tmp_path
):
    runner = Runner.from_cfg(config)
    runner.train()
    teacher = reduced_config(
        'hourglass/hg8_256_mpii.py', mpii_root, tmp_path, stacks=3, features=24
    )
    teacher.load_from = config.model.teacher.checkpoint
    expected = Runner.from_cfg(teacher).test()
    found = scores_of(runner, 'teacher')
    assert len(found) == 11
    for name, value in found.items():
        assert value == pytest.approx(expected[f'PCKh/{name}'], nan_ok=True), name
    assert scores_of(runner, 'student')


class CountValidations(Hook):
    def __init__(self):
        self.count = 0

    def after_val_epoch(self, runner, metrics=None):
        self.count += 1


def test_they_do_not_count_for_the_best_checkpoint(config):
    runner = Runner.from_cfg(config)
    count = CountValidations()
    runner.register_hook(count)
    runner.train()
    # CheckpointHook learns of scores by this call alone.
    assert count.count == 1
    assert scores_of(runner, 'student')


def test_the_hook_does_not_change_training(config, mpii_root, tmp_path):
    def losses(with_hook: bool) -> list[float]:
        other = reduced_distiller(
            mpii_root, tmp_path / str(with_hook), stacks=1, features=8
        )
        other.custom_hooks = [HOOK] if with_hook else []
        runner = Runner.from_cfg(other)
        runner.train()
        return list(runner.message_hub.get_scalar('train/loss').data[0])

    for folder in ('True', 'False'):
        Path(tmp_path / folder).mkdir()
    assert losses(True) == losses(False)


def test_plain_training_validates_the_student_alone(mpii_root, tmp_path):
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 1, 8)
    config.custom_hooks = [HOOK]
    runner = Runner.from_cfg(config)
    runner.train()
    assert scores_of(runner, 'student') and not scores_of(runner, 'teacher')


def test_a_resumed_run_is_not_validated_again(config, tmp_path):
    Runner.from_cfg(config).train()
    config.resume, config.train_cfg.max_epochs = True, 2
    config.experiment_name = config.visualizer.name = 'resumed_before_training'
    runner = Runner.from_cfg(config)
    runner.train()
    assert runner.epoch == 2
    # The scores of the first run come with its checkpoint.
    log = runner.message_hub.get_scalar('before_training/student/PCKh/Mean')
    assert len(log.data[0]) == 1

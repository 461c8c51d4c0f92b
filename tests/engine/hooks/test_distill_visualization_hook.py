"""Panels show the same people in the course of a run, and do not change it."""

import copy
import random
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmcv.transforms import BaseTransform
from mmengine.config import Config, ConfigDict
from mmengine.runner import Runner
from mmpose.registry import HOOKS, MODELS, TRANSFORMS

from fpd_mmpose.errors import UserError
from fpd_mmpose.panels.drawing import HEIGHT
from fpd_mmpose.panels.shown_people import find_people
from tests.helpers.heads import simcc
from tests.helpers.reduced import reduced_config, reduced_distiller, run
from tests.helpers.stored_maps import store_maps

HOOK = dict(type='DistillVisualizationHook', interval=1, num_people=2, num_worst=0)
WORST = dict(HOOK, interval=9, num_worst=3)
EMA = dict(type='EMAHook', momentum=0.5)


def panels(runner: Runner) -> dict[str, np.ndarray]:
    folder = Path(runner.log_dir) / 'vis_data/vis_image'
    return {path.stem: cv2.imread(str(path)) for path in sorted(folder.glob('*'))}


def tiles(panel: np.ndarray, width: int = HEIGHT, gap: int = 6) -> int:
    """Counts the tiles in a row."""
    return (panel.shape[1] - gap) // (width + gap)


@pytest.fixture
def config(mpii_root, tmp_path) -> Config:
    config = reduced_distiller(mpii_root, tmp_path, stacks=2, features=8, epochs=2)
    config.custom_hooks = [HOOK]
    return config


def state_of(config: Config, name: str, hooks: list[dict]) -> dict[str, torch.Tensor]:
    config = copy.deepcopy(config)
    config.work_dir, config.custom_hooks = f'{config.work_dir}_{name}', hooks
    config.experiment_name = config.visualizer.name = f'{config.experiment_name}_{name}'
    return run(config).model.state_dict()


@TRANSFORMS.register_module()
class Restless(BaseTransform):
    """Draws random numbers, of which training must not notice."""

    def transform(self, results: dict) -> dict:
        random.random(), np.random.rand(), torch.rand(1)
        return results


@pytest.mark.parametrize(
    ('split', 'others'), [('val', []), ('train', []), ('val', [EMA])]
)
def test_a_run_ends_with_the_same_weights_as_without(config, split, others):
    for loader in (config.train_dataloader, config.val_dataloader):
        loader.dataset.pipeline.insert(0, dict(type='Restless'))
    hook = dict(HOOK, by_epoch=False, split=split, num_worst=2)
    with_hook = state_of(config, 'with', [hook, *others])
    without = state_of(config, 'without', others)
    assert with_hook.keys() == without.keys()
    assert all(torch.equal(with_hook[key], without[key]) for key in without)
    assert any('running_mean' in key for key in without)


def test_layers_keep_their_modes(config):
    runner = Runner.from_cfg(config)
    frozen = next(
        m for m in runner.model.modules() if isinstance(m, torch.nn.BatchNorm2d)
    )
    hook = HOOKS.build(HOOK)
    runner.model.init_weights()
    runner.model.train()
    frozen.eval()
    runner._train_loop = runner.build_train_loop(runner._train_loop)
    runner._val_loop = runner.build_val_loop(runner._val_loop)
    hook.before_train(runner)
    hook.after_train_epoch(runner)
    assert not frozen.training
    others = [m for m in runner.model.modules() if m is not frozen]
    assert all(module.training for module in others)


def test_a_panel_has_the_label_the_teacher_and_each_stage(config):
    runner = run(config)
    found = panels(runner)
    # Twelve people in batches of four; a panel is filed under its step.
    assert list(found) == ['heatmaps_3', 'heatmaps_6']
    assert {tiles(panel) for panel in found.values()} == {4}
    # Label and teacher are the same throughout; the student changes.
    first, last = found.values()
    half = first.shape[1] // 2
    rows = slice(0, first.shape[0] - 40)
    assert np.array_equal(first[rows, :half], last[rows, :half])
    assert not np.array_equal(first[rows, half:], last[rows, half:])


def test_it_counts_steps_if_asked_to(config):
    config.custom_hooks = [dict(HOOK, interval=4, by_epoch=False)]
    assert list(panels(run(config))) == ['heatmaps_4']


def stored(config: Config, root: Path, folder: Path) -> int:
    store_maps(config, folder / 'maps.sqlite')
    config.model.teacher.cache = str(folder / 'maps.sqlite')
    return 4


def plain(config: Config, root: Path, folder: Path) -> int:
    del config.model['teacher'], config.model['distill_loss']
    config.model.type = 'TopdownPoseEstimator'
    return 3


def unlabeled(config: Config, root: Path, folder: Path) -> int:
    mixed = reduced_config('fpd/hg4_128_fpd_unlabeled_mpii.py', root, folder, 2, 8)
    config.train_dataloader = mixed.train_dataloader
    config.custom_hooks = [dict(HOOK, split='train')]
    return 4


def fewer_joints(config: Config, root: Path, folder: Path) -> int:
    config.model.teacher.joint_map = [None, *range(1, 16)]
    return 4


def average(config: Config, root: Path, folder: Path) -> int:
    config.custom_hooks = [HOOK, EMA]
    return 4


def vectors(config: Config, root: Path, folder: Path) -> int:
    """A student with SimCC under a teacher with SimCC."""
    network = ConfigDict(simcc(joints=16))
    teacher = dict(config=dict(model=network), checkpoint=str(folder / 'simcc.pth'))
    torch.save(MODELS.build(network).state_dict(), teacher['checkpoint'])
    config.model = dict(network, type='FPDDistiller', teacher=teacher)
    config.train_dataloader.dataset.pipeline[5].encoder = network.head.decoder
    return 3


def from_heatmaps(config: Config, root: Path, folder: Path) -> int:
    """A student with SimCC under a teacher with heatmaps."""
    teacher = config.model.teacher
    count = vectors(config, root, folder)
    config.model.teacher = teacher
    return count


KINDS = [stored, plain, unlabeled, fewer_joints, average, vectors, from_heatmaps]


@pytest.mark.parametrize('kind', KINDS)
def test_every_kind_of_run_has_panels(config, mpii_root, tmp_path, kind):
    config.train_cfg.max_epochs = 1
    count = kind(config, mpii_root, tmp_path)
    (panel,) = panels(run(config)).values()
    assert tiles(panel) == count


def test_only_the_first_process_draws(config):
    runner = Runner.from_cfg(config)
    runner._rank = 1
    runner.train()
    assert not panels(runner)


def test_without_validation_the_training_people_are_drawn(config):
    config.val_dataloader = config.val_cfg = config.val_evaluator = None
    config.default_hooks.checkpoint.save_best = None
    runner = run(config)
    assert len(panels(runner)) == 2
    config.custom_hooks = [dict(HOOK, split='val')]
    config.experiment_name = config.visualizer.name = 'no_validation'
    with pytest.raises(
        UserError, match="split is 'val', and the run has no validation"
    ):
        run(config)


def test_a_stored_teacher_does_not_know_validation_people(config, tmp_path):
    stored(config, tmp_path, tmp_path)
    config.custom_hooks = [dict(HOOK, split='val')]
    with pytest.raises(
        UserError, match="a stored teacher does not know .*: use 'train'"
    ):
        run(config)


def test_the_people_farthest_from_their_labels_are_shown(config):
    config.custom_hooks = [WORST, EMA, dict(type='ValidateBeforeTrainingHook')]
    runner = run(config)
    found = panels(runner)
    # The teacher before the first step, the student at each validation.
    assert {name.rpartition('_')[0] for name in found} == {
        'worst_of_student',
        'worst_of_teacher',
    }
    assert {'worst_of_teacher_0', 'worst_of_student_6'} <= {*found}
    # Label, teacher, and both stages of the student, which has only begun at first.
    assert tiles(found['worst_of_teacher_0']) == 2
    assert tiles(found['worst_of_student_6']) == 4


def test_they_are_found_again_in_the_data(config):
    runner = Runner.from_cfg(config)
    dataset = runner.val_dataloader.dataset
    sample = dataset[3]['data_samples']
    key = sample.img_path, sample.id
    found = find_people(dataset, [key, ('gone.jpg', 0)])
    assert [*found] == [key] and found[key].name == Path(key[0]).name


def test_a_test_shows_them_too(config, tmp_path):
    config.custom_hooks = [WORST]
    runner = Runner.from_cfg(config)
    runner.test()
    ((name, panel),) = panels(runner).items()
    # The teacher is not needed for a test.
    assert name == 'worst_of_student_0' and tiles(panel) == 3


def test_with_a_stored_teacher_they_have_the_student_alone(config, tmp_path):
    stored(config, tmp_path, tmp_path)
    config.custom_hooks = [WORST]
    assert {tiles(panel) for panel in panels(run(config)).values()} == {3}


@pytest.mark.parametrize(
    'wrong',
    [dict(interval=0), dict(num_people=True), dict(split='test'), dict(num_worst=-1)],
)
def test_an_option_out_of_range_is_named(wrong):
    (name,) = wrong
    with pytest.raises(UserError, match=f'DistillVisualizationHook: {name} must be'):
        HOOKS.build(dict(HOOK, **wrong))

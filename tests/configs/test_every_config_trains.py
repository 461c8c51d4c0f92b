"""Every config trains and evaluates, at reduced size."""

from argparse import ArgumentParser
from pathlib import Path

import pytest
from mmengine.config import DictAction
from mmengine.runner import Runner

from tests.helpers.coco_data import DETECTIONS, write_coco
from tests.helpers.every_config import FPD, NAMES
from tests.helpers.reduced import reduced_config, reduced_teacher, run

#: 6 of a batch of 12 are labeled, or 18 people have no labels.
WITHOUT_LABELS = {
    'fpd/hg4_128_fpd_unlabeled_mpii.py',
    'fpd/hg4_128_fpd_labelfree_mpii.py',
}
OTHER_SKELETON = 'fpd/hg4_128_fpd_cross_skeleton_mpii.py'


@pytest.fixture(scope='module')
def coco_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp('coco')
    write_coco(root)
    return root


@pytest.mark.parametrize('name', NAMES)
def test_trains_a_step_and_evaluates(name, mpii_root, coco_root, tmp_path):
    root = mpii_root if name.endswith('_mpii.py') else coco_root
    config = reduced_config(name, root, tmp_path, stacks=1, features=8)
    config.load_from = None
    config.train_dataloader.batch_size = 12
    if name in FPD:
        teacher = config.model.teacher.config
        config.model.teacher = reduced_teacher(tmp_path, teacher)
    assert config.model.test_cfg.flip_test
    runner = run(config)
    assert runner.iter == (2 if name in WITHOUT_LABELS else 1)
    scalars = runner.message_hub.log_scalars
    score = config.default_hooks.checkpoint.save_best
    assert f'val/{score}' in scalars
    assert list(tmp_path.glob(f'best_{score.replace("/", "_")}_epoch_1.pth'))
    assert ('train/loss_kd' in scalars) == (name in FPD)
    measured = {'student', 'teacher'} if name in FPD else set()
    if name == OTHER_SKELETON:
        measured = {'student'}  # the teacher has no score on these joints
    for model in ('teacher', 'student'):
        found = f'before_training/{model}/{score}' in scalars
        assert found == (model in measured), model


@pytest.mark.parametrize(
    ('options', 'scores'),
    [([], {0.9, 0.8}), (['test_dataloader.dataset.bbox_file=None'], {1})],
    ids=['detected', 'annotated'],
)
def test_boxes_are_an_option_of_the_command_line(options, scores, tmp_path):
    write_coco(tmp_path / 'data', reference_layout=bool(options))
    parser = ArgumentParser()
    parser.add_argument('--cfg-options', nargs='*', action=DictAction)
    given = parser.parse_args(['--cfg-options', *options]).cfg_options
    config = reduced_config(
        'hrnet/hrnet_w32_coco_256x192.py', tmp_path / 'data', tmp_path
    )
    assert config.test_dataloader.dataset.bbox_file == DETECTIONS
    config.merge_from_dict(given)
    runner = Runner.from_cfg(config)
    assert 'coco/AP' in runner.test()
    people = [info['data_samples'] for info in runner.test_dataloader.dataset]
    assert {one.gt_instances.bbox_scores.item() for one in people} == scores

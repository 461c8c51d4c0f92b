"""Networks of today train by MMPose's recipe, with a teacher added."""

from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.config import config_root, leaf_datasets, load_config
from tests.helpers.coco_data import write_coco
from tests.helpers.every_config import unscoped
from tests.helpers.reduced import run

COCO = 'mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-{}_8xb256-420e_coco-256x192.py'
WHOLEBODY = (
    'mmpose::wholebody_2d_keypoint/rtmpose/coco-wholebody/'
    'rtmpose-{}_8xb64-270e_coco-wholebody-256x192.py'
)
#: Student and teacher of each config.
PAIRS = {
    'rtmpose_t_fpd_coco_256x192': (COCO.format('t'), COCO.format('m')),
    'rtmpose_s_fpd_coco_256x192': (COCO.format('s'), COCO.format('m')),
    'rtmpose_m_fpd_wholebody_256x192': (WHOLEBODY.format('m'), WHOLEBODY.format('l')),
}
pairs = pytest.mark.parametrize('name', PAIRS)
HEATMAPS = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
CSPNEXT = 'cspnext/cspnext_t_coco_256x192.py'


def test_these_are_all():
    found = (config_root() / 'fpd').glob('rtmpose*.py')
    assert {path.stem for path in found} == set(PAIRS)


@pytest.mark.parametrize(
    ('name', 'teacher'),
    [
        ('cspnext_t_fpd_coco_256x192', 'td-hm_hrnet-w48_8xb32-210e_coco-256x192'),
        (
            'cspnext_t_fpd_vitpose_coco_256x192',
            'td-hm_ViTPose-base_8xb64-210e_coco-256x192',
        ),
    ],
)
def test_a_small_heatmap_network_has_a_strong_teacher(name, teacher):
    config, student = load_config(f'fpd/{name}.py'), load_config(CSPNEXT)
    model = dict(config.model, type='TopdownPoseEstimator')
    added = model.pop('teacher')
    assert model.pop('distill_loss') == dict(type='HeatmapDistillLoss', alpha=0.5)
    assert unscoped(model) == unscoped(student)['model']
    assert config.train_dataloader == student.train_dataloader
    assert added.config == f'{HEATMAPS}{teacher}.py'
    assert f'/{teacher}-' in added.checkpoint


def test_the_small_heatmap_network_is_that_of_mmpose_with_a_narrower_head():
    stock = load_config(f'{HEATMAPS}cspnext-tiny_udp_8xb256-210e_coco-256x192.py')
    mine, stock = unscoped(load_config(CSPNEXT)), unscoped(stock)
    assert mine['model']['head'].pop('deconv_out_channels') == [64, 64, 64]
    assert mine['model'] == stock['model']
    assert mine['train_dataloader'] == stock['train_dataloader']


def test_it_learns_from_the_teacher_on_another_grid(tmp_path):
    """MSRA's heatmaps over UDP's; the networks have their real size."""
    config = load_config('fpd/cspnext_t_fpd_coco_256x192.py').model
    teacher = load_config(config.teacher.config).model
    path = tmp_path / 'teacher.pth'
    config.backbone.init_cfg = teacher.backbone.init_cfg = None
    torch.save(MODELS.build(teacher).state_dict(), path)
    config.teacher.update(config=dict(model=teacher), checkpoint=str(path))
    student = MODELS.build(config)
    student.init_weights()
    images = torch.zeros(1, 3, 256, 192)
    target = student.teacher.teach(images).values
    own = student.teacher.model(images, None)
    assert target.shape == own.shape and not torch.equal(target, own)


@pairs
def test_only_a_teacher_is_added_to_the_recipe_of_mmpose(name):
    student, teacher = map(load_config, PAIRS[name])
    config = load_config(f'fpd/{name}.py')
    model = dict(config.model, type='TopdownPoseEstimator')
    added = model.pop('teacher')
    assert model.pop('distill_loss') == dict(
        type='SimCCDistillLoss', alpha=0.5, alpha_schedule='linear'
    )
    assert unscoped(model) == unscoped(student)['model']
    loader = unscoped(config)['train_dataloader']
    assert loader == unscoped(student)['train_dataloader']
    assert [hook.type for hook in config.custom_hooks] == [
        *[hook.type for hook in student.custom_hooks],
        'ValidateBeforeTrainingHook',
    ]
    assert added.config == PAIRS[name][1]
    assert load_config(added.config).model == teacher.model
    # The published weights are of the teacher's size.
    size = PAIRS[name][1].partition('rtmpose-')[2][0]
    assert f'/rtmpose-{size}_simcc-coco' in added.checkpoint


def reduced(config: Config, root: Path, work_dir: Path) -> Config:
    """Shrinks the schedule and the data; the network is small already."""
    config.model.backbone.init_cfg = None  # it would fetch weights
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].update(batch_size=4, num_workers=0, persistent_workers=False)
        for dataset in leaf_datasets(config[loader].dataset):
            dataset.data_root = str(root)
            dataset.pipeline = without_albumentations(dataset.pipeline)
    for hook in config.custom_hooks:
        if 'switch_pipeline' in hook:
            hook.switch_pipeline = without_albumentations(hook.switch_pipeline)
    for evaluator in (config.val_evaluator, config.test_evaluator):
        evaluator.ann_file = evaluator.ann_file.replace('data/coco/', f'{root}/')
    config.train_cfg.update(max_epochs=2, val_interval=1)
    config.work_dir = str(work_dir)
    config.randomness = dict(seed=0)
    config.log_level = 'ERROR'
    config.experiment_name = config.visualizer.name = 'reduced_rtmpose'
    return config


def without_albumentations(pipeline: list) -> list:
    """Leaves out what needs a package that the lock lacks."""
    return [step for step in pipeline if step.type != 'Albumentation']


def test_it_trains_with_a_frozen_teacher_that_no_checkpoint_has(tmp_path):
    write_coco(tmp_path / 'data')
    config = load_config('fpd/rtmpose_t_fpd_coco_256x192.py')
    config = reduced(config, tmp_path / 'data', tmp_path / 'run')
    teacher = load_config(config.model.teacher.config).model
    teacher.backbone.init_cfg = None
    path = tmp_path / 'teacher.pth'
    torch.save(MODELS.build(teacher).state_dict(), path)
    config.model.teacher.checkpoint = str(path)
    runner: Runner = run(config)
    network = runner.model.teacher.model
    before = torch.load(path)
    # Statistics of batch norms, too.
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())
    assert not network.training
    saved = torch.load(tmp_path / 'run' / 'epoch_2.pth')['state_dict']
    plain = load_config(PAIRS['rtmpose_t_fpd_coco_256x192'][0]).model
    plain.backbone.init_cfg = None
    assert set(saved) == set(MODELS.build(plain).state_dict())
    scalars = runner.message_hub.log_scalars
    assert {'train/pose', 'train/kd', 'val/coco/AP'} <= set(scalars)
    # It falls from epoch to epoch.
    assert set(scalars['train/alpha'].data[0].round(6)) == {0.5, 0.25}

"""The example of the page on unlabeled images trains as it stands."""

import json
import re

import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from tests.helpers import ROOT
from tests.helpers.coco_data import coco, image, person, write_json
from tests.helpers.demo_video import write_video
from tests.helpers.reduced import run

PAGE = (ROOT / 'docs/howto/unlabeled_images.md').read_text()
BOX = [6.0, 4.0, 40.0, 60.0]
#: The distillation that the page starts from, with MMPose's own dataset and pipeline.
MY_FPD = """
custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)
codec = dict(type='MSRAHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)
network = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(type='PoseDataPreprocessor'),
    backbone=dict(
        type='StackedHourglass', num_stacks=1, num_features=8, num_joints=3
    ),
    head=dict(
        type='CPMHead', in_channels=3, out_channels=3, num_stages=1,
        deconv_out_channels=None, final_layer=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True), decoder=codec,
    ),
)
model = dict(
    network, type='FPDDistiller',
    teacher=dict(config=dict(model=network), checkpoint='my_teacher.pth'),
)
train_dataloader = dict(
    batch_size=2,
    num_workers=0,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type='CocoDataset',
        metainfo=dict(from_file='my_skeleton.py'),
        data_root='data/mine/',
        ann_file='people.json',
        pipeline=[
            dict(type='LoadImage'),
            dict(type='GetBBoxCenterScale'),
            dict(type='RandomFlip', direction='horizontal'),
            dict(type='RandomHalfBody'),
            dict(type='RandomBBoxTransform'),
            dict(type='TopdownAffine', input_size=codec['input_size']),
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseInputs'),
        ],
    ),
)
train_cfg = dict(by_epoch=True, max_epochs=1)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=0.001))
default_scope = 'mmpose'
default_hooks = dict(logger=dict(type='LoggerHook', interval=1))
experiment_name = 'test_unlabeled_page'
log_level = 'ERROR'
"""


def block(title: str) -> str:
    (found,) = re.findall(rf'```python\n# {title}\n(.*?)```', PAGE, re.S)
    return found


def test_its_example_for_an_own_skeleton_trains(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'my_fpd.py').write_text(MY_FPD)
    for name in ('my_skeleton.py', 'my_unlabeled.py'):
        (tmp_path / name).write_text(block(name))
    photos = [image(index, 64, 72) for index in range(16)]
    people = [person(i, one['id'], BOX) for i, one in enumerate(photos)]
    for each in people:
        each.update(keypoints=each['keypoints'][:9], num_keypoints=3)
    write_json(tmp_path / 'data/mine/people.json', coco(photos, people))
    for folder in ('mine', 'unlabeled'):
        for one in photos:
            path = tmp_path / 'data' / folder / one['file_name']
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), np.full((72, 64, 3), 90, np.uint8))
    write_video(tmp_path / 'data/unlabeled/walk.mp4', frames=4, size=(64, 72))
    frame = dict(image(99, 64, 72), file_name='walk.mp4', frame_index=2)
    found = [dict(one, score=0.9) for one in people]
    found.append(dict(found[0], id=99, image_id=99))
    content = coco([*photos, frame], found)
    write_json(tmp_path / 'data/unlabeled/people.json', content)

    config = Config.fromfile('my_unlabeled.py')
    config.work_dir = str(tmp_path / 'run')
    teacher = MODELS.build(config.network)
    torch.save(teacher.state_dict(), 'my_teacher.pth')
    run(config)
    (log,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    first = json.loads(log.read_text().splitlines()[0])
    assert first['loss'] > 0 and first['kd'] > 0 and first['kd_unlabeled'] > 0


@pytest.mark.parametrize('load', ['LoadImage', 'FPDLoadImage'])
def test_its_pipeline_loads_an_image_once(load, tmp_path):
    (tmp_path / 'my_fpd.py').write_text(MY_FPD.replace('LoadImage', load))
    (tmp_path / 'my_unlabeled.py').write_text(block('my_unlabeled.py'))
    config = Config.fromfile(tmp_path / 'my_unlabeled.py', import_custom_modules=False)
    steps = [step.type for step in config.unlabeled.pipeline]
    assert [step for step in steps if 'LoadImage' in step] == ['FPDLoadImage']
    assert 'TopdownAffine' in steps and 'GenerateTarget' not in steps

"""MMPose's ViTPose, whose backbone is part of MMPretrain, teaches and is taught."""

import pytest
import torch
from mmpose.registry import MODELS
from mmpose.testing import get_packed_inputs

import fpd_mmpose  # noqa: F401
from fpd_mmpose.config import load_config

CONFIGS = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
VITPOSE = CONFIGS + 'td-hm_ViTPose-small_8xb64-210e_coco-256x192.py'
RESNET = CONFIGS + 'td-hm_res50_8xb64-210e_coco-256x192.py'


@pytest.mark.slow
@pytest.mark.parametrize('student', [VITPOSE, RESNET])
def test_vitpose_teaches(student, tmp_path):
    pytest.importorskip('mmpretrain')
    teacher = without_download(VITPOSE)
    torch.save(MODELS.build(teacher).state_dict(), tmp_path / 'teacher.pth')
    settings = dict(config=teacher, checkpoint=str(tmp_path / 'teacher.pth'))
    model = MODELS.build(
        {**without_download(student), 'type': 'FPDDistiller', 'teacher': settings}
    )
    batch = get_packed_inputs(
        2,
        num_instances=1,
        input_size=(192, 256),
        heatmap_size=(48, 64),
        with_heatmap=True,
    )
    losses = model.loss(**model.data_preprocessor(batch, training=True))
    losses['loss_kd'].backward()
    assert losses['kd'] > 0
    assert all(p.grad is not None for p in model.head.final_layer.parameters())
    assert not any(p.requires_grad for p in model.teacher.model.parameters())


def without_download(name):
    model = load_config(name).model.to_dict()
    model['backbone'].pop('init_cfg')
    return model

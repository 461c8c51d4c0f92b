"""A real RTMDet, made small, with random weights."""

from pathlib import Path

import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

CONFIG = """
_base_ = 'mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py'
model = dict(
    backbone=dict(widen_factor=0.0625),
    neck=dict(in_channels=[16, 32, 64], out_channels=16),
    bbox_head=dict(in_channels=16, feat_channels=16, num_classes=3),
    test_cfg=dict(score_thr=0.0, max_per_img=20),
)
test_dataloader = dict(dataset=dict(pipeline=[
    dict(type='LoadImageFromFile'),
    dict(type='Resize', scale=(96, 96), keep_ratio=True),
    dict(type='Pad', size=(96, 96), pad_val=dict(img=(114, 114, 114))),
    dict(type='PackDetInputs', meta_keys=('ori_shape', 'img_shape', 'scale_factor')),
]))
"""
CLASSES = ('dog', 'Person', 'cat')


def save_weights(config: str, path: Path, classes: tuple[str, ...] = CLASSES) -> str:
    torch.manual_seed(0)
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = MODELS.build(Config.fromfile(config).model)
    meta = dict(dataset_meta=dict(CLASSES=classes))
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
    return str(path)

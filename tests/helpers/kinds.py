"""A tiny estimator of each kind that can be exported, with random weights."""

from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmpose.apis import init_model
from torch import Tensor, nn

from tests.helpers.heads import RESNET

SIZE, MAPS = (64, 96), (16, 24)
_SIZES = dict(input_size=SIZE, heatmap_size=MAPS)
_MSRA = dict(type='MSRAHeatmap', sigma=2, **_SIZES)
_SIMCC = dict(type='SimCCLabel', input_size=SIZE, sigma=(4.9, 5.66))
_GAU = dict(
    hidden_dims=32,
    s=16,
    expansion_factor=2,
    dropout_rate=0.0,
    drop_path=0.0,
    act_fn='SiLU',
    use_rel_bias=False,
    pos_enc=False,
)


def _heatmap_head(codec: dict, channels: int = 17, features: int = 8) -> dict:
    return dict(
        type='HeatmapHead',
        in_channels=features,
        out_channels=channels,
        deconv_out_channels=None,
        decoder=codec,
    )


def _vectors_head(kind: str, codec: dict, **settings: Any) -> dict:
    return dict(
        type=kind,
        in_channels=8,
        out_channels=17,
        input_size=SIZE,
        in_featuremap_size=MAPS,
        decoder=codec,
        **settings,
    )


def _heatmaps(codec: dict, channels: int = 17) -> dict:
    return dict(backbone=RESNET, head=_heatmap_head(codec, channels))


_DARK = dict(_MSRA, unbiased=True)
_UDP = dict(type='UDPHeatmap', **_SIZES)
_MEGVII = dict(type='MegviiHeatmap', kernel_size=5, **_SIZES)
_SWIN = dict(
    type='SwinTransformer',
    embed_dims=16,
    depths=(2, 2),
    num_heads=(1, 2),
    window_size=7,
    strides=(4, 2),
    out_indices=(0,),
)

#: The parts of a model, by the name of its kind.
KINDS: dict[str, dict] = {
    'stock': _heatmaps(_MSRA),
    'dark': _heatmaps(_DARK),
    'udp': dict(_heatmaps(_UDP), udp=True),
    'combined': dict(
        _heatmaps(dict(_UDP, heatmap_type='combined', blur_kernel_size=5), 51),
        udp=True,
        test_cfg=dict(flip_mode='udp_combined'),
    ),
    'mspn': dict(
        backbone=dict(
            type='MSPN',
            unit_channels=16,
            num_stages=2,
            num_units=2,
            num_blocks=[1, 1],
            res_top_channels=64,
            norm_cfg=dict(type='BN'),
        ),
        head=dict(
            type='MSPNHead',
            out_shape=MAPS[::-1],
            unit_channels=16,
            out_channels=17,
            num_stages=2,
            num_units=2,
            norm_cfg=dict(type='BN'),
            level_indices=[0, 1] * 2,
            loss=[dict(type='KeypointMSELoss')] * 4,
            decoder=_MEGVII,
        ),
    ),
    'simcc': dict(
        backbone=RESNET,
        head=_vectors_head('SimCCHead', _SIMCC, deconv_out_channels=None),
    ),
    'rtmcc': dict(
        backbone=RESNET, head=_vectors_head('RTMCCHead', _SIMCC, gau_cfg=_GAU)
    ),
    'rtmw': dict(
        backbone=dict(
            RESNET,
            num_stages=2,
            strides=(1, 2),
            dilations=(1, 1),
            out_indices=(0, 1),
        ),
        head=dict(
            _vectors_head('RTMWHead', _SIMCC, gau_cfg=_GAU),
            in_channels=16,
            in_featuremap_size=(8, 12),
        ),
    ),
    'simcc_dark': dict(
        backbone=RESNET,
        head=_vectors_head('RTMCCHead', dict(_SIMCC, use_dark=True), gau_cfg=_GAU),
    ),
    'visibility': dict(
        backbone=RESNET,
        head=dict(type='VisPredictHead', pose_cfg=_heatmap_head(_DARK)),
    ),
    'swin': dict(backbone=_SWIN, head=_heatmap_head(_MSRA, features=16)),
    'some_keypoints': dict(
        _heatmaps(_DARK), test_cfg=dict(output_keypoint_indices=[0, 5, 6, 9, 16])
    ),
    'some_offsets': dict(
        _heatmaps(dict(_UDP, heatmap_type='combined', blur_kernel_size=5), 51),
        udp=True,
        test_cfg=dict(flip_mode='udp_combined', output_keypoint_indices=[16, 15, 0]),
    ),
}


def estimator(kind: str) -> nn.Module:
    """Builds an estimator as MMPose does, with flip test."""
    parts = KINDS[kind]
    crop = dict(type='TopdownAffine', input_size=SIZE, use_udp=parts.get('udp', False))
    steps = [dict(type='LoadImage'), dict(type='GetBBoxCenterScale'), crop]
    pipeline = [*steps, dict(type='PackPoseInputs')]
    dataset = dict(type='CocoDataset', pipeline=pipeline)
    config = Config(
        dict(
            default_scope='mmpose',
            model=dict(
                type='TopdownPoseEstimator',
                data_preprocessor=dict(
                    type='PoseDataPreprocessor',
                    mean=[123.675, 116.28, 103.53],
                    std=[58.395, 57.12, 57.375],
                    bgr_to_rgb=True,
                ),
                backbone=parts['backbone'],
                head=parts['head'],
                test_cfg=dict(flip_test=True) | parts.get('test_cfg', {}),
            ),
            train_dataloader=dict(dataset=dataset),
            test_dataloader=dict(dataset=dataset),
        )
    )
    torch.manual_seed(0)
    model = init_model(config, device='cpu')
    _spread(model)
    return model


class Peaks(nn.Module):
    """Turns the heatmaps (N, K, h, w) of random weights into a few clear peaks."""

    def forward(self, heatmaps: Tensor) -> Tensor:
        shape = [int(size) for size in heatmaps.shape[1:]]
        return (4 * heatmaps.flatten(2)).softmax(2).reshape(-1, *shape)


def _spread(model: nn.Module) -> None:
    """Replaces the weights, which MMPose draws so small that all pixels are equal."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_var, 0.5, 2)
            nn.init.normal_(layer.running_mean, std=0.3)
    head = getattr(model.head, 'pose_head', model.head)
    if type(head).__name__ == 'HeatmapHead':
        head.final_layer = nn.Sequential(head.final_layer, Peaks())


def people(count: int, image: np.ndarray) -> np.ndarray:
    """Draws boxes (count, 4) within an image."""
    height, width = image.shape[:2]
    corners = np.random.uniform(0, 0.5, (count, 2)) * (width, height)
    sizes = np.random.uniform(0.3, 0.6, (count, 2)) * (width, height)
    return np.hstack([corners, corners + sizes])

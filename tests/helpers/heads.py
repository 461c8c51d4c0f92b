"""Small networks with heads of several kinds."""

import copy

JOINTS, SIZE = 5, (64, 64)
HEATMAPS = dict(input_size=SIZE, heatmap_size=(16, 16))
RESNET = dict(
    type='ResNet',
    depth=18,
    num_stages=1,
    strides=(1,),
    dilations=(1,),
    out_indices=(0,),
    stem_channels=8,
    base_channels=8,
)
MSE = dict(type='KeypointMSELoss', use_target_weight=True)


def estimator(head: dict, **parts) -> dict:
    return dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(type='PoseDataPreprocessor'),
        backbone=copy.deepcopy(RESNET),
        head=head,
        **parts,
    )


def heatmap_head(codec: dict, channels: int = JOINTS) -> dict:
    return dict(
        type='HeatmapHead',
        in_channels=8,
        out_channels=channels,
        deconv_out_channels=None,
        loss=MSE,
        decoder=codec,
    )


def heatmaps(codec: str = 'MSRAHeatmap', **options) -> dict:
    return estimator(heatmap_head(dict(HEATMAPS, type=codec, **options)))


def simcc(
    size: tuple[int, int] = SIZE, head: str = 'RTMCCHead', joints: int = JOINTS
) -> dict:
    return estimator(
        dict(
            type=head,
            in_channels=8,
            out_channels=joints,
            input_size=size,
            in_featuremap_size=tuple(side // 4 for side in size),
            simcc_split_ratio=2.0,
            gau_cfg=dict(
                hidden_dims=16,
                s=8,
                expansion_factor=2,
                dropout_rate=0.0,
                drop_path=0.0,
                act_fn='SiLU',
                use_rel_bias=False,
                pos_enc=False,
            ),
            loss=dict(type='KLDiscretLoss', beta=10.0, label_softmax=True),
            decoder=dict(
                type='SimCCLabel',
                input_size=size,
                sigma=(1.6, 1.6),
                simcc_split_ratio=2.0,
                normalize=False,
            ),
        )
    )

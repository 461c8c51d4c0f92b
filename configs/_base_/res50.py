# SimpleBaseline. The head's defaults match the reference: 3 deconvolutions with 256
# channels and kernel 4, without bias, and a 1x1 convolution.
model = dict(
    type='TopdownPoseEstimator',
    # The reference trains ResNets on BGR images, normalized with RGB statistics.
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
    ),
    backbone=dict(
        type='ResNet',
        depth=50,
        init_cfg=dict(type='Pretrained', checkpoint='torchvision://resnet50'),
    ),
    head=dict(
        type='HeatmapHead',
        in_channels=2048,
        out_channels=17,
        loss=dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

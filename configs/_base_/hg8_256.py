model = dict(
    type='TopdownPoseEstimator',
    # The reference trains hourglasses on BGR images, normalized with RGB statistics.
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[123.675, 116.28, 103.53],
        std=[58.395, 57.12, 57.375],
        bgr_to_rgb=False,
    ),
    backbone=dict(
        type='StackedHourglass', num_stacks=8, num_features=256, num_joints=16
    ),
    # Adds no weights: it sums the losses of all stacks and decodes the last one.
    head=dict(
        type='CPMHead',
        in_channels=16,
        out_channels=16,
        num_stages=8,
        deconv_out_channels=None,
        final_layer=None,
        loss=dict(type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5),
    ),
    test_cfg=dict(flip_test=True, flip_mode='heatmap', shift_heatmap=True),
)

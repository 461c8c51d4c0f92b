# Read by MMPoseInferencer.
dataset_type = 'FPDMpiiDataset'
data_mode = 'topdown'
data_root = 'data/mpii/'
codec = dict(type='FPDHeatmap', input_size=(256, 256), heatmap_size=(64, 64), sigma=2)

load_image = dict(type='FPDLoadImage')
crop = dict(type='FPDTopdownAffine', input_size=codec['input_size'])
train_pipeline = [
    load_image,
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomScaleRotation', scale_factor=0.25, rotation_factor=30, prob=0.6),
    dict(type='RandomFlip', direction='horizontal', prob=0.5),
    crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='FPDPackPoseInputs'),
]
val_pipeline = [
    load_image,
    dict(type='GetBBoxCenterScale', padding=1.25),
    crop,
    dict(type='PackPoseInputs'),
]

train_dataloader = dict(
    batch_size=4,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/mpii_train.json',
        data_prefix=dict(img='images/'),
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=32,
    num_workers=4,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False, round_up=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/mpii_val.json',
        headbox_file='annotations/mpii_gt_val.mat',
        data_prefix=dict(img='images/'),
        pipeline=val_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(type='MpiiPCKh')
test_evaluator = val_evaluator

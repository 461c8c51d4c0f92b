# Read by MMPoseInferencer.
dataset_type = 'FPDCocoDataset'
data_mode = 'topdown'
# Holds `train2017` or `images/train2017`, `annotations`, and
# `person_detection_results`.
data_root = 'data/coco/'
codec = dict(type='FPDHeatmap', input_size=(192, 256), heatmap_size=(48, 64), sigma=2)

load_image = dict(type='FPDLoadImage')
crop = dict(type='FPDTopdownAffine', input_size=codec['input_size'])
train_pipeline = [
    load_image,
    dict(type='GetBBoxCenterScale', padding=1.25),
    dict(type='RandomFlip', direction='horizontal', prob=0.5),
    # The reference requires more than 8 keypoints, and more than 2 in the half. It
    # prefers the upper half where a standard normal draw is below 0.5.
    dict(
        type='RandomHalfBody',
        min_total_keypoints=9,
        min_upper_keypoints=3,
        min_lower_keypoints=3,
        padding=1.5,
        prob=0.3,
        upper_prioritized_prob=0.6914624612740131,
    ),
    dict(type='RandomScaleRotation', scale_factor=0.35, rotation_factor=45, prob=0.6),
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

# Per GPU, on 4 GPUs.
train_dataloader = dict(
    batch_size=24,
    num_workers=4,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file='annotations/person_keypoints_train2017.json',
        data_prefix=dict(img='train2017/'),
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
        ann_file='annotations/person_keypoints_val2017.json',
        bbox_file='person_detection_results/'
        'COCO_val2017_detections_AP_H_56_person.json',
        data_prefix=dict(img='val2017/'),
        pipeline=val_pipeline,
        test_mode=True,
    ),
)
test_dataloader = val_dataloader

val_evaluator = dict(
    type='FPDCocoMetric',
    ann_file=data_root + 'annotations/person_keypoints_val2017.json',
)
test_evaluator = val_evaluator

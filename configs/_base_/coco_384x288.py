_base_ = ['coco_256x192.py']

codec = dict(_base_.codec, input_size=(288, 384), heatmap_size=(72, 96), sigma=3)
crop = dict(_base_.crop, input_size=codec['input_size'])
train_pipeline = [
    *_base_.train_pipeline[:-3],
    crop,
    dict(type='GenerateTarget', encoder=codec),
    dict(type='FPDPackPoseInputs'),
]
val_pipeline = [*_base_.val_pipeline[:-2], crop, dict(type='PackPoseInputs')]

train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=val_pipeline))
test_dataloader = val_dataloader

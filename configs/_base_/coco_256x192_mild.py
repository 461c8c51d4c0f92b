_base_ = ['coco_256x192.py']

# For hourglasses and ResNets: weaker augmentation than for HRNets, and no half bodies.
train_pipeline = [
    *_base_.train_pipeline[:3],
    dict(type='RandomScaleRotation', scale_factor=0.3, rotation_factor=40, prob=0.6),
    *_base_.train_pipeline[5:],
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

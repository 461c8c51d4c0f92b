# Cropped photos of Leeds Sports Poses extended, at a size that CPU cores can train on.
_base_ = ['../../../configs/quickstart/drawn_64x64.py']

data_root = 'data/lspet/'
codec = dict(input_size=(128, 128), heatmap_size=(32, 32))

train_pipeline = _base_.train_pipeline
train_pipeline[2].update(scale_factor=0.25, rotation_factor=30)
train_pipeline[4]['input_size'] = codec['input_size']
train_pipeline[5]['encoder'].update(codec)
val_pipeline = _base_.val_pipeline
val_pipeline[2]['input_size'] = codec['input_size']

train_dataloader = dict(
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=val_pipeline))
test_dataloader = val_dataloader

# Cropped photos of Leeds Sports Poses extended, at a size that CPU cores can train on.
_base_ = ['../../../configs/_base_/mpii_256x256.py']

data_root = 'data/lspet/'
codec = dict(type='FPDHeatmap', input_size=(128, 128), heatmap_size=(32, 32), sigma=1)

train_pipeline = _base_.train_pipeline
train_pipeline[4]['input_size'] = codec['input_size']
train_pipeline[5]['encoder'] = codec
val_pipeline = _base_.val_pipeline
val_pipeline[2]['input_size'] = codec['input_size']

# Handing small samples over from worker processes costs more than making them.
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    persistent_workers=False,
    sampler=dict(type='InfiniteSampler', shuffle=True),
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline=val_pipeline),
)
test_dataloader = val_dataloader

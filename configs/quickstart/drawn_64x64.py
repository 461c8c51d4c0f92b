# People drawn by tools/quickstart.sh, at a size that two CPU cores can train on.
_base_ = ['../_base_/mpii_256x256.py']

data_root = 'work_dirs/quickstart/data/'
codec = dict(type='FPDHeatmap', input_size=(64, 64), heatmap_size=(16, 16), sigma=1)

# A short run learns less from strong augmentation than it costs.
train_pipeline = _base_.train_pipeline
train_pipeline[2].update(scale_factor=0.1, rotation_factor=10)
train_pipeline[4]['input_size'] = codec['input_size']
train_pipeline[5]['encoder'] = codec
val_pipeline = _base_.val_pipeline
val_pipeline[2]['input_size'] = codec['input_size']

# Handing small samples over from worker processes costs more than making them.
train_dataloader = dict(
    batch_size=16,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline=train_pipeline),
)
val_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    dataset=dict(data_root=data_root, pipeline=val_pipeline),
)
test_dataloader = val_dataloader

_base_ = ['default_runtime.py']

# Adam without weight decay, drops at epochs 170 and 200, no warm-up: the reference's
# recipe for HRNets, plain and FPD. Batch and score are those of COCO.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=1e-3))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[170, 200], gamma=0.1, by_epoch=True)
]
train_cfg = dict(max_epochs=210, val_interval=1)

# The batch size of this learning rate, 24 on each of 4 GPUs; only used by
# --auto-scale-lr.
auto_scale_lr = dict(base_batch_size=96)

default_hooks = dict(checkpoint=dict(save_best='coco/AP'))

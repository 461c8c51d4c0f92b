_base_ = ['default_runtime.py']

# Adam without weight decay, drops at epochs 90 and 120, no warm-up: the reference's
# recipe for hourglasses, plain and FPD. ResNets have another learning rate and batch.
optim_wrapper = dict(optimizer=dict(type='Adam', lr=2.5e-4))
param_scheduler = [
    dict(type='MultiStepLR', milestones=[90, 120], gamma=0.1, by_epoch=True)
]
train_cfg = dict(max_epochs=140, val_interval=1)

# The batch size of this learning rate; only used by --auto-scale-lr.
auto_scale_lr = dict(base_batch_size=4)

# The teacher.
_base_ = [
    '../../../configs/_base_/hg8_256.py',
    '../../../configs/_base_/default_runtime.py',
    'lspet_128x128.py',
]

num_stacks = 2
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=64),
    head=dict(num_stages=num_stacks, decoder=_base_.codec),
)

# High for a schedule this short.
max_iters = 4500
train_cfg = dict(by_epoch=False, max_iters=max_iters, val_interval=10**9)
optim_wrapper = dict(optimizer=dict(type='Adam', lr=2e-2))
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=2e-2,
        total_steps=max_iters,
        pct_start=0.2,
        by_epoch=False,
    )
]
default_hooks = dict(
    logger=dict(interval=25),
    checkpoint=dict(by_epoch=False, interval=500, save_best=None, max_keep_ckpts=1),
)

# The small teacher of tools/quickstart.sh.
_base_ = ['../_base_/hg8_256.py', '../_base_/adam_140e.py', 'drawn_64x64.py']

num_stacks = 2
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=64),
    head=dict(num_stages=num_stacks, decoder=_base_.codec),
)

# High for a schedule this short: at 2e-3 it ends with a third of the score.
max_epochs = 12
train_cfg = dict(max_epochs=max_epochs, val_interval=2)
optim_wrapper = dict(optimizer=dict(lr=4e-2))
param_scheduler = [
    dict(
        type='OneCycleLR',
        eta_max=4e-2,
        total_steps=max_epochs,
        pct_start=0.2,
        by_epoch=True,
        convert_to_iter_based=True,
    )
]
default_hooks = dict(
    logger=dict(interval=25), checkpoint=dict(save_best=None, max_keep_ckpts=1)
)
randomness = dict(seed=0)

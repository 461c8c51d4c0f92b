# The plainly trained student learns on; its checkpoint replaces the ImageNet weights.
_base_ = ['../hrnet/hrnet_w32_mpii.py', '../_base_/fpd.py']

model = dict(
    **_base_.fpd,
    backbone=dict(init_cfg=None),
    teacher=dict(
        config='configs/hrnet/hrnet_w48_mpii.py',
        checkpoint='checkpoints/hrnet_w48_mpii.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = 'checkpoints/hrnet_w32_mpii.pth'

# Short, with a learning rate that changes the student little.
train_dataloader = dict(batch_size=16)
optim_wrapper = dict(optimizer=dict(lr=1e-5))
param_scheduler = [dict(_base_.param_scheduler[0], milestones=[5, 10, 15])]
train_cfg = dict(max_epochs=20)
auto_scale_lr = dict(base_batch_size=16)

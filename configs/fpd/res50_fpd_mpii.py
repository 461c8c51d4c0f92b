# The plainly trained student learns on; its checkpoint replaces the ImageNet weights.
_base_ = ['../resnet/res50_mpii.py', '../_base_/fpd.py']

model = dict(
    **_base_.fpd,
    backbone=dict(init_cfg=None),
    teacher=dict(
        config='configs/resnet/res152_mpii.py',
        checkpoint='checkpoints/res152_mpii.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = 'checkpoints/res50_mpii.pth'

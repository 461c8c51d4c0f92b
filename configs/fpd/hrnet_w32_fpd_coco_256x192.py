# The plainly trained student learns on; its checkpoint replaces the ImageNet weights.
_base_ = ['../hrnet/hrnet_w32_coco_256x192.py', '../_base_/fpd.py']

model = dict(
    **_base_.fpd,
    backbone=dict(init_cfg=None),
    teacher=dict(
        config='configs/hrnet/hrnet_w48_coco_256x192.py',
        checkpoint='checkpoints/hrnet_w48_coco_256x192.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = 'checkpoints/hrnet_w32_coco_256x192.pth'

# The plainly trained student learns on; its checkpoint replaces the ImageNet weights.
_base_ = ['../resnet/res50_coco_256x192.py', '../_base_/fpd.py']

model = dict(
    **_base_.fpd,
    backbone=dict(init_cfg=None),
    teacher=dict(
        config='configs/resnet/res152_coco_256x192.py',
        checkpoint='checkpoints/res152_coco_256x192.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = 'checkpoints/res50_coco_256x192.pth'

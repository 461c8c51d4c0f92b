_base_ = ['res50_mpii.py']

model = dict(
    backbone=dict(depth=101, init_cfg=dict(checkpoint='torchvision://resnet101'))
)

_base_ = ['res50_mpii.py']

model = dict(
    backbone=dict(depth=152, init_cfg=dict(checkpoint='torchvision://resnet152'))
)

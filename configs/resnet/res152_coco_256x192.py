_base_ = ['res50_coco_256x192.py']

model = dict(
    backbone=dict(depth=152, init_cfg=dict(checkpoint='torchvision://resnet152'))
)

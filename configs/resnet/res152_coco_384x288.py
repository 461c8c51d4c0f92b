_base_ = ['res50_coco_384x288.py']

model = dict(
    backbone=dict(depth=152, init_cfg=dict(checkpoint='torchvision://resnet152'))
)

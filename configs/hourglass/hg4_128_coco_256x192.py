_base_ = ['hg4_256_coco_256x192.py']

model = dict(backbone=dict(num_features=128))

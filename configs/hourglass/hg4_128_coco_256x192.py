_base_ = ['hg8_256_coco_256x192.py']

model = dict(backbone=dict(num_stacks=4, num_features=128), head=dict(num_stages=4))

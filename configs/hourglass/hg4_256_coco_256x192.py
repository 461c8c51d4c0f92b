_base_ = ['hg8_256_coco_256x192.py']

num_stacks = 4
model = dict(backbone=dict(num_stacks=num_stacks), head=dict(num_stages=num_stacks))

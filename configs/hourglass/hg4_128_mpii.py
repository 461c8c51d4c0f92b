_base_ = ['hg8_256_mpii.py']

num_stacks = 4
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=128),
    head=dict(num_stages=num_stacks),
)

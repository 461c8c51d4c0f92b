# The small student of tools/quickstart.sh.
_base_ = ['hg2_64_drawn.py']

num_stacks = 1
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=32),
    head=dict(num_stages=num_stacks),
)

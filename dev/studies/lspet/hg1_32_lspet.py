# The student.
_base_ = ['hg2_64_lspet.py']

num_stacks = 1
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=32),
    head=dict(num_stages=num_stacks),
)

max_iters = 900
train_cfg = dict(max_iters=max_iters)
param_scheduler = _base_.param_scheduler
param_scheduler[0]['total_steps'] = max_iters

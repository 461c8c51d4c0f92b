# The small student of tools/quickstart.sh, trained plainly.
_base_ = ['hg2_64_drawn.py']

num_stacks = 1
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=32),
    head=dict(num_stages=num_stacks),
)

max_epochs = 6
train_cfg = dict(max_epochs=max_epochs)
param_scheduler = _base_.param_scheduler
param_scheduler[0]['total_steps'] = max_epochs

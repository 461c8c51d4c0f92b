# The small student of the quick start, trained plainly on the few labeled people.
_base_ = ['hg2_64_drawn.py']

num_stacks = 1
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=32),
    head=dict(num_stages=num_stacks),
)

# In steps, because arms that have other people in a batch have other epochs.
max_iters = 450
train_cfg = dict(
    _delete_=True, by_epoch=False, max_iters=max_iters, val_interval=max_iters // 4
)
param_scheduler = _base_.param_scheduler
param_scheduler[0].update(total_steps=max_iters, by_epoch=False)
param_scheduler[0].pop('convert_to_iter_based')
default_hooks = dict(checkpoint=dict(by_epoch=False, interval=450))

train_dataloader = dict(
    sampler=dict(type='InfiniteSampler'),
    dataset=dict(ann_file='annotations/labeled_0.json'),
)
# Enough for a curve.
val_dataloader = dict(dataset=dict(indices=100))

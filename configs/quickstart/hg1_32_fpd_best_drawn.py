# The student with the three changes that gained on validation people: a larger share of
# unlabeled people, joints weighted by the teacher's confidence, twice as many steps.
_base_ = ['hg1_32_fpd_unlabeled_drawn.py']

# As much weight for each person: 0.5 * 14 / 14 = 1 / 2.
model = dict(distill_loss=dict(unlabeled_weight=14.0, confidence_weight=True))
train_dataloader = dict(batch_sampler=dict(source_ratio=[1, 7]))

max_iters = 1800
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 6)
param_scheduler = _base_.param_scheduler
param_scheduler[0]['total_steps'] = max_iters

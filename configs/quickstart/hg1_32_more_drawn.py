# The student, plainly trained for as many samples as the others: the control.
_base_ = ['hg1_32_drawn.py']

max_iters = 900
train_cfg = dict(max_iters=max_iters, val_interval=max_iters // 6)
param_scheduler = _base_.param_scheduler
param_scheduler[0]['total_steps'] = max_iters

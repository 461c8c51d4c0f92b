# The trained student, plainly trained for as many steps again: what FPD, which starts
# from the same weights, is to be compared with.
_base_ = ['hg1_32_drawn.py']

optim_wrapper = dict(optimizer=dict(lr=1e-2))
param_scheduler = _base_.param_scheduler
param_scheduler[0]['eta_max'] = 1e-2

load_from = 'work_dirs/quickstart/start.pth'

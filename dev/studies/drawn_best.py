# What gained in drawn_recipe.py, together, on other people and with other seeds.
_base_ = ['../../configs/quickstart/study.py']

seeds = [5, 6, 7, 8, 9]

_control = _base_.arms.control
_control.update(label='Plain, 1,800 steps', length=2)
_best = _base_.arms.unlabeled
_best.update(
    label='FPD, best recipe, stored teacher',
    config='quickstart/hg1_32_fpd_best_drawn.py',
    teacher='teacher',
    stored=True,
)
arms = dict(_delete_=True, teacher=_base_.arms.teacher, control=_control, best=_best)

# The reference's FPD*: distillation from random weights, without a trained student.
_base_ = ['hg4_128_fpd_mpii.py']

load_from = None

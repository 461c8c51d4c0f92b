# The student is warm-started from plain training: the recipe of the published gain.
_base_ = ['hg4_128_fpd_scratch_mpii.py']

load_from = 'checkpoints/hg4_128_mpii.pth'

# The recipe of the published gain: a teacher continues a plainly trained student.
_base_ = ['../hourglass/hg4_128_mpii.py', '../_base_/fpd.py']

model = dict(
    **_base_.fpd,
    teacher=dict(
        config='configs/hourglass/hg8_256_mpii.py',
        checkpoint='checkpoints/hg8_256_mpii.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = 'checkpoints/hg4_128_mpii.pth'

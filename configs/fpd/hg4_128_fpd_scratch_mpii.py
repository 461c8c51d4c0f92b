# The reference's FPD*: distillation from the first epoch on, without a trained student.
_base_ = ['../hourglass/hg4_128_mpii.py']

model = dict(
    type='FPDDistiller',
    teacher=dict(
        config='configs/hourglass/hg8_256_mpii.py',
        checkpoint='checkpoints/hg8_256_mpii.pth',
    ),
    distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5),
)

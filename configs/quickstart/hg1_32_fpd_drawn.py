# The same student, distilled with as many steps as plain training has.
_base_ = ['hg1_32_drawn.py']

model = dict(
    type='FPDDistiller',
    teacher=dict(
        config='configs/quickstart/hg2_64_drawn.py',
        checkpoint='work_dirs/quickstart/teacher.pth',
    ),
    distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5),
)

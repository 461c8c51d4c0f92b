# The trained student, distilled for as many steps as it is plainly trained further.
_base_ = ['hg1_32_more_drawn.py']

model = dict(
    type='FPDDistiller',
    teacher=dict(
        config='configs/quickstart/hg2_64_drawn.py',
        checkpoint='work_dirs/quickstart/teacher.pth',
    ),
    distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5),
)

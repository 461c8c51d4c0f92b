# The student, distilled on the same labeled people.
_base_ = ['hg1_32_more_drawn.py']

model = dict(
    type='FPDDistiller',
    teacher=dict(
        config='configs/quickstart/hg2_64_drawn.py',
        checkpoint='{{ fileDirname }}/hg2_64_drawn-be15d19a.pth',
    ),
    distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5),
)

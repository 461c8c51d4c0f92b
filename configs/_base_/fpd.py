# What distillation adds to the config of a student, which refers to it by name because
# two bases must not both set `model`.
fpd = dict(type='FPDDistiller', distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5))
# As in the reference, teacher and student are validated before the first epoch.
fpd_hook = dict(type='ValidateBeforeTrainingHook')

# What distillation adds to the config of its student, which takes it from here by
# name: two bases may not both set `model`.
fpd = dict(type='FPDDistiller', distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5))
# As in the reference, teacher and student are measured before the first epoch.
fpd_hook = dict(type='ValidateBeforeTrainingHook')

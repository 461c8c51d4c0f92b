# What distillation adds to RTMPose: a term that falls to 0 over the run, as in DWPose.
fpd = dict(
    type='FPDDistiller',
    distill_loss=dict(type='SimCCDistillLoss', alpha=0.5, alpha_schedule='linear'),
)
fpd_hook = dict(type='ValidateBeforeTrainingHook')

_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)

default_hooks = dict(
    checkpoint=dict(
        interval=1, max_keep_ckpts=2, save_best='PCKh/Mean', rule='greater'
    ),
    speed=dict(type='TrainingSpeedHook'),
)

# FPD for two networks of MMPose, with its data, schedule, and published weights.
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'td-hm_litehrnet-30_8xb64-210e_coco-256x192.py',
    '../_base_/fpd.py',
]

custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)
model = dict(
    **_base_.fpd,
    teacher=dict(
        config='mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_hrnet-w48_8xb32-210e_coco-256x192.py',
        checkpoint='https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/'
        'topdown_heatmap/coco/'
        'td-hm_hrnet-w48_8xb32-210e_coco-256x192-0e67c616_20220913.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]
load_from = (
    'https://download.openmmlab.com/mmpose/top_down/litehrnet/'
    'litehrnet30_coco_256x192-4176555b_20210626.pth'
)

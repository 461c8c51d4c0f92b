# RTMPose-m teaches RTMPose-s, with MMPose's data, schedule, and published teacher.
_base_ = [
    'mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-s_8xb256-420e_coco-256x192.py',
    '../_base_/fpd_simcc.py',
]

custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)
model = dict(
    **_base_.fpd,
    teacher=dict(
        config='mmpose::body_2d_keypoint/rtmpose/coco/'
        'rtmpose-m_8xb256-420e_coco-256x192.py',
        checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/'
        'rtmpose-m_simcc-coco_pt-aic-coco_420e-256x192-d8dd5ca4_20230127.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]

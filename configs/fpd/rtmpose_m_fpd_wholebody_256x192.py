# RTMPose-l teaches RTMPose-m, as in the first stage of DWPose but for its feature loss.
_base_ = [
    'mmpose::wholebody_2d_keypoint/rtmpose/coco-wholebody/'
    'rtmpose-m_8xb64-270e_coco-wholebody-256x192.py',
    '../_base_/fpd_simcc.py',
]

custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)
model = dict(
    **_base_.fpd,
    teacher=dict(
        config='mmpose::wholebody_2d_keypoint/rtmpose/coco-wholebody/'
        'rtmpose-l_8xb64-270e_coco-wholebody-256x192.py',
        checkpoint='https://download.openmmlab.com/mmpose/v1/projects/rtmposev1/'
        'rtmpose-l_simcc-coco-wholebody_pt-aic-coco_270e-256x192-6f206314_20230124.pth',
    ),
)
custom_hooks = [*_base_.custom_hooks, _base_.fpd_hook]

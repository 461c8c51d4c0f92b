# HRNet-W48 teaches CSPNeXt-tiny, from scratch.
_base_ = ['../cspnext/cspnext_t_coco_256x192.py', '../_base_/fpd.py']

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

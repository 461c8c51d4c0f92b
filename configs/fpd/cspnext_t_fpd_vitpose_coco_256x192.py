# ViTPose-B teaches CSPNeXt-tiny, from scratch.
_base_ = ['cspnext_t_fpd_coco_256x192.py']

model = dict(
    teacher=dict(
        config='mmpose::body_2d_keypoint/topdown_heatmap/coco/'
        'td-hm_ViTPose-base_8xb64-210e_coco-256x192.py',
        checkpoint='https://download.openmmlab.com/mmpose/v1/body_2d_keypoint/'
        'topdown_heatmap/coco/'
        'td-hm_ViTPose-base_8xb64-210e_coco-256x192-216eae50_20230314.pth',
    ),
)

# A small student that is fast on a CPU: MMPose's CSPNeXt-tiny with a narrower head.
_base_ = [
    'mmpose::body_2d_keypoint/topdown_heatmap/coco/'
    'cspnext-tiny_udp_8xb256-210e_coco-256x192.py'
]

custom_imports = dict(imports=['fpd_mmpose'], allow_failed_imports=False)
model = dict(head=dict(deconv_out_channels=(64, 64, 64)))

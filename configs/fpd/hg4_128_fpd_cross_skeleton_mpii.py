# A teacher with another skeleton: it has 12 of MPII's 16 joints, matched by name. The
# other four learn from the labels alone.
_base_ = ['hg4_128_fpd_mpii.py']

model = dict(
    teacher=dict(
        config='configs/hrnet/hrnet_w48_coco_256x192.py',
        checkpoint='checkpoints/hrnet_w48_coco_256x192.pth',
    ),
)

_base_ = [
    '../_base_/hrnet_w48.py',
    '../_base_/adam_210e.py',
    '../_base_/coco_384x288.py',
]

model = dict(head=dict(decoder=_base_.codec))

_base_ = [
    '../_base_/hg8_256.py',
    '../_base_/adam_140e.py',
    '../_base_/mpii_256x256.py',
]

model = dict(
    backbone=dict(num_stacks=4),
    head=dict(num_stages=4, decoder=_base_.codec),
)

# There is no 384x288 version: the network halves its input four more times, and 72
# columns cannot be halved evenly; the reference stops with an error there.
_base_ = [
    '../_base_/hg8_256.py',
    '../_base_/adam_140e.py',
    '../_base_/coco_256x192_mild.py',
]

model = dict(
    backbone=dict(num_joints=17),
    head=dict(in_channels=17, out_channels=17, decoder=_base_.codec),
)
train_dataloader = dict(batch_size=4)
default_hooks = dict(checkpoint=dict(save_best='coco/AP'))

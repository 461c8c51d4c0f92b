_base_ = [
    '../_base_/res50.py',
    '../_base_/adam_140e.py',
    '../_base_/coco_384x288_mild.py',
]

model = dict(head=dict(decoder=_base_.codec))
# Per GPU, on 4 GPUs, as in the reference's experiment file.
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=128)
default_hooks = dict(checkpoint=dict(save_best='coco/AP'))

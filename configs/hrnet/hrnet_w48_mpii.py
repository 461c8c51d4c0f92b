_base_ = [
    '../_base_/hrnet_w48.py',
    '../_base_/adam_210e.py',
    '../_base_/mpii_256x256.py',
]

model = dict(head=dict(out_channels=16, decoder=_base_.codec))
# Batch and schedule of the reference's experiment file. Its script sets a batch of
# 4 and 140 epochs, with which the learning rate would never drop.
train_dataloader = dict(batch_size=32)
auto_scale_lr = dict(base_batch_size=32)
default_hooks = dict(checkpoint=dict(save_best='PCKh/Mean'))

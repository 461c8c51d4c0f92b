_base_ = ['../_base_/res50.py', '../_base_/adam_140e.py', '../_base_/mpii_256x256.py']

model = dict(head=dict(out_channels=16, decoder=_base_.codec))
# Per GPU, on 4 GPUs, as in the reference's experiment file. Its script
# sets a batch of 4 on one GPU, with the same learning rate.
train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
auto_scale_lr = dict(base_batch_size=128)

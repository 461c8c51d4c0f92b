# The student.
_base_ = ['hg2_64_lspet.py']

# With narrower targets it stays near the mean pose for a thousand steps.
codec = dict(_base_.codec, sigma=2)
train_pipeline = _base_.train_pipeline
train_pipeline[5]['encoder'] = codec
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

num_stacks = 1
model = dict(
    backbone=dict(num_stacks=num_stacks, num_features=32),
    head=dict(num_stages=num_stacks, decoder=codec),
)

max_iters = 3000
train_cfg = dict(max_iters=max_iters)
param_scheduler = _base_.param_scheduler
param_scheduler[0].update(total_steps=max_iters, eta_max=4e-2)
optim_wrapper = dict(optimizer=dict(lr=4e-2))

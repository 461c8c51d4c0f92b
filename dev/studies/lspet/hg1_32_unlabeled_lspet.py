# The student, for three quarters of each batch on people without labels.
_base_ = ['hg1_32_lspet.py']

# As much weight for each person, whether labeled or not.
model = dict(
    type='FPDDistiller',
    distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5, unlabeled_weight=6.0),
)

labeled = _base_.train_dataloader.dataset
unlabeled = dict(
    type='UnlabeledPoseDataset',
    data_root=labeled.data_root,
    ann_file='annotations/unlabeled_300_0.json',
    images='images',
    pipeline=[step for step in labeled.pipeline if step['type'] != 'GenerateTarget'],
)
train_dataloader = dict(
    batch_sampler=dict(type='MixedBatchSampler', source_ratio=[1, 3]),
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[labeled, unlabeled],
    ),
)

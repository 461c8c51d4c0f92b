# The student, distilled on the labeled people and, for three quarters of each batch, on
# people without labels, for whom the teacher's heatmaps are the only target.
_base_ = ['hg1_32_fpd_drawn.py']

# The term of twelve unlabeled people has as much weight for each of them as the terms
# of four labeled ones have: 0.5 * 6 / 12 = 1 / 4.
model = dict(distill_loss=dict(unlabeled_weight=6.0))

labeled = _base_.train_dataloader.dataset
unlabeled = dict(
    type='UnlabeledPoseDataset',
    data_root=labeled.data_root,
    ann_file='annotations/unlabeled_0.json',
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

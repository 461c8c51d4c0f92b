# Each batch pairs every labeled person of MPII with one from `data/unlabeled`, for whom
# the teacher's heatmaps are the only target. An epoch is one pass over MPII.
_base_ = ['hg4_128_fpd_mpii.py']

unlabeled = dict(
    type='UnlabeledPoseDataset',
    data_root='data/unlabeled/',
    ann_file='people.json',
    images='images',
    pipeline=[
        step for step in _base_.train_pipeline if step['type'] != 'GenerateTarget'
    ],
)
train_dataloader = dict(
    batch_size=8,
    batch_sampler=dict(type='MixedBatchSampler', source_ratio=[1, 1]),
    dataset=dict(
        _delete_=True,
        type='CombinedDataset',
        metainfo=dict(from_file='configs/_base_/datasets/mpii.py'),
        datasets=[_base_.train_dataloader.dataset, unlabeled],
    ),
)
auto_scale_lr = dict(base_batch_size=8)

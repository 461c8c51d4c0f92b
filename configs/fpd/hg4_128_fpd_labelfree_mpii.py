# No labels at all: a student learns from the teacher's heatmaps alone, on people of
# `data/unlabeled`. Labelled people of MPII only measure it.
_base_ = ['hg4_128_fpd_scratch_mpii.py']

model = dict(distill_loss=dict(alpha=1))
train_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='UnlabeledPoseDataset',
        data_root='data/unlabeled/',
        ann_file='people.json',
        images='images',
        pipeline=[
            step for step in _base_.train_pipeline if step['type'] != 'GenerateTarget'
        ],
    ),
)

# No labels at all: the student learns from the teacher's heatmaps alone, on the people
# in `data/unlabeled`. MPII is only for validation.
_base_ = ['hg4_128_fpd_mpii.py']

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
load_from = None

# What `fpd quickstart` compares.
seeds = [0]
baselines = ['control']

_labeled = {'train_dataloader.dataset.ann_file': 'annotations/labeled_{seed}.json'}
_mixed = {
    'train_dataloader.dataset.datasets.0.ann_file': 'annotations/labeled_{seed}.json',
    'train_dataloader.dataset.datasets.1.ann_file': 'annotations/unlabeled_{seed}.json',
}
arms = dict(
    teacher=dict(
        label='Teacher HG2-64',
        color='teacher',
        config='quickstart/hg2_64_drawn.py',
        checkpoint='{{ fileDirname }}/hg2_64_drawn-be15d19a.pth',
    ),
    plain=dict(
        label='Plain HG1-32',
        color='plain',
        config='quickstart/hg1_32_drawn.py',
        options=_labeled,
    ),
    control=dict(
        label='Plain, as many samples',
        color='control',
        config='quickstart/hg1_32_more_drawn.py',
        options=_labeled,
    ),
    fpd=dict(
        label='FPD',
        color='fpd',
        config='quickstart/hg1_32_fpd_drawn.py',
        options=_labeled,
    ),
    unlabeled=dict(
        label='FPD, with unlabeled people',
        color='unlabeled',
        config='quickstart/hg1_32_fpd_unlabeled_drawn.py',
        options=_mixed,
    ),
)

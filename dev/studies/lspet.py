# Students of real people: few labels, and the other people without.
seeds = [0, 1, 2]
baselines = ['plain_300', 'as_long_300', 'fpd_300', 'plain_1000', 'plain_2600']

_folder = '{{ fileDirname }}/lspet'
_file = 'annotations/{kind}_{labels}_{{seed}}.json'
_people = 'train_dataloader.dataset'
arms = dict(
    teacher=dict(
        label='Teacher HG2-64, all labels',
        color='teacher',
        config=f'{_folder}/hg2_64_lspet.py',
        once=True,
    ),
)
for _labels in (300, 1000, 2600):
    # A live teacher takes twice as long.
    _stored = _labels == 2600
    _how = ', stored teacher' if _stored else ''
    _labeled = _file.format(kind='labeled', labels=_labels)
    _unlabeled = _file.format(kind='unlabeled', labels=_labels)
    arms[f'plain_{_labels}'] = dict(
        label=f'Plain, {_labels:,} labels',
        color='control',
        config=f'{_folder}/hg1_32_lspet.py',
        options={f'{_people}.ann_file': _labeled},
    )
    arms[f'unlabeled_{_labels}'] = dict(
        label=f'FPD, {_labels:,} labels, with unlabeled people{_how}',
        color='unlabeled',
        config=f'{_folder}/hg1_32_unlabeled_lspet.py',
        options={
            f'{_people}.datasets.0.ann_file': _labeled,
            f'{_people}.datasets.1.ann_file': _unlabeled,
        },
        teacher='teacher',
        stored=_stored,
    )
for _labels in (300, 1000):
    arms[f'fpd_{_labels}'] = dict(
        like=f'plain_{_labels}',
        label=f'FPD, {_labels:,} labels',
        color='fpd',
        teacher='teacher',
    )
arms['unannotated_300'] = dict(
    like='fpd_300',
    label='FPD, 300 labels, and joints without a label',
    options={'model.distill_loss.unannotated_joints': True},
)
arms['as_long_300'] = dict(
    like='plain_300',
    label='Plain, 300 labels, for as long',
    color='control',
    time_of='unlabeled_300',
)
arms['stored_300'] = dict(
    like='unlabeled_300',
    label='FPD, 300 labels, with unlabeled people, stored teacher',
    stored=True,
)

# What distillation gains on drawn people, and what of it is not the teacher's merit.
_base_ = ['../../configs/quickstart/study.py']

seeds = [0, 1, 2, 3, 4]
baselines = ['control', 'continued']

_loss = 'model.distill_loss'
_large = {
    'model.backbone.num_stacks': 2,
    'model.backbone.num_features': 64,
    'model.head.num_stages': 2,
}
arms = dict(
    as_long=dict(
        like='control', label='Plain, for as long', color='control', time_of='unlabeled'
    ),
    continued=dict(
        like='control', label='Plain, continued', start_from='plain', length=0.5
    ),
    warm=dict(
        like='fpd', label='FPD, from the plain student', start_from='plain', length=0.5
    ),
    warm_unlabeled=dict(
        like='unlabeled',
        label='The same, with unlabeled people',
        start_from='plain',
        length=0.5,
    ),
    label_free=dict(
        like='unlabeled',
        label='FPD without labels',
        # As much weight for each person, of the first part or of the second.
        options={f'{_loss}.alpha': 1.0, f'{_loss}.unlabeled_weight': 3.0},
    ),
    stored=dict(
        like='unlabeled',
        label='FPD, with unlabeled people, stored teacher',
        teacher='teacher',
        stored=True,
    ),
    random=dict(
        like='teacher', label='Random network', checkpoint=None, length=0, once=True
    ),
    from_random=dict(like='fpd', label='FPD, random teacher', teacher='random'),
    from_itself=dict(
        like='fpd', label='FPD, the control as teacher', teacher='control'
    ),
    weak=dict(
        like='control',
        label='HG2-64 with the labels of seed 0',
        options=_large,
        once=True,
        color='teacher',
    ),
    from_weak=dict(like='fpd', label='FPD, that as teacher', teacher='weak'),
)

# What raises the gain of the quick start's recipe, on people drawn for validation.
_base_ = ['../../configs/quickstart/study.py']

seeds = [0, 1]
baselines = ['unlabeled', 'control']

_loss = 'model.distill_loss'
_ratio = 'train_dataloader.batch_sampler.source_ratio'
arms = dict(
    falling=dict(
        like='unlabeled',
        label='alpha falls to 0',
        options={f'{_loss}.alpha_schedule': 'linear'},
    ),
    off_at_end=dict(
        like='unlabeled',
        label='alpha 0 in the last tenth',
        options={f'{_loss}.alpha_schedule': 'off_at_end'},
    ),
    more_teacher=dict(
        like='unlabeled',
        label='alpha 0.8',
        # As much weight for each person as at 0.5.
        options={f'{_loss}.alpha': 0.8, f'{_loss}.unlabeled_weight': 3.75},
    ),
    confidence=dict(
        like='unlabeled',
        label='weighted by confidence',
        options={f'{_loss}.confidence_weight': True},
    ),
    lighter=dict(
        like='unlabeled',
        label='a third of the weight for unlabeled people',
        options={f'{_loss}.unlabeled_weight': 2.0},
    ),
    one_to_one=dict(
        like='unlabeled',
        label='as many labeled people in a batch',
        options={_ratio: [1, 1], f'{_loss}.unlabeled_weight': 2.0},
    ),
    one_to_seven=dict(
        like='unlabeled',
        label='seven times as many unlabeled ones',
        options={_ratio: [1, 7], f'{_loss}.unlabeled_weight': 14.0},
    ),
    averaged=dict(
        like='unlabeled',
        label='averaged weights (EMA)',
        options={
            'custom_hooks': [
                dict(
                    type='EMAHook',
                    ema_type='ExponentialMovingAverage',
                    momentum=0.01,
                    update_buffers=True,
                )
            ]
        },
    ),
    fewer=dict(
        like='unlabeled',
        label='300 unlabeled people',
        options={'train_dataloader.dataset.datasets.1.indices': 300},
    ),
    stored=dict(
        like='unlabeled', label='stored teacher', teacher='teacher', stored=True
    ),
    stored_flip=dict(
        like='stored',
        label='stored teacher, averaged with the flipped image',
        stored=dict(flip_test=True),
    ),
    longer=dict(like='unlabeled', label='twice as many steps', length=2),
    longer_stored=dict(
        like='stored', label='twice as many steps, stored teacher', length=2
    ),
)

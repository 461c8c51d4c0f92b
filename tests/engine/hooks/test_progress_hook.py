"""Training shows one bar, from its first step to its last."""

from tests.helpers.reduced import reduced_config, run


def test_it_counts_steps_and_shows_loss_and_score(mpii_root, tmp_path, capsys):
    config = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, stacks=1, features=8
    )
    config.custom_hooks = [dict(type='ProgressHook', label='A network')]
    run(config)
    bar = capsys.readouterr().err.replace('\r', '\n').splitlines()[-1]
    assert bar.startswith('A network: 100%')
    assert '3/3' in bar and 'loss=' in bar and 'PCKh/Mean=' in bar


def test_it_continues_where_a_run_resumes(mpii_root, tmp_path, capsys):
    for epochs in (1, 2):
        config = reduced_config(
            'hourglass/hg4_128_mpii.py',
            mpii_root,
            tmp_path,
            stacks=1,
            features=8,
            epochs=epochs,
        )
        config.custom_hooks = [dict(type='ProgressHook', label='A network')]
        config.resume = epochs == 2
        capsys.readouterr()
        run(config)
    lines = capsys.readouterr().err.replace('\r', '\n').splitlines()
    assert '6/6' in lines[-1]
    first = next(line for line in lines if line.startswith('A network'))
    assert '3/6' in first or '4/6' in first

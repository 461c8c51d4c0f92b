"""The page on the training log explains what a log holds."""

import json
import re

import pytest

from tests.helpers import ROOT
from tests.helpers.reduced import reduced_config, reduced_teacher, run

PAGE = (ROOT / 'docs/howto/watch_a_run.md').read_text()


def test_every_value_is_in_the_table_and_adds_up(mpii_root, tmp_path):
    config = reduced_config(
        'fpd/hg4_128_fpd_unlabeled_mpii.py', mpii_root, tmp_path / 'run', 1, 8
    )
    config.load_from = None
    config.model.teacher = reduced_teacher(tmp_path)
    config.model.distill_loss.update(alpha=0.25, alpha_schedule='linear')
    config.default_hooks.logger.interval = 1
    run(config)
    (log,) = (tmp_path / 'run').glob('*/vis_data/scalars.json')
    first = json.loads(log.read_text().splitlines()[0])
    table = PAGE.split('## The log')[1].split('\n\n')[2]
    names = re.findall(r'^\| (.*?) \|', table, re.M)
    explained = set(re.findall(r'`(\w+)`', ' '.join(names)))
    assert first.keys() | {'memory'} == explained  # which only a GPU has

    alpha, pose = first['alpha'], first['pose']
    assert first['loss_kpt'] == pytest.approx((1 - alpha) * pose, rel=1e-5)
    weight = config.model.distill_loss.get('unlabeled_weight', 1)
    kd = first['kd'] + weight * first['kd_unlabeled']
    assert first['loss_kd'] == pytest.approx(alpha * kd, rel=1e-5)
    assert first['loss'] == pytest.approx(first['loss_kpt'] + first['loss_kd'])

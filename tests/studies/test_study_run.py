"""A study, from its file to its report."""

import json

import cv2
import numpy as np
import pytest
import torch

from fpd_mmpose import StackedHourglass
from fpd_mmpose.cli import main as fpd
from fpd_mmpose.run_reports.logged_run import LoggedRun
from fpd_mmpose.studies.run_curve import read_curve
from fpd_mmpose.studies.run_record import PREDICTIONS, RECORD
from fpd_mmpose.studies.study_plan import WEIGHTS
from fpd_mmpose.synthetic import write_dataset

STUDY = """
baselines = ['plain']
options = {{
    'train_cfg': dict(_delete_=True, by_epoch=False, max_iters=2, val_interval=1),
    'train_dataloader.batch_size': 4,
    'train_dataloader.sampler.type': 'InfiniteSampler',
    'train_dataloader.dataset.ann_file': 'annotations/mpii_train.json',
    'param_scheduler': [],
    'default_hooks.checkpoint.by_epoch': False,
    'default_hooks.checkpoint.interval': 1,
    'default_hooks.logger.interval': 1,
    'val_dataloader.dataset.indices': 6,
}}
arms = dict(
    teacher=dict(config='quickstart/hg2_64_drawn.py', once=True),
    plain=dict(config='quickstart/hg1_32_drawn.py'),
    initial=dict(like='plain', length=0),
    fpd=dict(
        like='plain',
        teacher='teacher',
        options={{'model.distill_loss': dict(alpha=0.8, alpha_schedule='linear')}},
    ),
    fpd_initial=dict(like='fpd', length=0),
    stored=dict(like='fpd', stored=dict(zooms=[1.0])),
    continued=dict(like='plain', start_from='plain', length={length}),
    as_long=dict(like='plain', time_of='fpd'),
    averaged=dict(
        like='fpd',
        options={{'custom_hooks': [
            dict(type='EMAHook', ema_type='ExponentialMovingAverage', momentum=0.5)
        ]}},
    ),
    given=dict(
        config='quickstart/hg1_32_drawn.py',
        checkpoint='{given}',
    ),
)
"""


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp('study')
    write_dataset(root / 'data', 8, 6, seed=5)
    network = StackedHourglass(num_stacks=1, num_features=32)
    given = {f'backbone.{key}': value for key, value in network.state_dict().items()}
    torch.save(dict(state_dict=given), root / 'given.pth')
    return root


@pytest.fixture(scope='module')
def study(root):
    def run(length: int = 1, *options: str):
        text = STUDY.format(length=length, given=root / 'given.pth')
        (root / 'study.py').write_text(text)
        fpd(
            ['study', str(root / 'study.py'), '--out', str(root / 'out')]
            + ['--data-root', str(root / 'data'), '--processes', '1', *options]
        )
        return json.loads((root / 'out/results.json').read_text())

    return run


@pytest.fixture(scope='module')
def results(study):
    return study(1, '--seeds', '0', '1')


def weights(root, name):
    file = torch.load(root / 'out' / name / WEIGHTS, weights_only=True)
    return file['state_dict']


def same(one, other):
    return one.keys() == other.keys() and all(
        torch.equal(one[key], other[key]) for key in one
    )


def test_every_arm_is_scored_for_every_seed(results):
    assert {name: len(row['scores']) for name, row in results.items()} == dict(
        teacher=1, plain=2, initial=2, fpd=2, fpd_initial=2, stored=2, continued=2,
        as_long=2, averaged=2, given=1,
    )  # fmt: skip


def test_seeds_are_paired(root, results):
    for seed in (0, 1):
        plain = weights(root, f'initial/seed_{seed}')
        assert same(plain, weights(root, f'fpd_initial/seed_{seed}'))
    assert not same(plain, weights(root, 'initial/seed_0'))


def test_the_log_of_a_run_names_its_machine(root, results):
    run = LoggedRun(root / 'out/plain/seed_0')
    assert {'Python', 'PyTorch'} <= {*run.environment} and run.parameters() == 60416
    assert run.wall_time


def test_networks_differ_once_they_are_trained(root, results):
    assert not same(weights(root, 'plain/seed_0'), weights(root, 'fpd/seed_0'))
    assert not same(weights(root, 'plain/seed_0'), weights(root, 'initial/seed_0'))


def test_the_course_of_a_run_is_in_samples(root, results):
    folder = root / 'out/plain/seed_0'
    record = json.loads((folder / RECORD).read_text())
    curve = read_curve(folder, record, 'PCKh/Mean')
    assert [samples for samples, _ in curve.losses] == [4, 8]
    assert [samples for samples, _ in curve.scores] == [4, 8]


def test_a_falling_alpha_falls_in_runs_of_steps(root, results):
    (log,) = (root / 'out/fpd/seed_0').glob('*/vis_data/scalars.json')
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    alphas = [line['alpha'] for line in lines if 'alpha' in line]
    assert alphas == pytest.approx([0.8, 0.4])


def test_averaged_weights_are_scored(root, results):
    folder = root / 'out/averaged/seed_0'
    checkpoint = torch.load(folder / 'iter_2.pth', weights_only=False)
    assert same(weights(root, 'averaged/seed_0'), checkpoint['state_dict'])
    assert not same(weights(root, 'averaged/seed_0'), weights(root, 'fpd/seed_0'))


def test_a_distilled_student_has_the_keys_of_a_plain_one(root, results):
    assert weights(root, 'fpd/seed_0').keys() == weights(root, 'plain/seed_0').keys()


def test_budgets_include_those_of_the_start(results):
    assert (results['plain']['steps'], results['plain']['samples']) == (2, 8)
    assert (results['continued']['steps'], results['continued']['samples']) == (4, 16)
    assert results['initial']['steps'] == results['given']['steps'] == 0


def test_people_make_up_the_score(root, results):
    record = json.loads((root / 'out/plain/seed_0' / RECORD).read_text())
    share = 100 * np.sum(record['right']) / np.sum(record['annotated'])
    assert share == pytest.approx(results['plain']['scores']['0'])
    assert (root / 'out/plain/seed_0' / PREDICTIONS).is_file()


def test_given_weights_are_scored_as_they_are(root, results):
    file = torch.load(root / 'given.pth', weights_only=True)
    assert same(file['state_dict'], weights(root, 'given'))


def test_differences_are_to_the_baseline(results):
    over = results['fpd']['over']['plain']
    gains = [
        results['fpd']['scores'][seed] - results['plain']['scores'][seed]
        for seed in '01'
    ]
    assert over['mean'] == pytest.approx(np.mean(gains))
    assert over['low'] <= over['mean'] <= over['high'] and over['pairs'] == 2


def test_there_are_a_table_and_pictures(root, results):
    table = (root / 'out/results.md').read_text()
    assert 'over plain' in table and len(table.splitlines()) == 2 + len(results)
    for name in ('gains.png', 'curves.png'):
        image = cv2.imread(str(root / 'out' / name))
        assert image is not None and image.std() > 10


class TestRepeating:
    def times(self, root):
        return {
            path.parent.relative_to(root / 'out').as_posix(): path.stat().st_mtime_ns
            for path in (root / 'out').glob(f'**/{RECORD}')
        }

    def test_nothing_is_done_twice(self, root, study, results):
        before = self.times(root)
        assert study(1, '--seeds', '0', '1') == results
        assert self.times(root) == before

    def test_only_what_has_changed_is_done_anew(self, root, study, results):
        before = self.times(root)
        study(2, '--seeds', '0', '1')
        after = self.times(root)
        changed = {name for name in after if after[name] != before.get(name)}
        assert changed == {'continued/seed_0', 'continued/seed_1'} | {
            # The old ones are kept.
            'replaced/continued_seed_0.0',
            'replaced/continued_seed_1.0',
        }

    def test_an_interrupted_run_is_resumed(self, root, study, results):
        folder = root / 'out/plain/seed_1'
        whole = weights(root, 'plain/seed_1')
        (folder / RECORD).unlink()
        (folder / 'last_checkpoint').write_text(str(folder / 'iter_1.pth'))
        study(1, '--seeds', '0', '1')
        record = json.loads((folder / RECORD).read_text())
        assert record['steps'] == 2 and record['seconds'] is None
        assert weights(root, 'plain/seed_1').keys() == whole.keys()

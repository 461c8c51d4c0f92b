"""The pictures of a study."""

import cv2
import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

from fpd_mmpose.studies import charts, people_picture
from fpd_mmpose.studies.charts import (
    COLORS,
    Bar,
    Curve,
    save_curves,
    save_gain_bars,
)
from fpd_mmpose.studies.people_picture import ArmPoses, people_with_gain, save_people


@pytest.fixture
def figures(monkeypatch):
    """The figures that are saved."""
    saved, save = [], charts.save_figure

    def keep(figure, *args, **options):
        saved.append(figure)
        save(figure, *args, **options)

    for module in (charts, people_picture):
        monkeypatch.setattr(module, 'save_figure', keep)
    return saved


@pytest.fixture(scope='module')
def people(mpii_root):
    init_default_scope('mmpose')
    return DATASETS.build(
        dict(
            type='FPDMpiiDataset',
            data_root=str(mpii_root),
            ann_file='annotations/mpii_val.json',
            headbox_file='annotations/mpii_gt_val.mat',
            data_prefix=dict(img='images/'),
            test_mode=True,
        )
    )


@pytest.fixture
def poses(people):
    """The ground truth as the prediction of an arm, and which joints count."""
    infos = [people.get_data_info(index) for index in range(len(people))]
    keypoints = np.concatenate([info['keypoints'] for info in infos])
    counted = np.concatenate([info['keypoints_visible'] for info in infos]) > 0
    counted[:, 6:8] = False
    return ArmPoses('FPD', COLORS['fpd'], keypoints, counted.copy()), counted


def texts(axis):
    return [text.get_text() for text in axis.texts]


def test_people_are_chosen_by_their_gain_and_then_by_their_place():
    before, after, counted = np.zeros((3, 4, 3), bool)
    after[1, 0] = after[2, :2] = after[3, 0] = after[0] = True
    counted[1:] = True  # nothing of the first person counts
    before[3, 1] = True
    assert people_with_gain(before, after, counted, 3) == [2, 1, 0]
    assert people_with_gain(before, after, counted, 9) == [2, 1, 0, 3]


def test_six_people_of_five_rows_fit_a_readme(tmp_path, people, poses, figures):
    arms = [poses[0]._replace(label=f'Arm {number}') for number in range(4)]
    save_people(tmp_path / 'people.jpg', people, range(6), arms, poses[1])
    assert (tmp_path / 'people.jpg').stat().st_size < 150_000
    height, width = cv2.imread(str(tmp_path / 'people.jpg')).shape[:2]
    assert width == 900 and 600 < height < 800
    labels = [axis.get_ylabel() for axis in figures[0].axes[::6]]
    assert labels == ['Ground truth', 'Arm 0', 'Arm 1', 'Arm 2', 'Arm 3']


def test_wrong_joints_are_counted_and_marked(tmp_path, people, poses, figures):
    arm, counted = poses
    wrong = np.flatnonzero(counted[3])[:2]
    arm.hits[3, wrong] = False
    arm.keypoints[3, wrong[0]] += 30
    arm.keypoints[3, wrong[1]] += 1e4  # far outside of the image
    save_people(tmp_path / 'people.jpg', people, [3, 0], [arm], counted)
    bad, good = figures[0].axes[2:]
    total = counted[3].sum()
    assert texts(bad) == [f'{total - 2}/{total}']
    assert texts(good) == [f'{counted[0].sum()}/{counted[0].sum()}']
    assert len(bad.lines) == 2 * 2 and not good.lines
    assert bad.get_xlim() == good.get_xlim()


def test_joints_that_do_not_count_are_not_marked(tmp_path, people, poses, figures):
    arm, counted = poses
    arm.keypoints[0, 6] += 30
    assert not arm.hits[0, 6]
    save_people(tmp_path / 'people.jpg', people, [0], [arm], counted)
    assert not figures[0].axes[1].lines


def test_bars_state_means_and_intervals(tmp_path, figures):
    bars = [
        Bar('Teacher', COLORS['teacher'], [93.0]),
        Bar('Plain', COLORS['plain'], [60.0, 62.0], (-9.5, -8.0, -6.9)),
        Bar('FPD', COLORS['fpd'], [72.0, 73.0], (1.0, 2.5, 4.5)),
    ]
    path = tmp_path / 'gains.png'
    save_gain_bars(path, bars, 'PCKh', 'gain over the control')
    scores, gains = figures[0].axes
    assert [bar.get_width() for bar in scores.patches] == [93, 61, 72.5]
    assert [len(line.get_xdata()) for line in scores.lines] == [2, 2]  # dots of seeds
    assert texts(scores) == ['93.0', '61.0', '72.5']
    assert texts(gains) == ['\u22128.0  [\u22129.5, \u22126.9]', '+2.5  [1.0, 4.5]']
    ends = [bars.get_segments()[0][:, 0].tolist() for bars in gains.collections]
    assert np.allclose(ends, [[-9.5, -6.9], [1, 4.5]])
    assert gains.get_xlabel() == 'gain over the control'
    assert cv2.imread(str(path)).shape[1] == 900


def test_curves_are_not_smoothed_across_a_branch(tmp_path, figures):
    steps = np.arange(1, 201)
    losses = np.where(steps <= 100, 1.0, 10.0)
    fpd = Curve('FPD', COLORS['fpd'], (steps, losses), ([100, 200], [60, 70]), 100)
    teacher = Curve('Teacher', COLORS['teacher'], fixed=93.0)
    save_curves(tmp_path / 'curves.png', [teacher, fpd], 'PCKh')
    left, right = figures[0].axes
    _, first, _, second = left.lines[:4]
    assert np.allclose(first.get_ydata(), 1) and np.allclose(second.get_ydata(), 10)
    assert [100, 100] in [list(line.get_xdata()) for line in left.lines]
    assert texts(left) == ['arms branch off'] and texts(right) == ['93.0']
    legend = [text.get_text() for text in figures[0].legends[0].get_texts()]
    assert legend == ['Teacher', 'FPD']
    assert cv2.imread(str(tmp_path / 'curves.png')).shape[1] == 900


def test_smoothing_keeps_the_level_at_the_ends(tmp_path, figures):
    noisy = np.exp(np.random.default_rng(0).normal(0, 0.2, 400))
    curve = Curve('Plain', COLORS['plain'], (np.arange(400), noisy), ([1], [5]))
    save_curves(tmp_path / 'curves.png', [curve], 'PCKh')
    raw, smooth = (np.log(line.get_ydata()) for line in figures[0].axes[0].lines[:2])
    assert np.std(smooth) < np.std(raw) / 3
    assert abs(smooth[[0, -1]]).max() < 0.2

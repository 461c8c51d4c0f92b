"""Written datasets: MPII's conventions, reuse, and interrupted writes."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.io import loadmat

from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.mpii_ground_truth import JOINT_NAMES
from fpd_mmpose.synthetic import draw_person, mpii_writer, write_dataset

SEED, SIZE, NUM_TRAIN, NUM_VAL = 1, 96, 20, 6


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob('*'))
        if path.is_file() and path.suffix != '.mat'  # whose header holds the time
    }


@pytest.fixture(scope='module')
def root(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp('people') / 'mpii'
    assert write_dataset(root, NUM_TRAIN, NUM_VAL, SEED, SIZE)
    return root


def entries(root: Path, split: str) -> list[dict]:
    return json.loads((root / f'annotations/mpii_{split}.json').read_text())


def test_people_do_not_depend_on_the_number_of_people(root, tmp_path):
    fewer = tmp_path / 'fewer'
    write_dataset(fewer, 3, 2, SEED, SIZE)
    for split, count in (('train', 3), ('val', 2)):
        assert entries(fewer, split) == entries(root, split)[:count]
    images = {k: v for k, v in digests(fewer).items() if k.startswith('images')}
    assert images.items() <= digests(root).items()


@pytest.mark.parametrize('split, count', [('train', NUM_TRAIN), ('val', NUM_VAL)])
def test_annotations_are_one_based_and_shifted_as_in_mpii(root, split, count):
    listed = entries(root, split)
    assert len(listed) == count
    for index, entry in enumerate(listed):
        sample = draw_person(SEED, split, index, SIZE)
        assert (root / 'images' / entry['image']).is_file()
        visible = np.array(entry['joints_vis'], bool)
        joints = np.array(entry['joints'])
        np.testing.assert_array_equal(visible, sample.visible)
        np.testing.assert_allclose(
            joints[visible], sample.joints[visible] + 1, atol=1e-3
        )
        assert (joints[~visible] == -1).all()
        center = np.array(entry['center']) + (0, 15 * entry['scale'])
        np.testing.assert_allclose(center, sample.center + 1, atol=1e-2)


def test_the_mat_file_holds_the_ground_truth(root):
    mat, listed = loadmat(root / 'annotations/mpii_gt_val.mat'), entries(root, 'val')
    assert mat['headboxes_src'].shape == (2, 2, NUM_VAL)
    assert mat['pos_gt_src'].shape == (16, 2, NUM_VAL)
    names = [str(name[0]) for name in mat['dataset_joints'][0]]
    assert names == list(JOINT_NAMES)
    for i, entry in enumerate(listed):
        np.testing.assert_allclose(mat['pos_gt_src'][:, :, i], entry['joints'])
        np.testing.assert_array_equal(
            mat['jnt_missing'][:, i], 1 - np.array(entry['joints_vis'])
        )
        head_box = draw_person(SEED, 'val', i, SIZE).head_box + 1
        np.testing.assert_allclose(mat['headboxes_src'][:, :, i], head_box)


def test_stock_mmpose_reads_it(root):
    datasets = pytest.importorskip('mmpose.datasets')
    dataset = datasets.MpiiDataset(
        ann_file='annotations/mpii_val.json',
        data_root=str(root),
        data_prefix={'img': 'images/'},
        headbox_file=str(root / 'annotations/mpii_gt_val.mat'),
        test_mode=True,
    )
    assert len(dataset) == NUM_VAL
    for i in range(NUM_VAL):
        info, sample = dataset.get_data_info(i), draw_person(SEED, 'val', i, SIZE)
        assert Path(info['img_path']).is_file()
        np.testing.assert_allclose(info['bbox_center'][0], sample.center, atol=1e-2)
        np.testing.assert_allclose(info['bbox_scale'][0], 200 * sample.scale, atol=1e-2)
        np.testing.assert_array_equal(info['keypoints_visible'][0], sample.visible)
        low, high = sample.head_box
        assert info['head_size'].item() == pytest.approx(
            0.6 * np.linalg.norm(high - low)
        )


def test_a_complete_dataset_is_reused_with_a_message(root, capsys, monkeypatch):
    monkeypatch.setattr(mpii_writer, 'draw_person', None)
    assert not write_dataset(root, NUM_TRAIN, NUM_VAL, SEED, SIZE)
    assert 'reused' in capsys.readouterr().out


def test_a_damaged_or_different_dataset_is_drawn_again(tmp_path):
    write_dataset(tmp_path, 4, 2, SEED, SIZE)
    before = digests(tmp_path)
    next((tmp_path / 'images').iterdir()).unlink()
    assert write_dataset(tmp_path, 4, 2, SEED, SIZE)
    assert digests(tmp_path) == before
    assert write_dataset(tmp_path, 2, 2, SEED + 1, SIZE)
    assert len(list((tmp_path / 'images').iterdir())) == 4
    assert len(entries(tmp_path, 'train')) == 2


def interrupt_at(monkeypatch, name: str, owner: object, call: int) -> None:
    """Makes one call of a function raise, as an interrupt would."""
    real, calls = getattr(owner, name), []

    def flaky(*args, **kwargs):
        calls.append(args)
        if len(calls) == call:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(owner, name, flaky)


def assert_annotations_have_their_images(root: Path) -> None:
    for path in root.glob('annotations/*.json'):
        for entry in json.loads(path.read_text()):
            assert (root / 'images' / entry['image']).is_file()


@pytest.mark.parametrize(
    'name, call', [('draw_person', 3), ('_write_mat', 1), ('write_json', 2)]
)
def test_an_interrupted_drawing_leaves_no_dangling_annotation(
    tmp_path, monkeypatch, name, call
):
    write_dataset(tmp_path, 2, 1, SEED, SIZE)
    with monkeypatch.context() as patch:
        interrupt_at(patch, name, mpii_writer, call)
        with pytest.raises(KeyboardInterrupt):
            write_dataset(tmp_path, 3, 2, SEED + 1, SIZE)
    assert_annotations_have_their_images(tmp_path)
    assert write_dataset(tmp_path, 3, 2, SEED + 1, SIZE)
    assert_annotations_have_their_images(tmp_path)


@pytest.mark.parametrize('folder', ['images', 'annotations'])
def test_files_that_were_not_drawn_are_not_replaced(tmp_path, folder):
    (tmp_path / folder).mkdir()
    (tmp_path / folder / 'mine').write_text('kept')
    with pytest.raises(UserError, match='choose another folder'):
        write_dataset(tmp_path, 2, 1, SEED, SIZE)
    assert (tmp_path / folder / 'mine').read_text() == 'kept'


@pytest.mark.parametrize(
    'option, value',
    [('num_train', 0), ('num_val', 0), ('seed', -1), ('size', 8)],
)
def test_bad_arguments_are_one_line_errors(tmp_path, option, value):
    with pytest.raises(UserError, match=option) as caught:
        write_dataset(tmp_path / 'new', **{option: value})
    assert '\n' not in str(caught.value)
    assert not (tmp_path / 'new').exists()


def test_a_file_as_root_is_an_error(tmp_path):
    (tmp_path / 'file').write_text('')
    with pytest.raises(UserError, match='choose a folder'):
        write_dataset(tmp_path / 'file', 2, 1, SEED, SIZE)

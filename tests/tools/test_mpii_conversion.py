"""MPII's original file is converted to the files used in training."""

import json
import runpy

import numpy as np
import pytest
from mmengine.logging import MMLogger
from scipy.io import loadmat

from fpd_mmpose.datasets import FPDMpiiDataset
from mpii_conversion import JOINT_NAMES, convert_mpii_mat
from tests.helpers import ROOT
from tests.helpers.mpii_mat_data import EMPTY, image, person, write_release

JOINTS = {joint: (10 + joint, 20 + joint) for joint in range(16)}
LISTED = [
    image('empty.jpg'),
    image('alone.jpg', [person(JOINTS)], single=1),
    image(
        'crowd.jpg',
        [
            person({0: (7, 8), 9: (1.00004, 2.5)}, center=(5, 6), scale=3.0210461764),
            person({6: (3, 4)}, center=(15, 16)),
            person({7: (3, 4)}, center=(25, 26)),
        ],
        single=np.array([[1], [3]], np.uint8),
    ),
    image('partly.jpg', [person(), person({3: (1, 2)}), person(JOINTS, scale=EMPTY)]),
    image(
        'test.jpg',
        [person(center=(1, 2), head=None), person(center=(3, 4), head=None)],
        train=0,
        single=2,
    ),
]


@pytest.fixture()
def convert(tmp_path):
    """Converts images with a validation list, and reads the files."""

    def run(images=LISTED, val=('crowd.jpg',), **options) -> dict:
        mat = write_release(tmp_path / 'release.mat', images)
        val_list = tmp_path / 'val.json'
        val_list.write_text(json.dumps(list(val)))
        out = tmp_path / 'out'
        convert_mpii_mat(mat, out, val_list, **options)
        return {
            path.stem: json.loads(path.read_text())
            if path.suffix == '.json'
            else loadmat(path)
            for path in sorted(out.iterdir())
        }

    return run


def places(records: list[dict]) -> list[tuple]:
    return [(record['image'], *record['center']) for record in records]


class TestSplits:
    def test_people_are_split_by_the_rules(self, convert):
        files = convert()
        alone = ('alone.jpg', 50, 60)
        partly = ('partly.jpg', 50, 60)
        crowd = [('crowd.jpg', x, x + 1) for x in (5, 15, 25)]
        assert places(files['train']) == [alone, partly]
        assert places(files['valid']) == [crowd[0], crowd[2]]
        assert places(files['trainval']) == [alone, *crowd, partly]
        assert places(files['test']) == [('test.jpg', 3, 4)]

    def test_all_people_can_be_evaluated(self, convert):
        files = convert(people='all')
        assert [center for _, center, _ in places(files['valid'])] == [5, 15, 25]
        assert len(files['test']) == 2
        assert len(files['train']) == 2

    def test_records_select_people_and_their_order(self, convert):
        chosen = [
            dict(image='crowd.jpg', center=[15.0, 16.0], scale=1.5),
            dict(image='alone.jpg', center=[50.0, 60.0], scale=1.5),
        ]
        files = convert(val=chosen)
        assert places(files['valid']) == [('crowd.jpg', 15, 16), ('alone.jpg', 50, 60)]
        assert files['gt_valid']['jnt_missing'].sum(axis=0).tolist() == [15, 0]
        # Other people in the same images are not used for training.
        assert places(files['train']) == [('partly.jpg', 50, 60)]

    def test_records_with_only_an_image_are_names(self, convert):
        files = convert(val=[dict(image='crowd.jpg'), dict(image='crowd.jpg')])
        assert len(files['valid']) == 2

    def test_the_list_can_be_a_text_file(self, tmp_path):
        mat = write_release(tmp_path / 'release.mat', LISTED)
        names = tmp_path / 'val.txt'
        names.write_text('alone.jpg\n\ncrowd.jpg\n')
        counts = convert_mpii_mat(mat, tmp_path / 'out', names)
        assert counts == dict(train=1, valid=3, trainval=5, test=1)

    def test_an_image_listed_twice_has_the_people_of_both_entries(self, convert):
        files = convert([*LISTED, image('alone.jpg', [person({1: (2, 3)})])])
        names = [record['image'] for record in files['train']]
        assert names == ['alone.jpg', 'partly.jpg', 'alone.jpg']

    def test_the_counts_and_the_people_left_out_are_logged(self, convert, monkeypatch):
        logged = []
        monkeypatch.setattr(
            'mpii_conversion.print_log',
            lambda message, **_: logged.append(message),
        )
        convert()
        assert logged == [
            'train.json: 2 people, unlike in the published file (22,246)',
            'valid.json: 2 people, unlike in the published file (2,958)',
            'trainval.json: 5 people, unlike in the published file (29,116)',
            'test.json: 1 people, unlike in the published file (7,247)',
            'left out: 1 people without center or scale',
            'left out: 1 people without joints, in training images',
            'left out: 1 people in validation images but not for validation',
            'left out: 1 people in test images but not in single_person',
        ]


class TestValues:
    def test_the_digits_of_records(self, convert):
        record = convert()['valid'][0]
        absent = [-1.0, -1.0]
        assert record == {
            'joints_vis': [1] + [0] * 8 + [1] + [0] * 6,
            'joints': [[7.0, 8.0], *[absent] * 8, [1.0, 2.5], *[absent] * 6],
            'image': 'crowd.jpg',
            'scale': 3.021046,
            'center': [5.0, 6.0],
        }
        # Integers are written as in the published files.
        assert '"center": [5.0, 6.0]' in json.dumps(record)

    def test_records_of_test_images_have_no_joints(self, convert):
        assert convert()['test'] == [
            {'image': 'test.jpg', 'scale': 1.5, 'center': [3.0, 4.0]}
        ]

    def test_ground_truth(self, convert):
        truth = convert()['gt_valid']
        assert [str(name[0]) for name in truth['dataset_joints'][0]] == [*JOINT_NAMES]
        assert truth['jnt_missing'].dtype == np.uint8
        assert truth['jnt_missing'][:, 0].tolist() == [0] + [1] * 8 + [0] + [1] * 6
        assert truth['pos_gt_src'].shape == (16, 2, 2)
        assert truth['pos_gt_src'][9, :, 0].tolist() == [1.00004, 2.5]
        assert truth['pos_gt_src'][1, :, 0].tolist() == [0, 0]
        assert truth['headboxes_src'][:, :, 1].tolist() == [[10, 20], [13, 24]]

    @pytest.mark.parametrize('layout', ['reference', 'mmpose'])
    def test_the_dataset_reads_the_files(self, convert, tmp_path, layout):
        convert(layout=layout)
        names = {
            'reference': ('valid.json', 'gt_valid.mat'),
            'mmpose': ('mpii_val.json', 'mpii_gt_val.mat'),
        }[layout]
        dataset = FPDMpiiDataset(
            data_root=str(tmp_path / 'out'),
            ann_file=names[0],
            headbox_file=names[1],
            data_prefix=dict(img='images/'),
            test_mode=True,
        )
        assert len(dataset) == 2
        person = dataset.get_data_info(0)
        assert person['keypoints'][0, 0].tolist() == [6, 7]
        assert person['head_size'].item() == pytest.approx(0.6 * 5)

    def test_published_people_are_reproduced_to_the_digit(self, shared, tmp_path):
        folder = shared / 'data/mpii_eval'
        published = json.loads((folder / 'mpii_val.json').read_text())[:50]
        truth = loadmat(folder / 'mpii_gt_val.mat')
        images: dict[str, list[dict]] = {}
        for index, record in enumerate(published):
            joints = {
                joint: tuple(point)
                for joint, point in enumerate(record['joints'])
                if record['joints_vis'][joint]
            }
            head = tuple(truth['headboxes_src'][:, :, index].ravel())
            images.setdefault(record['image'], []).append(
                person(joints, record['center'], record['scale'], head)
            )
        mat = write_release(
            tmp_path / 'release.mat',
            # Another person in every image, and the images in another order.
            [
                image(name, [person(JOINTS), *people])
                for name, people in sorted(images.items())
            ],
        )
        val_list = tmp_path / 'valid.json'
        val_list.write_text(json.dumps(published))
        out = tmp_path / 'out'
        counts = convert_mpii_mat(mat, out, val_list)

        assert counts['valid'] == 50 and counts['train'] == 0
        assert (out / 'valid.json').read_bytes() == val_list.read_bytes()
        ours = loadmat(out / 'gt_valid.mat')
        for name in ('jnt_missing', 'headboxes_src'):
            np.testing.assert_array_equal(ours[name], truth[name][..., :50])
        # The published ground truth differs from its JSON file by as much.
        np.testing.assert_allclose(
            ours['pos_gt_src'], truth['pos_gt_src'][..., :50], rtol=0, atol=5.1e-5
        )
        assert ours['dataset_joints'].shape == truth['dataset_joints'].shape
        for mine, theirs in zip(
            ours['dataset_joints'][0], truth['dataset_joints'][0], strict=True
        ):
            assert mine == theirs


class TestErrors:
    @pytest.mark.parametrize(
        ('val', 'expected'),
        [
            (['crowd.jpg', 'test.jpg', 'b.jpg'], '2 of 3 images .*first is "b.jpg"'),
            ([], 'lists nothing'),
            (['crowd.jpg', 5], 'record 1 .* has no image name'),
            ([dict(center=[1, 2], scale=1)], 'record 0 .* has no image name'),
            (
                [dict(image='crowd.jpg', center=[5, 6])],
                'record 0 .* needs a numeric center and scale',
            ),
            (
                ['crowd.jpg', dict(image='crowd.jpg', center=[5, 6], scale=1)],
                'record 1 .* needs a numeric center and scale',
            ),
            (
                [dict(image='crowd.jpg', center=[5, 7], scale=3.021046)],
                r'record 0 .*\("crowd.jpg"\) matches 0 annotated people',
            ),
            (
                [dict(image='crowd.jpg', center=[5, 6], scale=3.021046)] * 2,
                r'record 1 .*\("crowd.jpg"\) is the same person as record 0',
            ),
            (['partly.jpg'], 'chooses no annotated person .* for validation'),
        ],
    )
    def test_validation_list(self, convert, tmp_path, val, expected):
        with pytest.raises(ValueError, match=expected) as caught:
            convert(val=val)
        assert str(tmp_path / 'val.json') in str(caught.value)
        assert not (tmp_path / 'out').exists()

    def test_a_list_that_is_not_text_is_an_error(self, tmp_path):
        mat = write_release(tmp_path / 'release.mat', LISTED)
        names = tmp_path / 'val.txt'
        names.write_bytes(b'\xff\xd8')
        with pytest.raises(ValueError, match='val.txt" is not UTF-8 text'):
            convert_mpii_mat(mat, tmp_path / 'out', names)

    @pytest.mark.parametrize('head', [None, (10, 20, 10, 20)])
    def test_a_validation_person_needs_a_head_box(self, convert, head):
        with pytest.raises(ValueError, match=r'"a.jpg" .* has no head box'):
            convert([image('a.jpg', [person(JOINTS, head=head)], single=1)], ['a.jpg'])

    @pytest.mark.parametrize('option', [dict(people='some'), dict(layout='coco')])
    def test_an_unknown_option_is_an_error(self, convert, option):
        with pytest.raises(ValueError, match='choose "'):
            convert(**option)

    def test_old_files_stay_if_writing_fails(self, convert, tmp_path, monkeypatch):
        convert()
        before = {path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()}

        def fail(*_, **__) -> None:
            raise OSError('disk full')

        # The ground truth is written last.
        monkeypatch.setattr('mpii_conversion.savemat', fail)
        with pytest.raises(ValueError, match='out" cannot be written .*disk full'):
            convert(val=['alone.jpg'])
        after = {path.name: path.read_bytes() for path in (tmp_path / 'out').iterdir()}
        assert after == before

    def test_a_file_in_place_of_the_folder_is_an_error(self, convert, tmp_path):
        (tmp_path / 'out').write_text('')
        with pytest.raises(ValueError, match='out" cannot be written'):
            convert()


@pytest.mark.slow
def test_the_command(tmp_path, capsys):
    mat = write_release(tmp_path / 'release.mat', LISTED)
    (tmp_path / 'val.txt').write_text('crowd.jpg\n')
    MMLogger.get_instance('mpii_mat2json')  # prints to where stdout is now
    runpy.run_path(str(ROOT / 'tools/data/mpii_mat2json.py'))['main']([
        str(mat), str(tmp_path / 'new/out'), '--val-list', str(tmp_path / 'val.txt'),
        '--layout', 'mmpose', '--people', 'all',
    ])  # fmt: skip
    printed = capsys.readouterr()
    assert 'mpii_val.json: 3 people' in printed.out + printed.err
    assert sorted(path.name for path in (tmp_path / 'new/out').iterdir()) == [
        'mpii_gt_val.mat',
        'mpii_test.json',
        'mpii_train.json',
        'mpii_trainval.json',
        'mpii_val.json',
    ]

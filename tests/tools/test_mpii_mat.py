"""MPII's original file is read with all its irregularities."""

import pickle
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from fpd_mmpose.errors import UserError
from mpii_mat import read_mpii_mat
from tests.helpers.mpii_mat_data import EMPTY, image, person, structs, write_release

JOINTS = {joint: (10 + joint, 20 + joint) for joint in range(16)}
NO_POINT = np.empty((1, 0), [('x', object), ('y', object), ('id', object)])


def point(joint: object, x: object = 5, y: object = 6, **fields: object) -> dict:
    return dict(x=x, y=y, id=joint, **fields)


class TestIrregularPeople:
    def read(self, tmp_path, *people: dict, **fields: object):
        images = [image('a.jpg', people, **fields)]
        return read_mpii_mat(write_release(tmp_path / 'a.mat', images))

    @pytest.mark.parametrize(
        'annopoints',
        [None, EMPTY, structs([dict(point=EMPTY)]), structs([dict(point=NO_POINT)])],
    )
    def test_a_person_without_points(self, tmp_path, annopoints):
        record = person()
        if annopoints is not None:
            record['annopoints'] = annopoints
        release = self.read(tmp_path, record)
        assert len(release.people) == 1
        assert not release.people[0].labeled.any()

    def test_visibility_is_ignored(self, tmp_path):
        flags = ['1', '0', 1, 0, EMPTY, None]
        points = [
            point(joint) if flag is None else point(joint, is_visible=flag)
            for joint, flag in enumerate(flags)
        ]
        release = self.read(tmp_path, person(points))
        assert release.people[0].labeled.tolist() == [True] * 6 + [False] * 10

    @pytest.mark.parametrize(
        'change',
        [dict(scale=EMPTY), dict(objpos=EMPTY), dict(scale=0)],
        ids=['no scale', 'no objpos', 'scale 0'],
    )
    def test_a_person_without_center_or_scale_is_left_out(self, tmp_path, change):
        release = self.read(tmp_path, person(JOINTS), {**person(JOINTS), **change})
        assert len(release.people) == 1
        assert release.left_out == {'without center or scale': 1}

    def test_an_image_without_any_scale_or_objpos(self, tmp_path):
        head_only = dict(x1=1, y1=2, x2=3, y2=4)
        release = self.read(tmp_path, head_only, train=0)
        assert release.images == {'a.jpg': False}
        assert release.left_out == {'without center or scale': 1}

    def test_no_head_box(self, tmp_path):
        release = self.read(tmp_path, person(JOINTS, head=None))
        assert np.isnan(release.people[0].head_box).all()

    @pytest.mark.parametrize(
        ('single', 'expected'),
        [
            (EMPTY, [False, False]),
            (2, [False, True]),
            (np.array([[1, 2]]), [True, True]),
        ],
    )
    def test_single_person(self, tmp_path, single, expected):
        release = self.read(tmp_path, person(JOINTS), person(JOINTS), single=single)
        assert [person.single for person in release.people] == expected

    @pytest.mark.parametrize(
        ('wrong', 'expected'),
        [
            (person([point(16)]), 'has a point with id 16, not one of 0 to 15'),
            (person([point(-1)]), 'has a point with id -1, not one of 0 to 15'),
            (person([point(2.5)]), 'has a point with id 2.5, not one of 0 to 15'),
            (person([point(3), point(3)]), 'has two points with id 3'),
            (person([point(EMPTY)]), 'has a point without id, x, or y'),
            (person([point(1, x=EMPTY)]), 'has a point without id, x, or y'),
            (person([point(1, x=np.nan)]), 'has a `x` that is not one finite'),
            (person([point(1, y=np.inf)]), 'has a `y` that is not one finite'),
            (person([point(1, y='left')]), 'has a `y` that is not one finite'),
            (person(JOINTS, center=(np.nan, 1)), 'has a `x` that is not one finite'),
            (person(JOINTS, scale=np.array([1, 2])), 'has a `scale` that is not one'),
            (person(JOINTS, head=(1, 2, np.inf, 4)), 'has a `x2` that is not one'),
        ],
    )
    def test_an_invalid_person_is_an_error(self, tmp_path, wrong, expected):
        with pytest.raises(ValueError, match='person 2 of image 1 "a.jpg" ') as caught:
            self.read(tmp_path, person(JOINTS), wrong)
        assert expected in str(caught.value)
        assert str(tmp_path / 'a.mat') in str(caught.value)


class TestFiles:
    def write_fields(self, path: Path, annolist: np.ndarray) -> None:
        release = dict(annolist=annolist, img_train=EMPTY, single_person=EMPTY)
        savemat(path, {'RELEASE': release})

    def write(self, path: Path, kind: str) -> None:
        if kind == 'pickle':
            path.write_bytes(pickle.dumps({'RELEASE': print}))
        elif kind == 'truncated':
            write_release(path, [image('a.jpg', [person(JOINTS)])])
            path.write_bytes(path.read_bytes()[:-100])
        elif kind == 'hdf5':
            header = b'MATLAB 7.3 MAT-file'.ljust(124) + b'\x00\x02IM'
            path.write_bytes(header.ljust(512, b'\0') + b'\x89HDF\r\n\x1a\n')
        elif kind == 'other variable':
            savemat(path, {'people': 1})
        elif kind == 'no struct':
            savemat(path, {'RELEASE': 1})
        elif kind == 'lengths':
            self.write_fields(path, structs([dict(image=1)]))
        elif kind == 'no image':
            self.write_fields(path, EMPTY)

    @pytest.mark.parametrize(
        'kind',
        [
            'pickle', 'truncated', 'hdf5', 'other variable', 'no struct', 'lengths',
            'no image', 'missing',
        ],
    )  # fmt: skip
    def test_another_file_is_an_error(self, tmp_path, kind):
        path = tmp_path / 'release.mat'
        self.write(path, kind)
        with pytest.raises(ValueError, match='mpii_human_pose_v1_u12_1') as caught:
            read_mpii_mat(path)
        assert str(path) in str(caught.value)
        assert '\n' not in str(caught.value)

    def test_a_damaged_struct_that_scipy_reads_as_none(self, tmp_path, monkeypatch):
        nothing = np.array([None], object)
        monkeypatch.setattr('mpii_mat.read_mat', lambda *_: {'RELEASE': nothing})
        with pytest.raises(UserError, match='without annolist'):
            read_mpii_mat(tmp_path / 'release.mat')

    def test_an_image_without_name(self, tmp_path):
        path = write_release(tmp_path / 'a.mat', [image('a.jpg'), image(EMPTY)])
        with pytest.raises(ValueError, match='image 2 has no name'):
            read_mpii_mat(path)

    def test_an_image_for_both_training_and_testing(self, tmp_path):
        images = [image('a.jpg'), image('a.jpg', train=0)]
        path = write_release(tmp_path / 'a.mat', images)
        with pytest.raises(ValueError, match='image 2 "a.jpg" is listed twice'):
            read_mpii_mat(path)

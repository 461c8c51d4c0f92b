"""The study of unlabeled people runs, with a proper split."""

import json

import pytest

from fpd_mmpose.datasets import FPDMpiiDataset, UnlabeledPoseDataset
from fpd_mmpose.studies import unlabeled
from fpd_mmpose.studies.unlabeled import run_variant, split_people


@pytest.fixture
def split(mpii_root, tmp_path):
    return split_people(mpii_root, tmp_path, share=0.25, seed=0)


def test_every_person_is_either_labeled_or_unlabeled(split, mpii_root, tmp_path):
    assert split == (3, 9)
    everyone = FPDMpiiDataset(str(mpii_root / 'annotations/mpii_train.json'))
    labeled = FPDMpiiDataset(str(tmp_path / 'labeled.json'))
    settings = dict(data_root=str(mpii_root), images='images')
    others = UnlabeledPoseDataset(ann_file=str(tmp_path / 'unlabeled.json'), **settings)
    boxes = [
        {tuple(info['bbox'][0].round(3)) for info in dataset}
        for dataset in (labeled, others, everyone)
    ]
    assert boxes[0] | boxes[1] == boxes[2] and not boxes[0] & boxes[1]
    assert 'keypoints' not in others[0]


def test_another_seed_takes_other_people(split, mpii_root, tmp_path):
    before = (tmp_path / 'labeled.json').read_text()
    split_people(mpii_root, tmp_path, share=0.25, seed=1)
    assert (tmp_path / 'labeled.json').read_text() != before


def test_every_variant_runs_and_is_not_run_again(mpii_root, tmp_path, monkeypatch):
    split_people(mpii_root, tmp_path, share=0.5, seed=0)
    monkeypatch.setattr(unlabeled, 'BATCH', 3)
    scores = {
        variant: run_variant(variant, mpii_root, tmp_path, seed=0, steps=2)
        for variant in unlabeled.VARIANTS
    }
    assert all(0 <= one['PCKh/Mean'] <= 100 for one in scores.values())
    path = tmp_path / 'plain_student_labeled_part/scores.json'
    path.write_text(json.dumps({'PCKh/Mean': 12.5}))
    again = run_variant(unlabeled.PLAIN, mpii_root, tmp_path, seed=0, steps=2)
    assert again == {'PCKh/Mean': 12.5}

"""Differences from stock MMPose are measured."""

import json
import re
import runpy
from pathlib import Path

import cv2
import numpy as np
import pytest
from scipy.io import savemat

from comparisons.stock_differences import (
    as_markdown,
    coco_differences,
    decode_differences,
    draw_differences,
    mpii_differences,
    pckh_differences,
)
from fpd_mmpose.readers.mpii_ground_truth import MpiiGroundTruth
from tests.helpers import ROOT
from tests.helpers.coco_data import DETECTIONS, write_coco


def printed(capsys, *arguments: str | Path) -> str:
    """The output of dev/compare_with_stock.py."""
    command = runpy.run_path(str(ROOT / 'dev/compare_with_stock.py'))
    command['main']([str(argument) for argument in arguments])
    return capsys.readouterr().out


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r'-?\d+\.?\d*', text)]


def test_draws_are_clipped_normals_and_in_stock_truncated_ones():
    scale, rotation = (row.effect for row in draw_differences())
    # A normal of sigma 0.25, truncated at one sigma; if clipped, 32% are at the bounds.
    assert numbers(scale) == pytest.approx([0.135, 0, 0.180, 32], abs=1.5)
    assert numbers(rotation) == pytest.approx([32.4, 0, 28.8, 4.6], abs=0.5)


def test_mpii_targets_and_crops_differ(mpii_root):
    rows = list(
        mpii_differences(mpii_root / 'annotations/mpii_val.json', mpii_root / 'images')
    )
    people, joints, crops = (numbers(row.effect) for row in rows)
    assert people == [6, 6]
    changed, of, share = joints
    # A pixel of the image is a fraction of a pixel of the heatmap.
    assert 0 < changed < of <= 6 * 16
    assert share == pytest.approx(100 * changed / of, abs=0.05)
    most = 0.01 if cv2.__version__ < '5' else 0.2
    assert crops[1] == 6 * 256 * 256 * 3 and crops[0] < most * crops[1]


def test_people_that_stock_mmpose_drops_are_counted(mpii_root, tmp_path):
    people = json.loads((mpii_root / 'annotations/mpii_val.json').read_text())
    people[2].update(joints=[[-1, -1]] * 16, joints_vis=[0] * 16)
    path = tmp_path / 'people.json'
    path.write_text(json.dumps(people))
    assert numbers(next(mpii_differences(path)).effect) == [5, 6]


def test_pckh_at_010_and_011():
    shift = np.zeros((2, 16, 2))
    shift[0, :, 0] = 10.5
    truth = MpiiGroundTruth(0 * shift, np.ones((2, 16), bool), np.full(2, 100.0))
    (row,) = pckh_differences(shift, truth)
    assert numbers(row.effect) == [50, 100]


def test_decoding_differs_next_to_the_border_and_for_empty_heatmaps():
    border, empty = decode_differences()
    share, pixels = numbers(border.effect)
    assert share > 50 and pixels == 1
    assert '(-4, -4)' in empty.stock and '(0, 0)' in empty.ours


def test_boxes_and_average_precision_of_coco_differ(tmp_path):
    write_coco(tmp_path)
    boxes, precision = coco_differences(
        tmp_path / 'annotations/person_keypoints_val2017.json', tmp_path / DETECTIONS
    )
    center, size = numbers(boxes.effect)
    assert center <= 0.5 and 1.2 < size <= 1.25 * 4 / 3
    stock, ours = np.reshape(numbers(precision.effect), (2, 3))
    assert stock[0] == ours[0] > 0


def test_the_table_has_a_line_for_each_difference():
    rows = list(decode_differences())
    lines = as_markdown(rows).splitlines()
    assert len(lines) == 4
    assert all(line.count('|') == 5 for line in lines)


# --- The command -------------------------------------------------------------------


@pytest.fixture
def truth(tmp_path) -> Path:
    """Ground truth of two people."""
    boxes = np.zeros((2, 2, 2))
    boxes[1] = 100
    people = dict(
        pos_gt_src=np.ones((16, 2, 2)),
        jnt_missing=np.zeros((16, 2)),
        headboxes_src=boxes,
    )
    savemat(tmp_path / 'gt_valid.mat', people)
    return tmp_path / 'gt_valid.mat'


def test_the_page_shows_the_output_of_the_command(shared, capsys):
    data = shared / 'data'
    page = (ROOT / 'docs/background/stock_differences.md').read_text()
    for arguments in (
        ['--mpii', data / 'mpii_eval/mpii_val.json',
         '--preds', shared / 'reference/pckh_mpii_val_preds.npz',
         '--gt-file', data / 'mpii_eval/mpii_gt_val.mat'],
        ['--coco', data / 'coco_sample/test_coco.json',
         '--boxes', data / 'coco_sample/test_coco_det_AP_H_56.json'],
    ):  # fmt: skip
        for row in re.findall(r'^\|.*\|$', printed(capsys, *arguments), re.M):
            assert row in page
    sample = data / 'mpii_sample'
    rows = printed(capsys, '--mpii', sample / 'test_mpii.json', '--images', sample)
    (crops,) = re.findall(r'^\| Affine map.*\|$', rows, re.M)
    # Stock crops have other pixels with OpenCV 5.
    assert crops in page or cv2.__version__ >= '5'


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        (None, 'does not exist'),
        (b'', 'cannot be read'),
        (b'junk', 'cannot be read'),
        (dict(other=np.zeros((2, 16, 2))), 'cannot be read'),
        (dict(preds=np.zeros((3, 16, 2))), 'has `preds` of shape (3, 16, 2)'),
        (dict(preds=np.full((2, 16, 2), np.nan)), 'has numbers that are not finite'),
        (dict(preds=np.full((2, 16, 2), None)), 'cannot be read'),
    ],
    ids=['missing', 'empty', 'junk', 'other', 'shape', 'nan', 'pickled'],
)
def test_invalid_predictions_are_one_line_errors(truth, capsys, content, message):
    path = truth.with_name('preds.npz')
    if isinstance(content, dict):
        np.savez(path, **content)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(SystemExit) as error:
        printed(capsys, '--preds', path, '--gt-file', truth)
    hint, line = str(error.value).strip().splitlines()
    assert line.startswith(f'error: "{path}" {message}') and 'FPD_TRACEBACK' in hint
    assert 'shape (2, 16, 2)' in line

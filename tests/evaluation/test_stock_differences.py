"""What stock MMPose does differently is measured, not asserted."""

import json
import re

import numpy as np
import pytest
from coco_data import write_coco

from fpd_mmpose.datasets.mpii_ground_truth import MpiiGroundTruth
from fpd_mmpose.evaluation.stock_differences import (
    as_markdown,
    coco_differences,
    decode_differences,
    draw_differences,
    mpii_differences,
    pckh_differences,
)


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r'-?\d+\.?\d*', text)]


def test_draws_are_truncated_normals_there_and_clipped_ones_here():
    scale, rotation = (row.effect for row in draw_differences())
    # A normal of sigma 0.25 cut off at one sigma; clipped, 32% are at the bounds.
    assert numbers(scale) == pytest.approx([0.135, 0, 0.180, 32], abs=1.5)
    assert numbers(rotation) == pytest.approx([32.4, 0, 28.8, 4.6], abs=0.5)


def test_mpii_targets_and_crops_differ(mpii_root):
    rows = list(
        mpii_differences(mpii_root / 'annotations/mpii_val.json', mpii_root / 'images')
    )
    people, joints, crops = (numbers(row.effect) for row in rows)
    assert people == [6, 6]
    changed, of, share = joints
    # A pixel of the image is a fraction of one of the heatmap.
    assert 0 < changed < of <= 6 * 16
    assert share == pytest.approx(100 * changed / of, abs=0.05)
    assert crops[1] == 6 * 256 * 256 * 3 and crops[0] < 0.01 * crops[1]


def test_people_whom_mmpose_drops_are_counted(mpii_root, tmp_path):
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


def test_decoding_differs_beside_the_border_and_where_nothing_is_found():
    border, empty = decode_differences()
    share, pixels = numbers(border.effect)
    assert share > 50 and pixels == 1
    assert '(-4, -4)' in empty.stock and '(0, 0)' in empty.ours


def test_boxes_and_average_precision_of_coco_differ(tmp_path):
    write_coco(tmp_path)
    boxes, precision = coco_differences(
        tmp_path / 'annotations/person_keypoints_val2017.json',
        tmp_path
        / 'person_detection_results/COCO_val2017_detections_AP_H_56_person.json',
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

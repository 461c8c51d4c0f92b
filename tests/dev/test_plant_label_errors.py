"""Errors are planted where the script says, and counted when they are found."""

import json

import cv2
import numpy as np

from plant_label_errors import count_found, main, plant
from tests.helpers.check_data import TRAIN


def test_half_of_the_errors_are_swaps_and_half_are_moves(mpii_root):
    before, after = (json.loads((mpii_root / TRAIN).read_text()) for _ in range(2))
    planted = plant(after, 6, seed=0)
    assert sorted(map(len, planted.values())) == [1, 1, 1, 2, 2, 2]
    for number, (old, new) in enumerate(zip(before, after, strict=True)):
        moves = np.subtract(new['joints'], old['joints'])
        changed = {*np.flatnonzero(moves.any(1)).tolist()}
        assert changed == planted.get(number, set())
        heads = np.linalg.norm(moves[[*changed]], axis=1) / (20 * old['scale'])
        assert (heads >= 1).all()
        if len(changed) == 2:
            one, other = changed
            assert new['joints'][one] == old['joints'][other]


def test_a_suspicion_is_right_if_it_names_a_planted_joint():
    planted = {0: {1, 4}, 3: {9}, 5: {2}}
    suspected = [(0, {1, 4}), (3, {8}), (1, {9}), (0, {4}), (3, {9})]
    *_, everything = count_found(suspected, planted)
    assert everything == ['5', '60%', '1', '1']


def test_the_command_prints_what_it_finds(mpii_root, tmp_path, capsys):
    config = 'quickstart/hg1_32_fpd_drawn.py'
    picture = tmp_path / 'found.jpg'
    main(
        [config, str(mpii_root), str(tmp_path), '--errors', '4']
        + ['--picture', str(picture)]
    )
    by_score, by_distance = capsys.readouterr().out.split('\n\n')[-2:]
    assert 'first by score' in by_score and 'first by distance' in by_distance
    assert cv2.imread(str(picture)).shape == (640, 1280, 3)
    assert (tmp_path / 'people.csv').is_file()

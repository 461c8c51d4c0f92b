"""The matrix remembers what it found, and a process that dies ends only its try."""

import os
import time

import pytest

from matrix import runner
from matrix.kinds import Entry, Kind, representatives, without_folders
from matrix.page import line_of, write_page
from matrix.runner import Journal, find_results, key_of, run_all, survey_all
from matrix.tries import BREAKS, REFUSED, WORKS

FOLDER = 'body_2d_keypoint/topdown_heatmap/mpii/'
LITE = FOLDER + 'td-hm_litehrnet-18_8xb64-210e_mpii-256x256.py'
LARGER = FOLDER + 'td-hm_litehrnet-30_8xb64-210e_mpii-256x256.py'
BROKEN = 'body_2d_keypoint/edpose/coco/edpose_res50_8xb2-50e_coco-800x1333.py'
FOUND = {
    'teacher': (WORKS, ''),
    'student': (WORKS, ''),
    'stored': (BREAKS, 'KeyError: x'),
    'export': (REFUSED, 'a `network` with A | B'),
}


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / 'deep' / 'results.jsonl')


@pytest.fixture
def entries(journal):
    return survey_all(journal, [LARGER, LITE, BROKEN])


def test_the_smallest_config_of_a_kind_represents_it(journal, entries):
    assert [entry.name for entry in representatives(entries)] == [LITE, BROKEN]
    assert 'ConfigParsingError' in entries[2].fault
    assert '/' not in entries[2].fault.partition('/configs')[0]
    again = Journal(journal.path)
    assert survey_all(again, [LARGER, LITE, BROKEN]) == entries


def test_results_are_kept(journal, entries, monkeypatch):
    monkeypatch.setattr(runner, 'try_config', lambda name: FOUND)
    shown = []
    run_all(entries[:1], journal, 1, 60, lambda record: shown.append(line_of(record)))
    assert shown[0].endswith(
        'teacher, student works\n'
        '  stored breaks: KeyError: x\n'
        '  export refused: a `network` with A | B'
    )
    again = Journal(journal.path)
    (record,) = find_results(again, entries).values()
    assert record['config'] == LARGER and record['found']['teacher'] == [WORKS, '']
    # After a change of the project, only on request.
    monkeypatch.setattr(runner, 'key_of', lambda entry: 'other')
    assert not find_results(again, entries)
    assert find_results(again, entries, any_source=True)


def test_a_key_depends_on_the_config(entries):
    assert key_of(entries[0]) == key_of(entries[0]) != key_of(entries[1])


@pytest.mark.parametrize(
    ('act', 'reason'),
    [
        (lambda name: os._exit(3), 'the process ended with 3'),
        (lambda name: time.sleep(60), 'not finished within 1 s'),
        (lambda name: 1 / 0, 'ZeroDivisionError: division by zero'),
    ],
)
def test_a_try_that_dies_is_a_result(journal, entries, monkeypatch, act, reason):
    monkeypatch.setattr(runner, 'try_config', act)
    run_all(entries[:2], journal, 2, 1, lambda record: None)
    for record in find_results(journal, entries[:2]).values():
        assert record['found']['student'] == [BREAKS, reason]


def test_the_page_counts_configs_and_gives_reasons(journal, entries):
    record = dict(date='2026-01-02', found=FOUND)
    page = write_page(entries, {entries[1].kind: record})
    assert '3 configs, which describe 2 kinds' in page and '2026-01-02' in page
    assert '| top-down heatmap | 2 | 2 works | 2 works | 2 breaks | 2 refused |' in page
    assert '- 1, stored, breaks: `KeyError: x`' in page
    assert '- 1, export, refused: `a network with A | B`' in page
    assert '| other | 1 | 1 not built |' in page


def test_folders_are_left_out():
    assert (
        without_folders('"/tmp/x/a.pth" of https://a.b/c') == '"a.pth" of https://a.b/c'
    )
    assert without_folders('see configs/a/b.py') == 'see configs/a/b.py'


def test_kinds_are_readable():
    assert str(Kind('A', 'B', 'C(d=1)', 'E', '')) == 'A / B / C(d=1) / E / -'
    assert Entry(LITE, Kind(*'ABCDE'), 1).family == 'top-down heatmap'

"""Journals are restored, and damaged or foreign ones are errors."""

import pytest

from fpd_mmpose.detection.detection_run import restored_records
from fpd_mmpose.detection.journal import Journal
from fpd_mmpose.errors import UserError

OPTIONS = dict(score_thr=0.3, size=(1, 2), max_people=None)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / 'people.json.part'
    journal = Journal(path, OPTIONS)
    journal.append([dict(name='a'), dict(name='b')])
    journal.close()
    return path


def test_records_are_restored(path):
    journal = Journal(path, OPTIONS)
    assert journal.records == [dict(name='a'), dict(name='b')]
    journal.append([dict(name='c')])
    journal.close()
    assert [record['name'] for record in Journal(path, OPTIONS).records] == list('abc')


def test_appended_records_are_on_disk_immediately(path):
    journal = Journal(path, OPTIONS)
    journal.append([dict(name='c')])
    assert path.read_text().endswith('{"name": "c"}\n')
    journal.close()


def test_restart_discards_the_records(path):
    journal = Journal(path, dict(OPTIONS, score_thr=0.5), restart=True)
    assert journal.records == []
    journal.close()


def test_a_file_may_be_truncated_anywhere(path):
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        journal = Journal(path, OPTIONS)
        assert len(journal.records) == max(content[:length].count(b'\n') - 1, 0)
        journal.append([dict(name='z')])
        journal.close()
        assert Journal(path, OPTIONS).records[-1] == dict(name='z')


def test_options_without_records_do_not_matter(path):
    path.write_bytes(path.read_bytes().splitlines(keepends=True)[0])
    journal = Journal(path, dict(OPTIONS, score_thr=0.5))
    journal.append([dict(name='a')])
    journal.close()
    with pytest.raises(UserError, match='score_thr was 0.5 and is 0.3'):
        Journal(path, OPTIONS)


def test_a_damaged_line_in_the_middle(path):
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b'\0\0\0\n' + lines[2])
    with pytest.raises(UserError, match='line 2, is damaged: set `restart`'):
        Journal(path, OPTIONS)


def test_a_file_that_is_not_a_journal(path):
    path.write_text('[1, 2]\n')
    with pytest.raises(UserError, match='not a journal: set `restart`'):
        Journal(path, OPTIONS)


def test_a_folder_that_cannot_be_created(path):
    with pytest.raises(UserError, match='cannot be written'):
        Journal(path / 'people.json.part', OPTIONS)


def test_fields_of_no_use_are_not_restored(tmp_path):
    journal = Journal(tmp_path / 'people.json.part', OPTIONS)
    record = dict(name='a', index=None, width=4, height=3, people=[[0, 0, 2, 2, 0.5]])
    journal.append([dict(record, extra=float('inf'))])
    assert restored_records(journal) == {('a', None): record}
    journal.close()

"""Training is counted from random weights on."""

import shutil

import pytest
import torch

from fpd_mmpose.reports.budgets import Budget, budget_before, own_budget
from fpd_mmpose.reports.finished_runs import read_run
from tests.helpers.finished import (
    STEPS_PER_EPOCH,
    config_text,
    write_checkpoint,
    write_run,
)


def budgets(*folders):
    """The budget of each run, and the starts whose epochs were not found."""
    runs = [read_run([f'{folder.name}={folder}']) for folder in folders]
    lost = []

    def note(name, start):
        lost.append((name, start.path))

    return [
        budget_before(run, runs, note) + own_budget(run, run.epochs) for run in runs
    ], lost


def test_a_run_from_random_weights(tmp_path):
    (budget,), lost = budgets(write_run(tmp_path / 'a', {5: 1.0}, processes=3))
    samples = 5 * STEPS_PER_EPOCH * 4 * 3  # batches of 4 in 3 processes
    assert budget == Budget((5,), 5 * STEPS_PER_EPOCH, samples)
    assert str(budget) == '5' and not lost


def test_a_chain_of_runs_is_summed(tmp_path):
    first = write_run(tmp_path / 'a', {5: 1.0})
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=first / 'epoch_5.pth')
    third = write_run(tmp_path / 'c', {7: 1.0}, load_from=second / 'epoch_6.pth')
    (*_, last), lost = budgets(first, second, third)
    assert last == Budget((5, 6, 7), 18 * STEPS_PER_EPOCH, 18 * STEPS_PER_EPOCH * 4)
    assert (str(last), last.total) == ('5+6+7', 18) and not lost


def test_a_renamed_copy_belongs_to_its_run(tmp_path):
    first = write_run(tmp_path / 'a', {4: 2.0, 5: 1.0}, best=4)
    copy = tmp_path / 'student.pth'
    shutil.copy(first / 'best_PCKh_Mean_epoch_4.pth', copy)
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=copy)
    (_, last), lost = budgets(first, second)
    # It took all 5 epochs to know that epoch 4 is the best.
    assert last.epochs == (5, 6) and last.samples == 11 * STEPS_PER_EPOCH * 4
    assert not lost


def test_an_earlier_checkpoint_of_a_run_counts_its_own_epochs(tmp_path):
    first = write_run(tmp_path / 'a', {5: 1.0})
    earlier = write_checkpoint(first / 'epoch_3.pth', 3, config_text())
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=earlier)
    (_, last), _ = budgets(first, second)
    assert last.epochs == (3, 6) and last.steps == 9 * STEPS_PER_EPOCH


def test_epochs_come_from_the_file_if_its_run_is_missing(tmp_path):
    first = write_run(tmp_path / 'a', {5: 1.0})
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=first / 'epoch_5.pth')
    third = write_run(tmp_path / 'c', {7: 1.0}, load_from=second / 'epoch_6.pth')
    (last,), lost = budgets(third)
    assert last == Budget((5, 6, 7), 18 * STEPS_PER_EPOCH, None) and not lost


def test_moved_runs_are_found_by_folder_and_name(tmp_path):
    first = write_run(tmp_path / 'a', {5: 1.0})
    teacher = write_run(tmp_path / 't', {5: 1.0})
    old = '/elsewhere/a/epoch_5.pth'
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=old)
    (*_, last), lost = budgets(first, teacher, second)
    assert last.epochs == (5, 6) and not lost


def test_an_ambiguous_name_does_not_match(tmp_path):
    others = [write_run(tmp_path / name, {5: 1.0}) for name in 'at']
    run = write_run(tmp_path / 'b', {6: 1.0}, load_from='/elsewhere/epoch_5.pth')
    (*_, last), lost = budgets(*others, run)
    assert (str(last), last.total, last.steps) == ('6+?', None, None)
    assert lost == [('b', '/elsewhere/epoch_5.pth')]


def test_a_resumed_run_is_not_counted_twice(tmp_path):
    start = write_run(tmp_path / 'start', {4: 1.0})
    first = write_run(tmp_path / 'a', {5: 1.0}, load_from=start / 'epoch_4.pth')
    second = write_run(
        tmp_path / 'b', {9: 1.0}, load_from=first / 'epoch_5.pth', resume=True
    )
    (last,), lost = budgets(second)
    assert last.epochs == (4, 9) and not lost


@pytest.mark.parametrize('listed', [True, False])
def test_a_lost_start_is_that_of_an_ancestor(tmp_path, listed):
    first = write_run(tmp_path / 'a', {5: 1.0}, resume=True)
    saved = first / 'epoch_5.pth'
    second = write_run(tmp_path / 'b', {6: 1.0}, load_from=saved)
    (*_, last), lost = budgets(*[first][:listed], second)
    assert last.total is None
    assert set(lost) == {('a' if listed else f'"{saved}"', '')}


@pytest.mark.parametrize('resume', [False, True])
def test_starts_of_unknown_epochs_are_compared_by_their_file(tmp_path, resume):
    weights = [tmp_path / 'a.pth', tmp_path / 'b.pth']
    for path in weights:
        torch.save({}, path)
    (a, b, also_a), lost = budgets(
        *(
            write_run(tmp_path / name, {epochs: 1.0}, weights[start], resume=resume)
            for name, epochs, start in (('x', 5, 0), ('y', 5, 1), ('z', 7, 0))
        )
    )
    assert a.total is None and len(lost) == 3
    assert a.more_than(b) is None
    # A resumed run continues a count whose beginning is unknown.
    assert also_a.more_than(a) == (None if resume else 2)


def test_files_that_start_from_each_other_do_not_loop(tmp_path):
    folder = tmp_path / 'x'
    for epoch, other in ((1, 2), (2, 1)):
        config = config_text(folder / f'epoch_{other}.pth')
        write_checkpoint(folder / f'epoch_{epoch}.pth', epoch, config)
    run = write_run(tmp_path / 'a', {5: 1.0}, load_from=folder / 'epoch_1.pth')
    (budget,), lost = budgets(run)
    assert budget.total is None and len(lost) == 1


@pytest.mark.parametrize('load_from', [None, 'gone.pth'])
def test_the_config_of_a_test_is_not_a_start(tmp_path, load_from):
    # tools/test.py writes a config that loads the tested weights.
    run = write_run(tmp_path / 'a', {5: 1.0}, load_from=load_from)
    (run / 'small.py').write_text(config_text(run / 'epoch_5.pth'))
    (budget,), _ = budgets(run)
    assert str(budget) == ('5' if load_from is None else '5+?')

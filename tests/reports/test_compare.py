"""The reference's tables, and gains at equal training budgets."""

import json

import pytest
import torch

from fpd_mmpose.config import config_root
from fpd_mmpose.errors import UserError
from fpd_mmpose.reports import compare
from tests.helpers.finished import COCO, MPII, metrics, write_run

# The published scores of the reference.
PUBLISHED_MPII = {
    'hourglass_teacher': '97.169 96.382 90.830 86.466 90.012 86.802 82.664 90.520 '
    '38.275',
    'hourglass_student': '96.828 95.194 87.728 82.919 87.900 82.551 78.270 87.934 '
    '34.634',
    'student_FPD*': '96.385 94.905 87.847 81.875 87.225 81.906 78.955 87.598 34.359',
    'student_FPD': '96.930 95.550 89.040 84.444 88.939 84.021 80.703 89.040 36.144',
}
PUBLISHED_COCO = {
    'student': '0.744 0.905 0.819 0.708 0.810 0.798 0.942 0.865 0.757 0.858',
    'FPD': '0.751 0.906 0.823 0.714 0.820 0.804 0.943 0.869 0.762 0.865',
}


def rows_of(markdown: str) -> dict[str, list[str]]:
    """The cells of each row of a table, by the first one."""
    lines = [line for line in markdown.splitlines() if line.startswith('| ')]
    cells = [[cell.strip() for cell in line.split('|')[1:-1]] for line in lines]
    return {row[0]: row[1:] for row in cells}


def write_metrics(folder, row, layout):
    """Writes scores as tools/test.py --out does."""
    numbers = map(float, row.split())
    path = folder / 'metrics.json'
    path.write_text(json.dumps(dict(zip(layout.columns.values(), numbers, strict=1))))
    return str(path)


def student_and_fpd(folder, **student):
    """A student after 140 epochs, and after 140 more of FPD."""
    plain = write_run(folder / 'plain', {70: 80.0, 139: 87.5, 140: 87.0}, **student)
    start = plain / 'epoch_140.pth'
    fpd = write_run(folder / 'fpd', {70: 85.0, 140: 89.0}, load_from=start)
    return [f'student={plain}'], [f'FPD={fpd}']


@pytest.mark.slow
class TestPublished:
    def test_mpii(self, tmp_path):
        runs = []
        for name, row in PUBLISHED_MPII.items():
            folder = tmp_path / name
            start = tmp_path / 'hourglass_student' / 'epoch_140.pth'
            write_run(folder, {140: 1.0}, start if name == 'student_FPD' else None)
            network = 'hg8_256' if 'teacher' in name else 'hg4_128'
            config = f'hourglass/{network}_mpii.py'
            log = write_metrics(folder, row, MPII)
            runs.append([name, config, str(folder / 'epoch_140.pth'), log])
        table = compare(runs, ['hourglass_student'], 'hourglass_teacher')
        rows = rows_of(table.markdown())
        header = rows.pop('Arch')
        assert header == [
            'Head', 'Shoulder', 'Elbow', 'Wrist', 'Hip', 'Knee', 'Ankle', 'Mean',
            'Mean@0.1', '#Params', 'GFLOPs', 'Epochs', 'Steps', 'Samples', 'Gain',
        ]  # fmt: skip
        del rows['---' + '-' * (len('hourglass_teacher') - 3)]
        assert {n: ' '.join(cells[:9]) for n, cells in rows.items()} == PUBLISHED_MPII
        cost = {name: cells[9:12] for name, cells in rows.items()}
        assert cost['hourglass_teacher'] == ['25.6M', '26.2', '140']
        assert cost['student_FPD'] == ['3.3M', '3.6', '140+140']
        # The published gain is between unequal budgets, and is marked.
        assert [cells[-1] for cells in rows.values()] == ['', '', '-0.336', '+1.106*']
        assert 'WARNING' in table.markdown()

    def test_coco(self, tmp_path):
        config = 'hrnet/hrnet_w32_coco_256x192.py'
        assert (config_root() / config).is_file()
        runs = []
        for name, row in PUBLISHED_COCO.items():
            folder = write_run(tmp_path / name, {210: 0.7}, layout=COCO)
            log = write_metrics(folder, row, COCO)
            runs.append([name, config, str(folder / 'epoch_210.pth'), log])
        table = compare(runs, ['student'])
        rows = rows_of(table.markdown())
        assert rows['Arch'][:13] == [
            'Input size', '#Params', 'GFLOPs', 'AP', 'Ap .5', 'AP .75', 'AP (M)',
            'AP (L)', 'AR', 'AR .5', 'AR .75', 'AR (M)', 'AR (L)',
        ]  # fmt: skip
        for name, row in PUBLISHED_COCO.items():
            assert rows[name][:3] == ['256x192', '28.5M', '7.1']
            assert ' '.join(rows[name][3:13]) == row
        assert rows['FPD'][-1] == '+0.007'
        assert 'WARNING' not in table.markdown()


class TestEqualBudgets:
    def test_the_gain_is_over_the_plain_run_of_the_same_total(self, tmp_path):
        student, fpd = student_and_fpd(tmp_path)
        longer = [f'longer={write_run(tmp_path / "longer", {140: 87.2, 280: 88.5})}']
        table = compare([student, longer, fpd], ['student', 'longer'])
        row = table.rows[-1]
        assert (row.over, row.equal) == ('longer', True)
        assert row.gain == pytest.approx(89.0 - 88.5)
        text = table.markdown()
        assert 'FPD: 140+140 = 280' in text
        assert 'over a plain run of the same total' in text
        assert '*' not in rows_of(text)['FPD'][-1]

    def test_a_baseline_of_another_budget_is_marked(self, tmp_path):
        student, fpd = student_and_fpd(tmp_path)
        table = compare([student, fpd], ['student'])
        assert not table.rows[1].equal
        assert rows_of(table.markdown())['FPD'][-1] == '+2.000*'

    def test_runs_are_compared_after_the_same_total_epochs(self, tmp_path):
        student, fpd = student_and_fpd(tmp_path)
        longer = [f'longer={write_run(tmp_path / "longer", {210: 88.0, 280: 88.5})}']
        table = compare([longer, fpd], ['longer'], epochs=210)
        assert [row.mean('Mean') for row in table.rows] == [88.0, 85.0]
        assert [str(row.budget) for row in table.rows] == ['210', '140+70']
        assert [row.budget.steps for row in table.rows] == [2100, 2100]
        assert table.rows[1].equal and 'WARNING' not in table.markdown()

    def test_a_run_needs_a_validation_at_that_epoch(self, tmp_path):
        student, fpd = student_and_fpd(tmp_path)
        with pytest.raises(UserError) as error:
            compare([student], epochs=100)
        assert 'run "student": `epochs` 100 is its own epoch 100' in str(error.value)
        assert 'validations at epochs 70, 139, 140 only' in str(error.value)
        with pytest.raises(
            UserError, match='run "FPD": `epochs` 140 is its own ep.* 0'
        ):
            compare([student, fpd], epochs=140)

    def test_a_best_checkpoint_costs_all_epochs_it_was_chosen_from(self, tmp_path):
        student, _ = student_and_fpd(tmp_path, best=139)
        table = compare([student])
        assert table.rows[0].mean('Mean') == 87.5
        assert table.rows[0].budget.total == 140
        assert 'student: epoch 139, the best of 140.' in table.markdown()

    def test_the_teacher_is_shown_but_not_compared(self, tmp_path):
        student, _ = student_and_fpd(tmp_path)
        teacher = [f'teacher={write_run(tmp_path / "teacher", {300: 90.0})}']
        table = compare([teacher, student], ['student'], 'teacher', epochs=140)
        assert [row.budget.total for row in table.rows] == [300, 140]
        assert 'WARNING' not in table.markdown()

    def test_an_unknown_start_is_reported_and_never_equal(self, tmp_path):
        student, _ = student_and_fpd(tmp_path)
        lost = [f'FPD={write_run(tmp_path / "x", {140: 89.0}, load_from="gone.pth")}']
        table = compare([student, lost], ['student'])
        assert rows_of(table.markdown())['FPD'][-4:] == ['140+?', '?', '?', '+2.000*']
        assert 'FPD started from "gone.pth"' in table.markdown()
        assert 'WARNING: total epochs are not all known (' in table.markdown()
        with pytest.raises(UserError, match='`epochs` 140 needs the epochs .*gone.pth'):
            compare([student, lost], epochs=140)

    def test_a_missing_log_is_that_of_the_run_which_was_resumed(self, tmp_path):
        text = compare([*student_and_fpd(tmp_path, resume=True)]).markdown()
        assert '- student was resumed, and its first log is missing: its' in text
        assert 'FPD was resumed' not in text

    def test_runs_from_one_file_of_unknown_epochs_are_compared(self, tmp_path):
        # For example, a student released by the authors of the paper.
        released = tmp_path / 'released.pth'
        torch.save({'conv1.weight': torch.zeros(1)}, released)
        student, longer, fpd, other = (
            [f'{name}={write_run(tmp_path / name, {epochs: score}, start)}']
            for name, epochs, score, start in (
                ('student', 1, 87.0, released),
                ('longer', 140, 88.5, released),
                ('FPD', 140, 89.0, released),
                ('other', 140, 80.0, None),
            )
        )
        table = compare([student, longer, fpd], ['student', 'longer'])
        row = table.rows[-1]
        assert (row.over, row.equal, str(row.budget)) == ('longer', True, '140+?')
        text = table.markdown()
        assert f'"{released}", which does not record its epochs' in text
        assert (
            'WARNING: total epochs differ' in text and '*' not in text.split('\n-')[0]
        )
        assert 'WARNING' not in compare([longer, fpd], ['longer']).markdown()
        table = compare([other, fpd], ['other'])
        assert not table.rows[-1].equal
        assert 'total epochs are not all known' in table.markdown()


class TestSeeds:
    def test_runs_of_one_name_are_averaged(self, tmp_path):
        runs = []
        for seed, score in enumerate((87.0, 88.0, 89.0)):
            plain = write_run(tmp_path / f'plain{seed}', {140: score - 2})
            runs += [[f'student={plain}']]
            start = plain / 'epoch_140.pth'
            runs += [[f'FPD={write_run(tmp_path / f"{seed}", {140: score}, start)}']]
        with pytest.raises(UserError, match='two runs are named "student".*`seeds`'):
            compare(runs, ['student'])
        table = compare(runs, ['student'], seeds=True)
        rows = rows_of(table.markdown())
        assert rows['student'][:2] == ['3', '86.000 ± 1.000']
        assert rows['FPD'][:2] == ['3', '88.000 ± 1.000']
        assert rows['FPD'][-4] == '140+140' and rows['FPD'][-1] == '+2.000*'

    def test_runs_of_different_budgets_are_not_averaged(self, tmp_path):
        runs = [[f'a={write_run(tmp_path / str(n), {n: 1.0})}'] for n in (5, 6)]
        with pytest.raises(
            UserError, match='named "a" were trained for 5 and 6 epochs'
        ):
            compare(runs, seeds=True)

    def test_runs_of_different_networks_are_not_averaged(self, tmp_path):
        first = [f'a={write_run(tmp_path / "0", {5: 1.0})}']
        second = [f'a={write_run(tmp_path / "1", {5: 1.0}, features=16)}']
        with pytest.raises(UserError, match='named "a" have different networks'):
            compare([first, second], seeds=True)


class TestErrors:
    def test_mpii_and_coco_do_not_mix(self, tmp_path):
        mpii = [f'a={write_run(tmp_path / "a", {1: 1.0})}']
        coco = [f'b={write_run(tmp_path / "b", {1: 0.5}, layout=COCO)}']
        with pytest.raises(UserError, match='"a" has .* MPII and run "b" .* COCO'):
            compare([mpii, coco])

    def test_an_error_lists_the_scores_of_the_log(self, tmp_path):
        folder = write_run(tmp_path / 'a', {1: 1.0})
        log = tmp_path / 'metrics.json'
        run = ['a', str(folder / 'small.py'), str(folder / 'epoch_1.pth'), str(log)]
        log.write_text('{"PCK": 1.0, "PCK@0.1": 2.0}')
        with pytest.raises(UserError, match='no PCKh/Mean or coco/AP; .*PCK, PCK@0.1'):
            compare([run])
        scores = metrics(1.0)
        del scores['PCKh/Knee']
        log.write_text(json.dumps(scores))
        with pytest.raises(UserError, match='has no PCKh/Knee; its scores are: PCKh/H'):
            compare([run])

    def test_names_that_are_not_runs(self, tmp_path):
        run = [f'a={write_run(tmp_path / "a", {1: 1.0})}']
        with pytest.raises(UserError, match='`baselines`: "b" is not one of .* .a.$'):
            compare([run], ['b'])
        with pytest.raises(UserError, match='"a" cannot be both'):
            compare([run], ['a'], 'a')

    def test_a_checkpoint_that_was_not_validated(self, tmp_path):
        folder = write_run(tmp_path / 'a', {10: 1.0, 20: 2.0})
        (folder / 'epoch_20.pth').rename(folder / 'weights.pth')
        log = folder / '20260101_000000' / 'vis_data' / 'scalars.json'
        lines = log.read_text().splitlines(keepends=True)
        log.write_text(''.join(lines[:-1]))
        run = ['a', str(folder / 'small.py'), str(folder / 'weights.pth'), str(log)]
        with pytest.raises(UserError, match='is from epoch 20, but .* epochs 10 only'):
            compare([run])

    def test_extra_columns_are_shown_if_all_runs_have_them(self, tmp_path):
        folder = write_run(tmp_path / 'a', {1: 1.0})
        scores = {**metrics(1.0), 'PCKh/AUC': 55.0, 'PCKh/PCKh@0.1': 30.0}
        log = tmp_path / 'metrics.json'
        log.write_text(json.dumps(scores))
        files = [str(folder / 'small.py'), str(folder / 'epoch_1.pth')]
        with_auc = ['a', *files, str(log)]
        assert compare([with_auc]).headings[-2:] == ('PCKh@0.1', 'AUC')
        both = compare([with_auc, ['b', *files, str(folder)]])
        assert both.headings == tuple(MPII.columns)

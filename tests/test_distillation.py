"""`fpd_mmpose.distill`: a student and a teacher in one call."""

import json
import re
from functools import partial
from pathlib import Path

import pytest
import torch
from mmengine.config import Config

import fpd_mmpose
from fpd_mmpose.cli import main
from fpd_mmpose.distillation import Distilled, distillation_config
from tests.helpers.reduced import reduced_config, reduced_distiller, reduced_teacher
from tests.helpers.refusals import exit_line, refused

distill = partial(main, command='distill')


@pytest.fixture
def student(mpii_root, tmp_path) -> Config:
    return reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path / 'plain', 1, 8
    )


@pytest.fixture
def teacher(mpii_root, tmp_path) -> tuple[dict, str]:
    fields = reduced_teacher(tmp_path)
    return fields['config'], fields['checkpoint']


def weights_in(done: Distilled) -> dict[str, torch.Tensor]:
    return torch.load(done.checkpoint)['state_dict']


class TestAPlainStudent:
    def test_it_learns_from_the_teacher(self, student, teacher, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        student.dump('my_student.py')
        done = fpd_mmpose.distill('my_student.py', teacher, epochs=2)
        assert done.checkpoint.parent == tmp_path / 'work_dirs/my_student_fpd'
        assert not any('teacher' in name for name in weights_in(done))
        log = next(done.checkpoint.parent.glob('*/vis_data/scalars.json'))
        steps = [json.loads(line) for line in log.read_text().splitlines()]
        assert all('loss_kd' in step for step in steps if 'loss' in step)
        # The saved config is enough to train or test again.
        saved = Config.fromfile(done.checkpoint.parent / 'my_student.py')
        assert saved.model.type == 'FPDDistiller'
        assert saved.model.teacher.checkpoint == teacher[1]

    def test_data_start_options_and_alpha_are_used(
        self, student, teacher, mpii_root, tmp_path
    ):
        for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
            student[loader].dataset.data_root = 'nowhere/'
        plain = fpd_mmpose.distill(
            student, teacher, mpii_root, work_dir=tmp_path / 'first', alpha=0
        )
        done = fpd_mmpose.distill(
            student,
            teacher,
            mpii_root,
            start_from=plain.checkpoint,
            alpha=1,
            work_dir=tmp_path / 'run',
            options={'optim_wrapper.optimizer.lr': 0.0, 'log_processor.window_size': 3},
        )
        assert done.config.model.distill_loss.alpha == 1.0
        assert done.config.optim_wrapper.optimizer.lr == 0
        start = weights_in(plain)
        for name, value in weights_in(done).items():
            if 'running' not in name and 'num_batches' not in name:
                assert torch.equal(value, start[name]), name
        # The caller's config is not changed.
        assert student.model.type == 'TopdownPoseEstimator'

    def test_a_stored_teacher(self, student, teacher, tmp_path):
        config = distillation_config(student, teacher)
        fpd_mmpose.cache_teacher(config, tmp_path / 'maps.sqlite', device='cpu')
        stored = dict(cache=str(tmp_path / 'maps.sqlite'))
        done = fpd_mmpose.distill(student, stored, work_dir=tmp_path / 'run')
        assert done.checkpoint.is_file()


class TestAConfigForDistillation:
    def test_its_teacher_stays_or_is_replaced(self, mpii_root, tmp_path, teacher):
        config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
        config.model.distill_loss.update(alpha=0.25, unlabeled_weight=2)
        kept = distillation_config(config).model
        assert kept.teacher == config.model.teacher
        replaced = distillation_config(config, teacher, alpha=0.75).model
        fields = dict(config=teacher[0], checkpoint=teacher[1])
        assert replaced.teacher.to_dict() == fields
        loss = replaced.distill_loss
        assert (loss.alpha, loss.unlabeled_weight) == (0.75, 2)
        assert config.model.distill_loss.alpha == 0.25

    def test_the_command_trains_it(self, mpii_root, tmp_path, capsys):
        config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
        config.dump(tmp_path / 'recipe.py')
        distill([
            str(tmp_path / 'recipe.py'), '--data-root', str(mpii_root),
            '--work-dir', str(tmp_path / 'run'), '--epochs', '1',
            '--cfg-options', 'train_dataloader.batch_size=6',
        ])  # fmt: skip
        (line,) = capsys.readouterr().out.splitlines()
        file, scores = line.split(': ')
        assert Path(file).is_file() and 'PCKh/Mean ' in scores
        assert torch.load(file)['message_hub']['runtime_info']['max_iters'] == 2


class TestTheResult:
    def run(self, student, teacher, folder, **hook) -> Distilled:
        student.default_hooks.checkpoint.update(hook)
        return fpd_mmpose.distill(student, teacher, epochs=3, work_dir=folder)

    def test_the_best_checkpoint_has_its_own_scores(self, student, teacher, tmp_path):
        # The first epoch has the lowest number of the three.
        done = self.run(
            student, teacher, tmp_path / 'run', save_best='PCKh/Mean', rule='less'
        )
        info = torch.load(tmp_path / 'run/epoch_3.pth')['message_hub']
        history = info['log_scalars']['val/PCKh/Mean'].data[0].tolist()
        assert done.checkpoint == Path(info['runtime_info']['best_ckpt'])
        assert done.scores['PCKh/Mean'] == min(history)
        best = history.index(min(history)) + 1
        assert done.checkpoint.name == f'best_PCKh_Mean_epoch_{best}.pth'
        mean01 = info['log_scalars']['val/PCKh/Mean@0.1'].data[0]
        assert done.scores['PCKh/Mean@0.1'] == mean01[best - 1]

    def test_without_a_best_one_it_is_the_last(self, student, teacher, tmp_path):
        done = self.run(student, teacher, tmp_path / 'run', save_best=None)
        assert done.checkpoint == tmp_path / 'run/epoch_3.pth'
        assert 'PCKh/Mean' in done.scores and 'time' not in done.scores


class TestMistakes:
    @pytest.mark.parametrize(
        ('settings', 'expected'),
        [
            (dict(teacher='teacher.py'), "teacher must be.*got 'teacher.py'"),
            (dict(teacher=('teacher.py',)), 'teacher must be'),
            (dict(teacher=None), 'teacher: the config of the student names none'),
            (dict(epochs=0), 'epochs must be 1 or more, got 0'),
            (dict(alpha=2), 'alpha must be between 0 and 1, got 2'),
            (dict(data='nowhere'), '"nowhere" is not a folder'),
            (dict(start_from='nowhere.pth'), '"nowhere.pth" does not exist'),
            (
                dict(options={'train_datalaoder.batch_size': 2}),
                'no field "train_datalaoder.batch_size"',
            ),
            (dict(options={'train_dataloader.batch_size.x': 2}), 'options: '),
            (dict(options={'param_scheduler.7.gamma': 2}), 'options: '),
        ],
    )
    def test_one_line_says_what_is_wrong(
        self, student, teacher, tmp_path, settings, expected
    ):
        arguments = dict(student=student, teacher=teacher, work_dir=tmp_path / 'run')
        message = refused(fpd_mmpose.distill, **{**arguments, **settings})
        assert re.search(expected, message), message

    def test_another_kind_of_model(self, student, teacher):
        student.model.type = 'BottomupPoseEstimator'
        message = refused(fpd_mmpose.distill, student, teacher)
        assert message.startswith('student: its model is a "BottomupPoseEstimator"')

    def test_steps_in_place_of_epochs(self, student, teacher):
        student.train_cfg = dict(by_epoch=False, max_iters=10)
        message = refused(fpd_mmpose.distill, student, teacher, epochs=3)
        assert message.startswith('epochs: the config counts in iterations')

    def test_a_missing_teacher_is_one_line_of_the_command(self, student, tmp_path):
        student.dump(tmp_path / 'student.py')
        line = exit_line(distill, [
            str(tmp_path / 'student.py'), '--work-dir', str(tmp_path / 'run'),
            '--teacher', 'hourglass/hg4_128_mpii.py', 'nowhere.pth',
        ])  # fmt: skip
        assert 'nowhere.pth' in line

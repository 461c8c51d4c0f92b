"""Measures the teacher and the student before the first epoch."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.models.pose_estimators.base import BasePoseEstimator

from fpd_mmpose.models.distillers import FPDDistiller, StoredTeacher


@HOOKS.register_module()
class ValidateBeforeTrainingHook(Hook):
    """Validates the teacher and then the student before epoch 1.

    The released FPD code does so (``fpd_train.py``): a wrong weight file or data
    folder shows in the first minute. As there, the scores do not enter the choice of
    the best checkpoint. A resumed run is not validated again.

    Without a teacher (plain training), with a stored one, or with one of other joints,
    the student alone is measured.
    """

    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Logs the scores, as ``teacher/…`` and ``student/…``.

        Args:
            runner (Runner): The runner.
        """
        if runner.iter or runner.val_loop is None:
            return
        student = runner.model
        student = getattr(student, 'module', student)
        models = {'student': student}
        teacher = student.teacher if isinstance(student, FPDDistiller) else None
        if isinstance(teacher, StoredTeacher):
            runner.logger.info(f'{teacher!r} has no network to validate')
        elif teacher and teacher.has_same_joints(student):
            device = next(student.parameters()).device
            models = {'teacher': teacher.model.to(device), **models}
        for name, model in models.items():
            runner.logger.info(f'Validating the {name} before training')
            scores = self._scores(runner, model)
            text = ', '.join(f'{key}: {value:.4f}' for key, value in scores.items())
            runner.logger.info(f'Before training, {name}: {text}')
            runner.message_hub.update_scalars(
                {f'before_training/{name}/{key}': v for key, v in scores.items()}
            )

    def _scores(self, runner: Runner, model: BasePoseEstimator) -> dict[str, float]:
        loop = runner.val_loop
        # Own metrics: those of the loop are left as they are.
        evaluator = runner.build_evaluator(runner.cfg.val_evaluator)
        evaluator.dataset_meta = loop.dataloader.dataset.metainfo
        was_training = model.training
        model.train(False)
        with torch.no_grad():
            for batch in loop.dataloader:
                evaluator.process(data_samples=model.val_step(batch), data_batch=batch)
        model.train(was_training)
        return evaluator.evaluate(len(loop.dataloader.dataset))

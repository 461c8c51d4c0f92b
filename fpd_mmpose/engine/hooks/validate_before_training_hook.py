"""Validates the teacher and the student before the first epoch."""

import torch
from mmengine.hooks import Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.models.pose_estimators.base import BasePoseEstimator

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.engine.hooks.distill_visualization_hook import DistillVisualizationHook
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.reports.outcome import STARTED


@HOOKS.register_module()
class ValidateBeforeTrainingHook(Hook):
    """Validates the teacher and then the student before epoch 1.

    A wrong checkpoint or data folder thus shows in the first minute, as in the
    reference (``fpd_train.py``). The scores do not count for the best checkpoint. A
    resumed run is not validated again.

    Only the student is validated in plain training, and if the teacher is stored or has
    other joints. ``DistillVisualizationHook`` sees the answers of the teacher.
    """

    priority = 'LOW'

    def before_train(self, runner: Runner) -> None:
        """Logs scores as ``before_training/teacher/...`` and ``.../student/...``."""
        if runner.iter or runner.val_loop is None:
            return
        runner.message_hub.update_info(STARTED, bool(runner._load_from))
        student = bare_model(runner.model)
        models = {'student': student}
        if isinstance(student, FPDDistiller):
            network = student.teacher.network_to_validate(student)
            if network is None:
                runner.logger.info(
                    f"{student.teacher!r} has no network of the student's joints to "
                    'validate'
                )
            else:
                device = next(student.parameters()).device
                models = {'teacher': network.to(device), **models}
        for name, model in models.items():
            runner.logger.info(f'Validating the {name} before training')
            scores = self._scores(runner, model, model is not student)
            text = ', '.join(f'{key}: {value:.4f}' for key, value in scores.items())
            runner.logger.info(f'Before training, {name}: {text}')
            runner.message_hub.update_scalars(
                {f'before_training/{name}/{key}': v for key, v in scores.items()}
            )

    def _scores(
        self, runner: Runner, model: BasePoseEstimator, is_teacher: bool
    ) -> dict[str, float]:
        loop = runner.val_loop
        # Separate metrics leave those of the loop unchanged.
        evaluator = runner.build_evaluator(runner.cfg.val_evaluator)
        evaluator.dataset_meta = loop.dataloader.dataset.metainfo
        was_training = model.training
        model.train(False)
        with torch.no_grad():
            for batch in loop.dataloader:
                samples = model.val_step(batch)
                evaluator.process(data_samples=samples, data_batch=batch)
                for hook in runner.hooks if is_teacher else ():
                    if isinstance(hook, DistillVisualizationHook):
                        hook.see_teacher(samples)
        model.train(was_training)
        return evaluator.evaluate(len(loop.dataloader.dataset))

"""Adds multi-scale search to tests."""

from collections.abc import Sequence

from mmcv.transforms import TestTimeAug
from mmengine.dataset import Compose
from mmengine.hooks import PrepareTTAHook
from mmengine.runner import Runner
from mmpose.datasets.transforms import GetBBoxCenterScale
from mmpose.registry import HOOKS

from fpd_mmpose.datasets.transforms.rescale_box import RescaleBox
from fpd_mmpose.errors import UserError
from fpd_mmpose.models.tta import SCALES, MultiScaleSearch
from fpd_mmpose.models.tta.multi_scale_search import check_scales


@HOOKS.register_module()
class MultiScaleSearchHook(PrepareTTAHook):
    """Wraps the model in :class:`MultiScaleSearch` during a test.

    The steps of the test pipeline after ``GetBBoxCenterScale`` run once for each scale.
    Validation is not changed. ``fpd test --multi-scale`` adds this hook.

    Args:
        scales: Factors of the person's box. Defaults to 0.8, 0.9, ..., 1.3.

    Raises:
        UserError: If a scale is not a positive number, or the test pipeline is not a
            top-down one.
    """

    def __init__(self, scales: Sequence[float] = SCALES):
        self.scales = check_scales(scales)
        super().__init__(dict(type=MultiScaleSearch, scales=self.scales))

    def before_test(self, runner: Runner) -> None:
        """Wraps the model, and splits the test pipeline at the person's box."""
        dataset = runner.test_dataloader.dataset
        steps = list(getattr(getattr(dataset, 'pipeline', None), 'transforms', ()))
        boxes = [isinstance(step, GetBBoxCenterScale) for step in steps]
        if sum(boxes) != 1:
            raise UserError(
                'multi-scale search needs one GetBBoxCenterScale in the pipeline of '
                f'the test dataset, got {[type(step).__name__ for step in steps]}'
            )
        super().before_test(runner)
        self.pipeline = dataset.pipeline
        split = boxes.index(True) + 1
        rescaled = [RescaleBox(scale) for scale in self.scales]
        rest = [[step] for step in steps[split:]]
        dataset.pipeline = Compose([*steps[:split], TestTimeAug([rescaled, *rest])])
        scales = ', '.join(f'{scale:g}' for scale in self.scales)
        runner.logger.info(f'Testing with multi-scale search at {scales}')

    def after_test(self, runner: Runner) -> None:
        """Restores the model and the pipeline."""
        runner.model = self.tta_cfg['module']
        runner.test_dataloader.dataset.pipeline = self.pipeline

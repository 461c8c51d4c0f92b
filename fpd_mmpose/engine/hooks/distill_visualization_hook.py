"""Shows what teacher and student see of the same people in the course of a run."""

from typing import Any

from mmengine.dataset import pseudo_collate
from mmengine.hooks import EMAHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.models.pose_estimators.base import BasePoseEstimator

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.errors import UserError
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.panels.drawing import draw_panel
from fpd_mmpose.panels.readings import Reading, is_stored, read_network, read_teacher
from fpd_mmpose.panels.shown_people import show_people
from fpd_mmpose.random_state import random_state_kept


@HOOKS.register_module()
class DistillVisualizationHook(Hook):
    """Draws the heatmaps of teacher and student for the same few people.

    A panel has a row for each person: the crop with its label, the teacher's heatmaps,
    and those of each of the student's stages. It goes to the visualizer, and so to
    files, TensorBoard, or Weights & Biases, as ``heatmaps`` at the number of steps.

    SimCC's vectors are drawn as their outer product. Plain training has no teacher, and
    people without labels have no label. With ``EMAHook``, the averaged student is
    drawn, which is the one that is validated.

    The run trains exactly as without the hook.

    Args:
        interval: Epochs, or steps, from one panel to the next.
        by_epoch: Whether ``interval`` counts epochs.
        num_people: The number of people, who are spread evenly over the data.
        split: Where they are: ``'val'`` or ``'train'``, without augmentation. Defaults
            to the validation data, or to the training data if there is no validation
            or the teacher is stored.

    Raises:
        UserError: If an argument is out of range or, once the run starts, if people or
            networks cannot be drawn.

    Example:
        >>> from mmengine.registry import HOOKS
        >>> import fpd_mmpose.engine
        >>> hook = dict(type='DistillVisualizationHook', interval=10, num_people=3)
        >>> HOOKS.build(hook).num_people
        3
    """

    priority = 'LOW'

    def __init__(
        self,
        interval: int = 1,
        by_epoch: bool = True,
        num_people: int = 4,
        split: str | None = None,
    ) -> None:
        for name, value in (('interval', interval), ('num_people', num_people)):
            if type(value) is not int or value < 1:
                raise UserError(
                    f'{type(self).__name__}: {name} must be a whole number of at least '
                    f'1, got {value!r}'
                )
        if split not in (None, 'val', 'train'):
            raise UserError(
                f"{type(self).__name__}: split must be 'val' or 'train', got {split!r}"
            )
        self.interval = interval
        self.by_epoch = by_epoch
        self.num_people = num_people
        self.split = split

    def before_train(self, runner: Runner) -> None:
        """Chooses the people, and makes sure that the student can be drawn."""
        if runner.rank != 0:
            return
        stored = is_stored(bare_model(runner.model))
        split = self.split
        if split is None:
            split = 'train' if stored or runner.val_loop is None else 'val'
        if split == 'val' and (stored or runner.val_loop is None):
            reason = 'a stored teacher does not know its people'
            raise UserError(
                f"{type(self).__name__}: split is 'val', and "
                f"{reason if stored else 'the run has no validation'}: use 'train'"
            )
        loop = runner.train_loop if split == 'train' else runner.val_loop
        dataset = loop.dataloader.dataset
        self._metainfo = dataset.metainfo
        with random_state_kept():
            self._people = show_people(dataset, self.num_people, augmented=False)
            self._read(_student(runner)[0], None)

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Draws a panel if the hook counts steps."""
        if not self.by_epoch and self.every_n_train_iters(runner, self.interval):
            self._draw(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Draws a panel if the hook counts epochs."""
        if self.by_epoch and self.every_n_epochs(runner, self.interval):
            self._draw(runner, runner.iter)

    def _draw(self, runner: Runner, step: int) -> None:
        if runner.rank != 0:
            return
        with random_state_kept():
            readings = self._read(*_student(runner))
            picture = draw_panel(self._people, readings, self._metainfo)
        runner.visualizer.add_image('heatmaps', picture, step)

    def _read(self, student: BasePoseEstimator, title: str | None) -> list[Reading]:
        """Reads the student and, given its title, the teacher before it."""
        batch = pseudo_collate([person.sample for person in self._people])
        data = student.data_preprocessor(batch, training=False)
        inputs = data['inputs']
        form, readings = read_network(student, inputs, title or '')
        # A teacher's first batch must be one of the training: `speed` adapts to it.
        if title and isinstance(student, FPDDistiller):
            samples = data['data_samples']
            teacher = student.teacher
            readings.insert(0, read_teacher(teacher, student, form, inputs, samples))
        return readings


def _student(runner: Runner) -> tuple[BasePoseEstimator, str]:
    """Returns the network that is validated, and its title."""
    model = bare_model(runner.model)
    title = 'student' if isinstance(model, FPDDistiller) else 'network'
    for hook in runner.hooks:
        if isinstance(hook, EMAHook):
            return hook.ema_model.module, f'{title}, average'
    return model, title

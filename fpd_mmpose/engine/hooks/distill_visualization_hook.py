"""Shows what teacher and student see of the same people in the course of a run."""

from collections.abc import Sequence
from typing import Any

from mmengine.dataset import pseudo_collate
from mmengine.hooks import EMAHook, Hook
from mmengine.registry import HOOKS
from mmengine.runner import Runner
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.structures import PoseDataSample

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.errors import UserError
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.panels.drawing import draw_panel
from fpd_mmpose.panels.readings import Reading, is_stored, read_network, read_teacher
from fpd_mmpose.panels.shown_people import ShownPerson, find_people, show_people
from fpd_mmpose.panels.worst_people import WorstPeople
from fpd_mmpose.random_state import random_state_kept


@HOOKS.register_module()
class DistillVisualizationHook(Hook):
    """Draws the heatmaps of teacher and student for the same few people.

    A panel has a row for each person: the crop with its label, the teacher's heatmaps,
    and those of each of the student's stages. It goes to the visualizer, and so to
    files, TensorBoard, or Weights & Biases, as ``heatmaps`` at the number of steps.

    After each validation or test, ``worst_of_student`` shows the people whose keypoints
    are farthest from their labels, in the mean over labeled joints and relative to the
    crop's height. ``worst_of_teacher`` does so for the teacher, once, if
    ``ValidateBeforeTrainingHook`` validates it.

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
        num_worst: The number of worst people; 0 draws none.

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
        num_worst: int = 4,
    ) -> None:
        numbers = dict(interval=interval, num_people=num_people, num_worst=num_worst)
        for name, value in numbers.items():
            least = int(name != 'num_worst')
            if type(value) is not int or value < least:
                raise UserError(
                    f'{type(self).__name__}: {name} must be a whole number of at least '
                    f'{least}, got {value!r}'
                )
        if split not in (None, 'val', 'train'):
            raise UserError(
                f"{type(self).__name__}: split must be 'val' or 'train', got {split!r}"
            )
        self.interval = interval
        self.by_epoch = by_epoch
        self.num_people = num_people
        self.split = split
        self._worst = WorstPeople(num_worst)
        self._worst_of_teacher = WorstPeople(num_worst)
        self._sees_teacher = self._has_trained = False

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
            self._read(self._people, _student(runner)[0])

    def see_teacher(self, samples: Sequence[PoseDataSample]) -> None:
        """Takes what the teacher says of people of the validation."""
        self._worst_of_teacher.add(samples)
        self._sees_teacher = True

    def after_train_iter(self, runner: Runner, *args: Any, **kwargs: Any) -> None:
        """Draws a panel if the hook counts steps, and first the teacher's worst."""
        self._has_trained = True
        if self._sees_teacher:
            self._sees_teacher = False
            self._draw_worst(runner, runner.val_loop, 'teacher', self._worst_of_teacher)
        if not self.by_epoch and self.every_n_train_iters(runner, self.interval):
            self._draw(runner, runner.iter + 1)

    def after_train_epoch(self, runner: Runner) -> None:
        """Draws a panel if the hook counts epochs."""
        if self.by_epoch and self.every_n_epochs(runner, self.interval):
            self._draw(runner, runner.iter)

    def after_val_iter(
        self,
        runner: Runner,
        batch_idx: int,
        data_batch: Any = None,
        outputs: Sequence[PoseDataSample] | None = None,
    ) -> None:
        """Remembers the worst people."""
        self._worst.add(outputs or ())

    after_test_iter = after_val_iter

    def after_val_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Draws the worst people of the validation."""
        self._draw_worst(runner, runner.val_loop, 'student', self._worst)

    def after_test_epoch(self, runner: Runner, metrics: dict | None = None) -> None:
        """Draws the worst people of the test."""
        self._draw_worst(runner, runner.test_loop, 'student', self._worst)

    def _draw(self, runner: Runner, step: int) -> None:
        if runner.rank != 0:
            return
        with random_state_kept():
            readings = self._read(self._people, *_student(runner), with_teacher=True)
            picture = draw_panel(self._people, readings, self._metainfo)
        runner.visualizer.add_image('heatmaps', picture, step)

    def _draw_worst(
        self, runner: Runner, loop: Any, name: str, worst: WorstPeople
    ) -> None:
        found = worst.take()
        if runner.rank != 0 or not found:
            return
        dataset, (student, title) = loop.dataloader.dataset, _student(runner)
        errors = {(one.image, one.id): one.error for one in found}
        with random_state_kept():
            shown = find_people(dataset, [*errors])
            people = [
                shown[key]._replace(name=f'{error:.0%} off: {shown[key].name}')
                for key, error in errors.items()
                if key in shown
            ]
            if not people:
                return
            # A stored teacher knows the people of the training data alone, and the
            # first batch of others must be one of the training: `speed` adapts to it.
            taught = self._has_trained and not is_stored(student)
            readings = self._read(people, student, title, with_teacher=taught)
            if name == 'teacher':  # the student has only begun
                readings = readings[:1]
            picture = draw_panel(people, readings, dataset.metainfo)
        runner.visualizer.add_image(f'worst_of_{name}', picture, runner.iter)

    def _read(
        self,
        people: Sequence[ShownPerson],
        student: BasePoseEstimator,
        title: str = '',
        with_teacher: bool = False,
    ) -> list[Reading]:
        """Reads the student and, if asked to, the teacher before it."""
        batch = pseudo_collate([person.sample for person in people])
        data = student.data_preprocessor(batch, training=False)
        inputs = data['inputs']
        form, readings = read_network(student, inputs, title)
        if with_teacher and isinstance(student, FPDDistiller):
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

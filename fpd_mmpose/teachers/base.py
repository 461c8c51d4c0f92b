"""What a distiller and its hooks need of a teacher."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from mmengine.config import Config
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.utils.typing import SampleList
from torch import Tensor

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError


class Teacher(Protocol):
    """Gives the heatmaps that a student learns from.

    A teacher is not a module, so it is no part of the student's parameters, state dict,
    EMA copy, or DDP buckets, and the student's ``train()`` does not reach it.
    """

    def prepare(self, student: BasePoseEstimator) -> None:
        """Reads the teacher's files, once, and checks that they suit the student.

        Raises a ``UserError`` if they cannot be used.
        """

    def start(self, inputs: Tensor, data_samples: SampleList) -> Any:
        """Starts on a batch of the student's inputs, and returns what `finish` takes.

        On CUDA the teacher may run beside the student until then.
        """

    def finish(self, started: Any, size: Sequence[int]) -> Tensor:
        """Returns the heatmaps of the student's joints, (N, K, *size), in float32.

        They have no gradient and are zero for joints that the teacher lacks.
        """

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""

    def network_to_validate(
        self, student: BasePoseEstimator
    ) -> BasePoseEstimator | None:
        """Returns the network, if there is one and it has exactly the student's joints.

        Metrics of the student's data apply to no other network.
        """

    def heatmaps(
        self, inputs: Tensor, size: Sequence[int], data_samples: SampleList = ()
    ) -> Tensor:
        """Runs `start` and `finish` in one go."""
        return self.finish(self.start(inputs, data_samples), size)

    def __deepcopy__(self, memo: dict[int, Any]) -> 'Teacher':
        # EMA copies the student; a teacher need not be held twice.
        return self


def load_teacher_config(source: str | dict) -> Config:
    """Reads ``model.teacher.config``."""
    try:
        return load_config(source)
    except UserError as error:
        raise UserError(f'model.teacher.config: {error}') from error

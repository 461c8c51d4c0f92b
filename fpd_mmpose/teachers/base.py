"""What a distiller and its hooks need of a teacher."""

from typing import Any, Protocol

import torch
from mmengine.config import Config
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.utils.typing import SampleList
from torch import Tensor

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.output_conversion import Taught
from fpd_mmpose.teachers.output_format import (
    OutputFormat,
    check_codec,
    describe_output,
    pose_head,
    run_in_eval_mode,
)


class Teacher(Protocol):
    """Gives the targets that a student learns from.

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

    def finish(self, started: Any) -> Taught:
        """Returns the targets of the student's joints in the student's form.

        They are in float32 and have no gradient. Those of joints that the teacher lacks
        mean nothing.
        """

    def has_joint(self, device: torch.device) -> Tensor | None:
        """Returns 1 for each joint that the teacher has, else 0; None if it has all."""

    def network_to_validate(
        self, student: BasePoseEstimator
    ) -> BasePoseEstimator | None:
        """Returns the network, if there is one and it has exactly the student's joints.

        Metrics of the student's data apply to no other network.
        """

    def teach(self, inputs: Tensor, data_samples: SampleList = ()) -> Taught:
        """Runs `start` and `finish` in one go."""
        return self.finish(self.start(inputs, data_samples))

    def __deepcopy__(self, memo: dict[int, Any]) -> 'Teacher':
        # EMA copies the student; a teacher need not be held twice.
        return self


def load_teacher_config(source: str | dict) -> Config:
    """Reads ``model.teacher.config``."""
    try:
        return load_config(source)
    except UserError as error:
        raise UserError(f'model.teacher.config: {error}') from error


def describe_student(student: BasePoseEstimator) -> OutputFormat:
    """Describes the output of a student, for which its codec knows the input's size."""
    owner, given = 'the student', getattr(student, 'output', None)
    codec = getattr(pose_head(student.head), 'decoder', None)
    if given is None:
        check_codec(codec, owner)
    if codec is None or not hasattr(codec, 'input_size'):
        raise UserError('the codec of the student does not say its input_size: add it')
    width, height = codec.input_size
    device = next(student.parameters()).device
    image = torch.zeros(1, 3, height, width, device=device)
    output = run_in_eval_mode(student, image)
    return describe_output(student, owner, (width, height), output, given)

"""How a network is run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch

from fpd_mmpose.errors import UserError

#: What ``precision`` may name.
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


@dataclass(frozen=True)
class SpeedPlan:
    """Choices that change how fast a frozen network runs, not what it computes.

    Args:
        precision (str): ``'fp32'``, or the type of autocast, ``'bf16'`` or ``'fp16'``,
            whatever the student's is. Defaults to ``'fp32'``.
        channels_last (bool): Memory format. Defaults to False.
        fold_bn (bool): Whether batch norms are folded into the convolutions that they
            follow. Defaults to False.
        compile (bool): Whether ``torch.compile`` is used. Defaults to False.
        cuda_graph (bool): Whether it replays CUDA graphs. Defaults to False.
        stream (bool): Whether it runs on a CUDA stream of its own, beside the
            student. Defaults to False.
    """

    precision: str = 'fp32'
    channels_last: bool = False
    fold_bn: bool = False
    compile: bool = False
    cuda_graph: bool = False
    stream: bool = False

    @classmethod
    def parse(cls, value: Mapping[str, Any], option: str) -> 'SpeedPlan':
        """Reads a plan from a config.

        Args:
            value (Mapping): The arguments.
            option (str): Where they stand, for the message.

        Returns:
            SpeedPlan: The plan.

        Raises:
            UserError: If there is another key, or a value is none of those allowed.
                One line.
        """
        known = [field.name for field in fields(cls)]
        for name, given in value.items():
            if name not in known:
                raise UserError(
                    f'{option} has no option "{name}": there are {", ".join(known)}'
                )
            if name == 'precision':
                if given not in DTYPES:
                    raise UserError(
                        f'{option}.precision must be one of {", ".join(DTYPES)}, got '
                        f'{given!r}'
                    )
            elif not isinstance(given, bool):
                raise UserError(f'{option}.{name} must be True or False, got {given!r}')
        plan = cls(**value)
        if plan.cuda_graph and not plan.compile:
            raise UserError(f'{option}.cuda_graph needs compile=True')
        return plan

    def __str__(self) -> str:
        """Names the precision and what else is on."""
        switches = [name for name, on in asdict(self).items() if on is True]
        return ', '.join([self.precision, *switches])

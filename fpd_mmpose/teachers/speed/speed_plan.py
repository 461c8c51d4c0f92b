"""The options for running a frozen network."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

import torch

from fpd_mmpose.errors import UserError

#: The choices of ``precision``.
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}


@dataclass(frozen=True)
class SpeedPlan:
    """Options that change how fast a frozen network runs, not what it computes."""

    #: 'fp32', or the type of autocast: 'bf16' or 'fp16'. The student's may differ.
    precision: str = 'fp32'
    #: The memory format.
    channels_last: bool = False
    #: Folds batch norms into the convolutions before them.
    fold_bn: bool = False
    #: Uses torch.compile.
    compile: bool = False
    #: Replays CUDA graphs; needs `compile`.
    cuda_graph: bool = False
    #: Runs in a CUDA stream of its own, beside the student.
    stream: bool = False

    @classmethod
    def parse(cls, value: Mapping[str, Any], option: str) -> 'SpeedPlan':
        """Checks the options of a config field, which ``option`` names in errors."""
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
        """Lists the precision and the options that are on."""
        switches = [name for name, on in asdict(self).items() if on is True]
        return ', '.join([self.precision, *switches])

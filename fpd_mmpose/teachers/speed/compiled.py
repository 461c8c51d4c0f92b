"""Compiles functions, and does without where that fails."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log
from torch import Tensor, nn

from fpd_mmpose.errors import first_line

#: Calls that may compile; CUDA graphs are recorded in the second.
_COMPILING = 3


class Compiled:
    """A function of a module and a tensor, compiled for the first shape it gets.

    Batches of other shapes, such as the last short one of an epoch, run uncompiled,
    because compiling for them costs more. If compilation fails, for example without a
    C++ compiler, everything runs uncompiled after a single warning. A copy starts over,
    so that the copy of an EMA model does not run the weights of the original.
    """

    def __init__(
        self, function: Callable[[nn.Module, Tensor], Any], name: str, **options: Any
    ) -> None:
        self.function = function
        self.name = name
        self.options = options
        self._compiled: Callable | None = None
        self._shape: torch.Size | None = None
        self._calls = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> 'Compiled':
        return Compiled(self.function, self.name, **self.options)

    def __call__(self, module: nn.Module, inputs: Tensor) -> Any:
        """Runs the function."""
        if self._shape is None:
            self._shape = inputs.shape
            self._compiled = torch.compile(
                self.function, dynamic=False, fullgraph=True, **self.options
            )
        if self._compiled is None or inputs.shape != self._shape:
            return self.function(module, inputs)
        self._calls += 1
        if self._calls <= _COMPILING:
            try:
                return self._compiled(module, inputs)
            except Exception as error:  # compilers raise errors of any type
                print_log(
                    f'{self.name} runs uncompiled: torch.compile failed with '
                    f'{type(error).__name__}: {first_line(error)}',
                    logger='current',
                    level=30,
                )
                self._compiled = None
                return self.function(module, inputs)
        return self._compiled(module, inputs)

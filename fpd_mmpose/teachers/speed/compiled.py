"""torch.compile, where it works."""

from collections.abc import Callable
from typing import Any

import torch
from mmengine.logging import print_log

#: Calls that compile: CUDA graphs are recorded in the second.
_COMPILING = 3


class Compiled:
    """Calls a function compiled for the first shape that it meets.

    Batches of other shapes, such as the last short one of an epoch, run as without
    compilation: compiling for them costs more than they do. Where compilation fails,
    for want of a compiler for instance, a warning says so, once, and everything runs
    as without it. A copy starts anew, so that that of an EMA model does not run the
    weights of the original.

    Args:
        function (Callable): Takes a module and a tensor, and has no other state.
        name (str): What it is, for the warning.
        **options: Of :func:`torch.compile`.
    """

    def __init__(self, function: Callable, name: str, **options: Any):
        self.function = function
        self.name = name
        self.options = options
        self._compiled: Callable | None = None
        self._shape: torch.Size | None = None
        self._calls = 0

    def __deepcopy__(self, memo: dict) -> 'Compiled':
        return Compiled(self.function, self.name, **self.options)

    def __call__(self, module: torch.nn.Module, inputs: torch.Tensor) -> Any:
        """Runs the function.

        Args:
            module (nn.Module): Its first argument.
            inputs (Tensor): Its second argument, (N, C, H, W).

        Returns:
            What the function returns.
        """
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
            except Exception as error:  # whatever the compiler of the machine raises
                reason = str(error).strip().splitlines()[0] if str(error) else ''
                print_log(
                    f'{self.name} runs uncompiled: torch.compile failed with '
                    f'{type(error).__name__}: {reason}',
                    logger='current',
                    level=30,
                )
                self._compiled = None
                return self.function(module, inputs)
        return self._compiled(module, inputs)

"""Code in a process of its own, without the seconds that importing the stack takes."""

import os
import sys
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import cv2
from mmengine.logging import MMLogger

_ForkProcess = get_context('fork').Process


class Forked(_ForkProcess):
    """Runs a function in a fork of this process, and keeps what it prints.

    For inference on the CPU: PyTorch neither trains nor uses a GPU in a fork of a
    process that did.

    Args:
        function: Exits with 1 on an exception, and otherwise as `sys.exit` has it.
        args: Its arguments.
        output: A folder for what it prints.
    """

    def __init__(self, function: Callable, *args: Any, output: Path):
        super().__init__(target=function, args=args, daemon=True)
        self._files = [output / f'{self.name}.{stream}' for stream in ('out', 'err')]

    def start(self) -> None:
        # OpenCV's threads are not in a fork, which would wait for them forever.
        threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        super().start()
        cv2.setNumThreads(threads)

    def run(self) -> None:
        for descriptor, path in enumerate(self._files, start=1):
            os.dup2(os.open(path, os.O_CREAT | os.O_WRONLY), descriptor)
        sys.stdout, sys.stderr = (
            open(descriptor, 'w', closefd=False) for descriptor in (1, 2)
        )
        MMLogger.get_instance(self.name)  # those that there are print elsewhere
        super().run()

    def finished(self) -> 'Forked':
        """Waits for its end."""
        self.join(300)
        assert self.exitcode is not None, 'it does not end'
        return self

    @property
    def stdout(self) -> str:
        return self._files[0].read_text()

    @property
    def stderr(self) -> str:
        return self._files[1].read_text()

"""Lets a run that is told to stop finish its step and save."""

import functools
import signal
import threading
from types import FrameType
from typing import Any

import torch
from mmengine.dist import all_reduce, get_world_size
from mmengine.runner import Runner

SIGNALS = signal.SIGINT, signal.SIGTERM


class StopSignals:
    """The signals that ask a run to stop, while it trains.

    The second one ends it at once.
    """

    def __init__(self) -> None:
        self._received = 0
        self._before: dict[int, Any] = {}

    def listen(self) -> None:
        """Notes signals from now on; only the main thread can."""
        if threading.current_thread() is threading.main_thread() and not self._before:
            self._before = {one: signal.signal(one, self._note) for one in SIGNALS}

    def restore(self) -> None:
        """Gives the signals back their meaning."""
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def received(self) -> signal.Signals | None:
        """Returns the signal that some process of the run has received, if any.

        All processes must call it together.
        """
        number = self._received
        if get_world_size() > 1:
            found = torch.tensor(number)
            all_reduce(found, 'max')
            number = int(found)
        return signal.Signals(number) if number else None

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._received = number
        self.restore()


def install() -> None:
    """Gives each :class:`Runner` its ``stop_signals``. It is harmless to repeat."""
    original = Runner.train
    if hasattr(Runner, 'stop_signals'):
        return

    @functools.wraps(original)
    def train(self: Runner, *args: Any, **kwargs: Any) -> Any:
        self.stop_signals = StopSignals()
        try:
            return original(self, *args, **kwargs)
        finally:
            self.stop_signals.restore()

    Runner.stop_signals = None
    Runner.train = train

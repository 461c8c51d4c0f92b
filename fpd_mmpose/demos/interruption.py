"""Ctrl-C that waits until a piece of work is whole."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_when_asked() -> Iterator[threading.Event]:
    """Takes note of the first Ctrl-C or SIGTERM; the second acts at once.

    Outside of the main thread, where Python has no say in signals, it does nothing.

    Yields:
        threading.Event: Set once the work is to end.
    """
    asked = threading.Event()
    before = {}

    def take_note(number: int, frame: FrameType | None) -> None:
        asked.set()
        for one, handler in before.items():
            signal.signal(one, handler)

    if threading.current_thread() is threading.main_thread():
        before = {one: signal.signal(one, take_note) for one in _SIGNALS}
    try:
        yield asked
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)

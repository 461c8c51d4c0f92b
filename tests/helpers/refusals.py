"""What all tests of refused input ask for: one error, of one line."""

from collections.abc import Callable
from typing import Any

import pytest


def refused(function: Callable, *args: Any, **kwargs: Any) -> str:
    """Calls a function that must refuse its arguments, and returns the message."""
    with pytest.raises(ValueError) as error:
        function(*args, **kwargs)
    message = str(error.value)
    assert message and '\n' not in message
    return message


def exit_line(function: Callable, *args: Any, **kwargs: Any) -> str:
    """Calls a command that must end with an error, and returns its line.

    The line before says how to see the traceback.
    """
    with pytest.raises(SystemExit) as error:
        function(*args, **kwargs)
    hint, line = str(error.value).strip().splitlines()
    assert line.startswith('error: ') and 'FPD_TRACEBACK' in hint
    return line

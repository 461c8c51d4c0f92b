"""Errors of the user, as commands show them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns an error that the user can mend into one line and exit code 1.

    Of an error in a worker of a data loader, whose text is a traceback, it shows the
    last line. ``FPD_TRACEBACK=1`` in the environment lets errors through.

    Raises:
        SystemExit: In place of a :class:`ValueError` or :class:`FileNotFoundError`.
    """
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        if os.environ.get('FPD_TRACEBACK'):
            raise
        message = str(error).strip()
        if 'Traceback (most recent call last)' in message:
            message = message.splitlines()[-1].partition(': ')[2]
        raise SystemExit(
            f'error: {message}\n(FPD_TRACEBACK=1 shows where it arose)'
        ) from error

"""Errors of the user, as commands show them."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns an error that the user can mend into one line and exit code 1.

    ``FPD_TRACEBACK=1`` in the environment lets it through.

    Raises:
        SystemExit: In place of a :class:`ValueError` or :class:`FileNotFoundError`.
    """
    try:
        yield
    except (ValueError, FileNotFoundError) as error:
        if os.environ.get('FPD_TRACEBACK'):
            raise
        raise SystemExit(
            f'error: {error}\n(FPD_TRACEBACK=1 shows where it arose)'
        ) from error

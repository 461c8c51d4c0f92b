"""The error that users can fix, and how commands show it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager


class UserError(ValueError):
    """Something the user can fix: a file, a record, an option, or a config field.

    The message is a single line that names the culprit and says what to do. Commands
    print it without a traceback; every other exception keeps its own.

    Example:
        >>> import fpd_mmpose
        >>> try:
        ...     fpd_mmpose.PoseSession('missing.onnx')
        ... except fpd_mmpose.UserError as error:
        ...     print('missing.onnx' in str(error))
        True
    """


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns a :class:`UserError` into one line on stderr and exit status 1.

    ``FPD_TRACEBACK=1`` in the environment lets the error through.
    """
    try:
        yield
    except UserError as error:
        if os.environ.get('FPD_TRACEBACK'):
            raise
        message = str(error).strip()
        if 'Traceback (most recent call last)' in message:
            # A worker of a data loader sends its traceback as the message.
            message = message.splitlines()[-1].partition(': ')[2]
        raise SystemExit(
            f'error: {message}\n(set FPD_TRACEBACK=1 for the traceback)'
        ) from error

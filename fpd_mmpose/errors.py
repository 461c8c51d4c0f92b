"""The errors that users can fix, and how commands show them."""

import errno
import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from fpd_mmpose.config_mistakes import config_mistake

#: Characters of a message, whatever is in a file.
_LONGEST = 800
_TRACEBACK = 'Traceback (most recent call last)'
_SET_UP = (
    'run `bash tools/setup_env.sh`, or install fpd-mmpose into an OpenMMLab environment'
)
_EXPORTED = (
    'run `pip install "fpd-mmpose[deploy]"` to use exported networks; to train, '
)
#: What to do about each module that may be missing.
_ADVICE = {
    **dict.fromkeys(('mmcv', 'mmdet', 'mmengine', 'mmpose', 'torch'), _SET_UP),
    **dict.fromkeys(('torchvision', 'xtcocotools'), _SET_UP),
    **dict.fromkeys(('cv2', 'numpy'), _EXPORTED + _SET_UP),
    **dict.fromkeys(('onnx', 'onnxruntime'), 'run `pip install "fpd-mmpose[export]"`'),
    'plotly': 'run `pip install "fpd-mmpose[report]"`',
    'flask': 'run `pip install "fpd-mmpose[web]"`',
}
#: What a machine may refuse to any program.
_REFUSED = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}


#: Errors of others that may have an explanation.
_EXPLAINED = (RuntimeError, KeyError, TypeError, ValueError, AssertionError)


class UserError(ValueError):
    """Something the user can fix: a file, a record, an option, or a config field.

    The message is a single line that names the culprit and says what to do. Commands
    print it without a traceback; every other exception keeps its own.

    Example:
        >>> import fpd_mmpose
        >>> try:
        ...     fpd_mmpose.check('missing.py')
        ... except fpd_mmpose.UserError as error:
        ...     print('missing.py' in str(error))
        True
    """

    def __init__(self, message: str = '') -> None:
        super().__init__(_as_line(message))


def shown(value: object) -> str:
    """Shows a value that a file has, also one that Python cannot print."""
    try:
        return repr(value)
    except (RecursionError, ValueError):  # nested deeply, or with thousands of digits
        return f'of type {type(value).__name__}'


def first_line(error: Exception) -> str:
    """Returns the first line of an error, or its type if it says nothing."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


def _as_line(message: str) -> str:
    """Escapes and shortens what a file may have put into a message."""
    # A worker of a data loader sends its traceback as the message.
    if _TRACEBACK in message:
        return message
    if not message.isprintable():
        message = ''.join(
            each if each.isprintable() else each.encode('unicode_escape').decode()
            for each in message
        )
    if len(message) > _LONGEST:
        return f'{message[: _LONGEST // 2]} ... {message[-_LONGEST // 2 + 20 :]}'
    return message


class PackageError(ImportError):
    """A package is missing or too old; the message says what to install."""

    @classmethod
    def missing(cls, *modules: str) -> 'PackageError':
        """Says how to install modules that are missing."""
        verb = 'is' if len(modules) == 1 else 'are'
        return cls(
            f'fpd_mmpose needs {", ".join(modules)}, which {verb} not installed: '
            f'{_ADVICE[modules[0]]}'
        )


def explain_missing(error: ModuleNotFoundError) -> ImportError:
    """Turns the failed import of a package that this one needs into advice.

    Errors about other modules are returned as they are.
    """
    module = (error.name or '').partition('.')[0]
    # A submodule that is missing from an installed package is another problem.
    if module == error.name and module in _ADVICE:
        return PackageError.missing(module)
    return error


@contextmanager
def one_line_errors() -> Iterator[None]:
    """Turns errors that users can fix into one line on stderr and exit status 1.

    They are :class:`UserError`, packages that are missing or too old, folders that are
    full or may not be written to, data workers that were killed, and components of a
    config with a wrong name, field, or value.
    ``FPD_TRACEBACK=1`` in the environment lets them through. What the encoding of
    stdout lacks is printed as an escape.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors='backslashreplace')
    try:
        yield
    except (UserError, ImportError, OSError, *_EXPLAINED) as error:
        shown = _explained(error)
        if os.environ.get('FPD_TRACEBACK') or not isinstance(
            shown, UserError | PackageError
        ):
            raise
        message = str(shown).strip()
        if _TRACEBACK in message:
            message = message.splitlines()[-1].partition(': ')[2]
        # The error is the last line. Training has printed its whole config by now.
        logging = sys.modules.get('mmengine.logging')
        has_logged = logging is not None and bool(logging.MMLogger._instance_dict)
        start = '\n' if has_logged else ''
        raise SystemExit(
            f'{start}(set FPD_TRACEBACK=1 for the traceback)\nerror: {message}'
        ) from error


def _explained(error: Exception) -> Exception:
    """Says what a machine refuses or a config lacks; returns other errors as is."""
    if isinstance(error, ModuleNotFoundError):
        return explain_missing(error)
    # OpenMMLab asks so for packages that it needs only for some components.
    if isinstance(error, ImportError) and str(error).lower().startswith('please '):
        return PackageError(first_line(error))
    if isinstance(error, OSError) and error.errno in _REFUSED:
        place = f'"{error.filename}"' if error.filename else 'a file'
        return UserError(f'{place} cannot be read or written: {error.strerror}')
    if isinstance(error, RuntimeError) and str(error).startswith('DataLoader worker'):
        return UserError(
            'a data worker was killed, perhaps because memory ran out: lower the '
            "dataloader's num_workers; a training goes on with --resume"
        )
    mistake = config_mistake(error)
    return UserError(mistake) if mistake else error

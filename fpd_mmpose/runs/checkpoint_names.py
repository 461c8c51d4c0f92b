"""Names of the files that a checkpoint hook writes."""

import re
from pathlib import Path
from string import Formatter


def step_of(template: str, name: str) -> int | None:
    """Reads the epoch or iteration from the name of a checkpoint.

    Args:
        template (str): The hook's ``filename_tmpl``, such as ``'epoch_{}.pth'``.
        name (str): A file name without its folder.

    Returns:
        int | None: The number; 0 if the template has no place for one; None if the
        hook does not write such a name.
    """
    match = re.fullmatch(_pattern(template), name)
    if match is None:
        return None
    step = int(match[1]) if match.groups() else 0
    return step if template.format(step) == name else None


def is_best(template: str, metric: str, name: str) -> bool:
    """Tells whether a name is that of a best checkpoint.

    Args:
        template (str): The hook's ``filename_tmpl``.
        metric (str): As in ``save_best``; ``'auto'`` stands for any.
        name (str): A file name without its folder.

    Returns:
        bool: Whether the hook writes such a name.
    """
    key = '.+' if metric == 'auto' else re.escape(metric.replace('/', '_'))
    return bool(re.fullmatch(f'best_{key}_{_pattern(template)}', name))


def base_name(path: object) -> str | None:
    """Takes the file name from a path that came out of a file.

    Args:
        path: What should be a path; anything else is possible.

    Returns:
        str | None: Its last part; None if there is none that can be a file's name.
    """
    if not isinstance(path, str):
        return None
    name = re.split(r'[\\/]', path.strip())[-1]
    return None if name in ('', '.', '..') or '\0' in name else name


def named_in(pointer: Path) -> str | None:
    """Reads the file name that ``last_checkpoint`` holds.

    Args:
        pointer (Path): The file ``last_checkpoint``.

    Returns:
        str | None: The name without its folder; None if there is none.
    """
    try:
        with pointer.open('rb') as file:
            return base_name(file.read(4096).decode(errors='replace'))
    except OSError:
        return None


def _pattern(template: str) -> str:
    return ''.join(
        re.escape(text) + ('' if field is None else '([0-9]{1,18})')
        for text, field, *_ in Formatter().parse(template)
    )

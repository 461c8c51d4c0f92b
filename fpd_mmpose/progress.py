"""The progress bar of runs and demos."""

import sys
from typing import Any

from tqdm import tqdm


def progress_bar(total: int | None, label: str, unit: str, **options: Any) -> tqdm:
    """Opens a bar on stderr, which shows the rate as ``unit``/s.

    A file gets a line every few seconds rather than a redrawn bar.
    """
    on_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=label,
        unit=unit,
        mininterval=0.1 if on_terminal else 5,
        ascii=not on_terminal,
        dynamic_ncols=on_terminal,
        **options,
    )

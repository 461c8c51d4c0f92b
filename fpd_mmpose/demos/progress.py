"""The progress bar of the demos."""

import sys

from tqdm import tqdm


def progress_bar(total: int | None, label: str, unit: str) -> tqdm:
    """Opens a bar on stderr, which shows the rate as ``unit``/s."""
    on_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=label,
        unit=unit,
        # In a file, a line every few seconds instead of a redrawn bar.
        mininterval=0.1 if on_terminal else 5,
        ascii=not on_terminal,
        dynamic_ncols=on_terminal,
    )

"""The bar that shows how far a demo is, and how fast."""

import sys

from tqdm import tqdm


def progress_bar(total: int | None, label: str, unit: str) -> tqdm:
    """Opens a bar on stderr.

    Args:
        total (int, optional): How many there are, where that is known.
        label (str): Put before the bar.
        unit (str): What is counted, for the rate: ``unit``/s.

    Returns:
        tqdm: The bar, a context manager.
    """
    on_terminal = sys.stderr.isatty()
    return tqdm(
        total=total,
        desc=label,
        unit=unit,
        # A file gets a line every few seconds rather than a redrawn bar.
        mininterval=0.1 if on_terminal else 5,
        ascii=not on_terminal,
        dynamic_ncols=on_terminal,
    )

"""What a benchmark ran on."""

import platform
from pathlib import Path


def processor() -> str:
    """Names the processor.

    Returns:
        str: As the system does; its architecture where that says nothing.
    """
    path = Path('/proc/cpuinfo')
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()

"""Describes the machine."""

import platform
from pathlib import Path


def processor() -> str:
    """Returns the processor's name, or its architecture if the name is unknown."""
    path = Path('/proc/cpuinfo')
    for line in path.read_text(encoding='utf-8').splitlines() if path.exists() else []:
        if line.startswith('model name'):
            return line.partition(':')[2].strip()
    return platform.processor() or platform.machine()

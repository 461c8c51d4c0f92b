"""Tells before a long run whether it would fail, and how its data look."""

from .check_config import check_config
from .report import Report
from .splits import set_data_root

__all__ = ['Report', 'check_config', 'set_data_root']

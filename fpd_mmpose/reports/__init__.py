"""Result tables of finished runs."""

from fpd_mmpose.reports.comparison import compare
from fpd_mmpose.reports.complexity import Complexity, count
from fpd_mmpose.reports.table import Table, check_outputs

__all__ = ['Complexity', 'Table', 'check_outputs', 'compare', 'count']

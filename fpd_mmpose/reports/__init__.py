"""Result tables of finished runs."""

from fpd_mmpose.reports.comparison import compare
from fpd_mmpose.reports.complexity import Complexity, count
from fpd_mmpose.reports.outputs import check_outputs, write_outputs
from fpd_mmpose.reports.table import Table

__all__ = ['Complexity', 'Table', 'check_outputs', 'compare', 'count', 'write_outputs']

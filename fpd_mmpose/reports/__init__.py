"""Result tables of finished runs."""

from fpd_mmpose.reports.comparison import compare
from fpd_mmpose.reports.complexity import Complexity, count
from fpd_mmpose.reports.table import SUFFIXES, Table

__all__ = ['SUFFIXES', 'Complexity', 'Table', 'compare', 'count']

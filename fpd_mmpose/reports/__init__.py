"""Result tables of finished runs."""

from fpd_mmpose.reports.comparison import compare as compare
from fpd_mmpose.reports.complexity import Complexity as Complexity
from fpd_mmpose.reports.complexity import count as count
from fpd_mmpose.reports.table import SUFFIXES as SUFFIXES
from fpd_mmpose.reports.table import Table as Table

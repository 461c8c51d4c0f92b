"""Result tables of finished runs."""

from .compare import compare
from .complexity import Complexity, count
from .outputs import check_outputs, write_outputs
from .table import Table

__all__ = ['Complexity', 'Table', 'check_outputs', 'compare', 'count', 'write_outputs']

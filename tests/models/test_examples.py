"""The examples in the docstrings of the components run."""

import doctest
import sys

import pytest

from fpd_mmpose import (
    FPDDistiller,
    FPDHeatmap,
    HeatmapDistillLoss,
    SimCCDistillLoss,
    StackedHourglass,
)
from fpd_mmpose.engine.hooks import DistillVisualizationHook


@pytest.mark.parametrize(
    'documented',
    [
        DistillVisualizationHook,
        FPDDistiller,
        FPDHeatmap,
        HeatmapDistillLoss,
        SimCCDistillLoss,
        StackedHourglass,
    ],
    ids=lambda component: component.__name__,
)
def test_the_example_runs(documented):
    module = sys.modules[documented.__module__]
    (found,) = doctest.DocTestFinder(recurse=False).find(documented, module=module)
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0

"""The examples in the docstrings of the public API run."""

import doctest
import sys

import pytest

from fpd_mmpose.deploy import Poses, PoseSession, draw_poses
from fpd_mmpose.export import export_onnx


@pytest.mark.parametrize('documented', [PoseSession, Poses, draw_poses, export_onnx])
def test_the_example_runs(documented):
    module = sys.modules[documented.__module__]
    (found,) = doctest.DocTestFinder(recurse=False).find(documented, module=module)
    assert found.examples
    assert doctest.DocTestRunner().run(found).failed == 0

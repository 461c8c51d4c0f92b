"""The public names of the package."""

import ast
import doctest
import importlib
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

import fpd_mmpose

OBJECTS = [name for name in fpd_mmpose.__all__ if not name.startswith('__')]


def test_every_name_is_listed_once_in_order():
    assert sorted({*fpd_mmpose.__all__}) == fpd_mmpose.__all__
    assert {*fpd_mmpose.__all__} == {*fpd_mmpose._HOMES, 'UserError', '__version__'}
    assert {*fpd_mmpose.__all__} <= {*dir(fpd_mmpose)}


def test_type_checkers_see_the_same_names():
    (block,) = (
        node
        for node in ast.parse(Path(fpd_mmpose.__file__).read_text()).body
        if isinstance(node, ast.If)
    )
    seen = {
        alias.name: statement.module
        for statement in block.body
        for alias in statement.names
    }
    homes = fpd_mmpose._HOMES.items()
    assert seen == {name: f'fpd_mmpose.{home}' for name, home in homes}


@pytest.mark.parametrize(('name', 'home'), fpd_mmpose._HOMES.items())
def test_a_name_is_the_object_in_its_module(name, home):
    module = importlib.import_module(f'fpd_mmpose.{home}')
    assert getattr(fpd_mmpose, name) is getattr(module, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'fpd_mmpose' has no attribute 'Teacher'"):
        fpd_mmpose.Teacher  # noqa: B018


@pytest.mark.parametrize('name', OBJECTS)
def test_each_name_has_an_example_that_runs(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    MMLogger.get_current_instance()  # it keeps the stdout of its first use
    finder = doctest.DocTestFinder(recurse=False)
    (test,) = finder.find(getattr(fpd_mmpose, name), name)
    run = [one for one in test.examples if doctest.SKIP not in one.options]
    assert run, f'{name} has no example'
    report = []
    result = doctest.DocTestRunner(verbose=False).run(test, out=report.append)
    assert result.failed == 0, ''.join(report)

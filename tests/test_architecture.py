"""The structure of the package: who imports whom, and what is called what.

Everything is read from the source, so that nothing has to be imported.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache

import pytest

from tests.helpers import ROOT

PACKAGE = ROOT / 'fpd_mmpose'
#: The packages of registered components, as in MMPose.
COMPONENTS = ('codecs', 'datasets', 'engine', 'evaluation', 'models')
LONGEST_FILE = 330
#: Lines of Python in the package, comments and docstrings included.
MOST_LINES = 27_850

# Each list must name exactly what is found, so that it shrinks with the package.
SAME_MODULE_NAMES: set[str] = set()
SAME_CLASS_NAMES: set[str] = set()
#: Replaces mmengine's own hook, and so must not wait for MMPose.
REGISTERED_ELSEWHERE = {'fpd_mmpose.runs.checkpoint_hook'}
LONGER_FILES: set[str] = set()


@cache
def modules() -> dict[str, ast.Module]:
    """The source of each module, by dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob('*.py')):
        parts = path.relative_to(ROOT).with_suffix('').parts
        found['.'.join(parts)] = ast.parse(path.read_text())
    return found


def own_name(module: str) -> str:
    return module.rpartition('.')[2]


def imports(tree: ast.AST) -> Iterator[str]:
    """The names that a module imports anywhere at runtime, in functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, 'imports are absolute'
            yield from (f'{node.module}.{alias.name}' for alias in node.names)
        yield from imports(node)


def room(name: str) -> str | None:
    """The package, or the module beside the packages, of a dotted name."""
    first, _, rest = name.partition('.')
    return rest.split('.')[0] if first == PACKAGE.name and rest else None


@cache
def imported_rooms() -> dict[str, set[str]]:
    """The rooms that each room imports; the front door, which opens all, is none."""
    rooms = {room(module) for module in modules()}
    found = defaultdict(set)
    for module, tree in modules().items():
        if own_name(module) == '__main__':
            continue  # an entry point, which nothing imports
        targets = {room(name) for name in imports(tree)} & rooms
        found[room(module)] |= targets - {room(module)}
    del found['__init__']
    return dict(found)


def path_back(start: str) -> list[str]:
    """A circle of imports through a room; empty if there is none."""
    paths = [[start]]
    seen = set()
    for path in paths:
        for target in sorted(imported_rooms()[path[-1]]):
            if target == start:
                return [*path, start]
            if target not in seen:
                seen.add(target)
                paths.append([*path, target])
    return []


def test_every_room_is_seen():
    rooms = imported_rooms()
    assert {'models', 'teachers', 'config', 'errors'} <= set(rooms)
    # One import at the top of a module, and one in a function.
    assert 'teachers' in rooms['models'] and 'checks' in rooms['cli']


@pytest.mark.parametrize('name', sorted(imported_rooms()))
def test_packages_do_not_import_each_other_in_a_circle(name):
    assert not path_back(name)


def several(places: dict[str, set[str]]) -> dict[str, set[str]]:
    return {name: where for name, where in places.items() if len(where) > 1}


def test_no_two_modules_have_the_same_name():
    places = defaultdict(set)
    for module in modules():
        if not own_name(module).startswith('__'):
            places[own_name(module)].add(module)
    assert several(places).keys() == SAME_MODULE_NAMES, several(places)


def test_no_two_public_classes_have_the_same_name():
    places = defaultdict(set)
    for module, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
                places[node.name].add(module)
    assert several(places).keys() == SAME_CLASS_NAMES, several(places)


def registered(tree: ast.Module) -> list[str]:
    """The classes of a module that a registry gets to know."""
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        for decorator in node.decorator_list
        if '.register_module' in ast.unparse(decorator)
    ]


def snake_case(name: str) -> str:
    words = re.sub(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])', '_', name)
    return words.lower()


@pytest.mark.parametrize(
    'module',
    [
        module
        for module in modules()
        if room(module) in COMPONENTS and own_name(module) != '__init__'
    ],
)
def test_a_module_of_components_is_named_after_its_only_one(module):
    names = registered(modules()[module])
    found = [snake_case(name).replace('_', '') for name in names]
    assert found == [own_name(module).replace('_', '')], names


def test_components_are_registered_nowhere_else():
    elsewhere = {
        module
        for module, tree in modules().items()
        if registered(tree) and room(module) not in COMPONENTS
    }
    assert elsewhere == REGISTERED_ELSEWHERE


def test_files_are_short_enough_to_read():
    longer = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob('*.py')
        if len(path.read_text().splitlines()) > LONGEST_FILE
    }
    assert longer == LONGER_FILES


def test_the_package_stays_small():
    lines = sum(len(path.read_text().splitlines()) for path in PACKAGE.rglob('*.py'))
    assert lines <= MOST_LINES

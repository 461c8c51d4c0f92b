"""Says in a line which component of a config MMEngine could not build."""

import inspect
import re
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.util import find_spec
from traceback import walk_tb
from typing import Any

#: MMEngine's function, in whose frame the errors of wrong names are raised.
_BUILDER = ('mmengine/registry/build_functions.py', 'build_from_cfg')
_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r'missing \d+ required .*arguments?: (.+)$')


def config_mistake(error: Exception) -> str:
    """Explains an unknown ``type`` or field; empty for errors of other kinds.

    Errors from within a component are of other kinds.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    if not frames or not isinstance(error, KeyError | TypeError):
        return ''
    code, known = frames[-1].f_code, frames[-1].f_locals
    path = code.co_filename.replace('\\', '/')
    if not path.endswith(_BUILDER[0]) or code.co_name != _BUILDER[1]:
        return ''
    text = str(error)
    component: Any = known.get('obj_cls')
    if 'obj_cls' in known and component is None:
        kind, registry = known['obj_type'], known['registry']
        like = _similar(kind, registry.module_dict)
        package, dot, _ = kind.partition('.')
        if dot and find_spec(package) is None:
            return f'the config names a {registry.name} "{kind}": install {package}'
        return (
            f'the config names a {registry.name} "{kind}", which does not exist{like}: '
            'correct its `type`, or add the module that defines it to custom_imports'
        )
    if 'the key "type"' in text:
        given = re.sub(r'\s+', ' ', str(known.get('cfg')))[:200]
        return f'a component of the config has no `type`: {given}'
    name = getattr(component, '__name__', '')
    if found := _UNEXPECTED.search(text):
        like = _similar(found[1], inspect.signature(component).parameters)
        return f'config: {name} has no field "{found[1]}"{like}'
    if found := _MISSING.search(text):
        return f'config: {name} needs {found[1]}'
    return ''


def _similar(name: object, names: Iterable[str]) -> str:
    found = get_close_matches(str(name), [*names], 1)
    return f' (did you mean "{found[0]}"?)' if found else ''

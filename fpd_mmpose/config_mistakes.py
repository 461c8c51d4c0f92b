"""Says in a line which component of a config MMEngine could not build."""

import inspect
import re
from collections.abc import Iterable
from difflib import get_close_matches
from importlib.util import find_spec
from traceback import walk_tb
from types import FrameType
from typing import Any

#: Where MMEngine builds what a config describes: components; loops and dataloaders.
_BUILDERS = ('mmengine/registry/build_functions.py', 'mmengine/runner/runner.py')
#: The variables there that hold a class, and the ``type`` it was looked up by.
_LOOKED_UP = (('obj_cls', 'obj_type'), ('scheduler_cls', 'scheduler_type'))
#: Packages whose constructors check what they are given.
_LIBRARIES = ('mmcv', 'mmdet', 'mmengine', 'mmpose', 'mmpretrain', 'torch')
_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r'missing \d+ required .*arguments?: (.+)$')
_CLASS = re.compile(r'(\w+)\.__init__\(\)')
#: Fields that no component gets; the runner takes the priority of a hook.
_COMMON = {'type', '_scope_', 'priority'}


def config_mistake(error: Exception) -> str:
    """Explains an unknown ``type``, field, or value; empty for errors of other kinds.

    Errors from within a component are of other kinds, unless a constructor of
    OpenMMLab or PyTorch refuses a value.
    """
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    builder = next((each for each in reversed(frames) if _is_builder(each)), None)
    if builder is None:
        return ''
    known, text, last = builder.f_locals, str(error), frames[-1]
    if last is builder:
        for name, kind in _LOOKED_UP:
            if name in known and known[name] is None:
                return unknown_type(known[kind], known['registry'])
        if isinstance(error, KeyError) and 'the key "type"' in text:
            given = re.sub(r'\s+', ' ', str(known.get('cfg')))[:200]
            return f'a component of the config has no `type`: {given}'
    refused = isinstance(error, TypeError | ValueError | AssertionError) and (
        last is builder or _is_constructor(last)
    )
    component = _component(builder, last, text) if refused else None
    if component is None:
        return ''
    name = _name(component)
    if isinstance(error, TypeError) and (found := _UNEXPECTED.search(text)):
        return unknown_field(component, found[1])
    if isinstance(error, TypeError) and (found := _MISSING.search(text)):
        return f'config: {name} needs {found[1]}'
    if last is builder:
        return ''
    return f'config: {name}: {" ".join(text.split()) or type(error).__name__}'


def field_mistake(settings: dict, registry: Any) -> str:
    """Explains an unknown ``type`` or field of a component that is not built.

    Empty if there is none, or if the component takes any field.
    """
    kind = settings.get('type')
    component = registry.get(kind) if isinstance(kind, str) else kind
    if component is None:
        return unknown_type(str(kind), registry)
    parameters = inspect.signature(component).parameters
    takes_any = any(each.kind is each.VAR_KEYWORD for each in parameters.values())
    unknown = [name for name in settings if name not in {*parameters, *_COMMON}]
    return unknown_field(component, unknown[0]) if unknown and not takes_any else ''


def unknown_type(kind: str, registry: Any) -> str:
    """Explains a ``type`` that a registry of MMEngine does not have."""
    names: list[str] = []
    parent = registry
    while parent is not None:
        names += parent.module_dict
        parent = parent.parent
    like = _similar(kind, names)
    what = registry.name.replace('_', ' ')
    package, dot, _ = kind.partition('.')
    if dot and find_spec(package) is None:
        return f'the config names the {what} "{kind}": install {package}'
    return (
        f'the config names the {what} "{kind}", which does not exist{like}: '
        'correct its `type`, or add the module that defines it to custom_imports'
    )


def unknown_field(component: Any, field: str) -> str:
    """Explains a field that a component does not have."""
    makers = [component]
    if inspect.isclass(component):  # which may pass fields to its base classes
        bases = inspect.getmro(component)
        makers = [each for each in bases if each.__module__ != 'builtins']
    known = [name for each in makers for name in inspect.signature(each).parameters]
    like = _similar(field, {*known} - {'self', 'args', 'kwargs'})
    return f'config: {_name(component)} has no field "{field}"{like}'


def _name(component: Any) -> str:
    return getattr(component, '__name__', str(component))


def _component(builder: FrameType, last: FrameType, text: str) -> Any:
    """Finds what was being built; None if that is not known."""
    for name, _ in _LOOKED_UP:
        if component := builder.f_locals.get(name):
            return component
    # The runner names the classes of loops and dataloaders in its code.
    if named := _CLASS.search(text):
        return builder.f_globals.get(named[1])
    return type(last.f_locals['self']) if 'self' in last.f_locals else None


def _is_builder(frame: FrameType) -> bool:
    code = frame.f_code
    path = code.co_filename.replace('\\', '/')
    return code.co_name.startswith('build_') and path.endswith(_BUILDERS)


def _is_constructor(frame: FrameType) -> bool:
    package = str(frame.f_globals.get('__name__')).partition('.')[0]
    return frame.f_code.co_name == '__init__' and package in _LIBRARIES


def _similar(name: object, names: Iterable[str]) -> str:
    found = get_close_matches(str(name), [*names], 1)
    return f' (did you mean "{found[0]}"?)' if found else ''

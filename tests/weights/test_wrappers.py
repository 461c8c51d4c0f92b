"""The prefixes of wrappers are removed from the names of weights."""

import pytest

from fpd_mmpose.weights.wrappers import without_wrappers

NAMES = ['backbone.conv.weight', 'head.bias']


@pytest.mark.parametrize(
    'prefix',
    [
        '', 'module.', '_orig_mod.', 'architecture.', 'model.', 'student.',
        'module.module.', '_orig_mod.module.', 'module._orig_mod.',
        'module.architecture.module._orig_mod.', 'model.student._orig_mod.',
    ],
)  # fmt: skip
def test_prefixes_are_removed_in_any_order(prefix):
    found = without_wrappers({prefix + name: name for name in NAMES})
    assert found == {name: name for name in NAMES}


def test_a_compiled_part_gets_its_own_name():
    found = without_wrappers({'backbone._orig_mod.conv.weight': 1, 'head.bias': 2})
    assert list(found) == NAMES


@pytest.mark.parametrize('counter', ['steps', 'n_averaged'])
def test_an_averaged_model_loses_its_counter(counter):
    found = without_wrappers({counter: 0, **{f'module.{name}': 1 for name in NAMES}})
    assert list(found) == NAMES


@pytest.mark.parametrize(
    'names',
    [
        ['student.conv.weight', 'teacher.conv.weight'],
        ['model.conv.weight', 'head.bias'],
        ['head.module.weight', 'modules.weight', 'steps'],
        ['module.conv.weight', 'conv.weight'],
        ['weight', 1],
        [],
    ],
)
def test_other_names_stay(names):
    assert list(without_wrappers(dict.fromkeys(names))) == names


def test_prefixes_of_frameworks_can_be_kept():
    names = {'module.model.conv.weight': 1}
    assert list(without_wrappers(names, frameworks=False)) == ['model.conv.weight']

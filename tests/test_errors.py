"""Errors that users can fix are one line."""

import errno
import re

import pytest
from mmengine.logging import MMLogger
from torch.utils.data import DataLoader, Dataset

from fpd_mmpose.errors import PackageError, UserError, one_line_errors, shown


class Damaged(Dataset):
    def __len__(self) -> int:
        return 1

    def __getitem__(self, index: int) -> int:
        raise UserError('image "a.jpg" of record 7 cannot be decoded: is it damaged?')


def message_of(error: Exception) -> str:
    with pytest.raises(SystemExit) as info, one_line_errors():
        raise error
    return str(info.value)


@pytest.mark.parametrize('kind', [UserError, PackageError])
def test_the_text_of_the_error_is_shown(kind):
    text = message_of(kind('no such option: speed'))
    assert text.splitlines()[-1] == 'error: no such option: speed'


@pytest.mark.parametrize(
    ('module', 'advice'),
    [
        ('torch', 'needs torch, which is not installed: run `bash tools/setup_env.sh`'),
        ('mmpose', 'install fpd-mmpose into an OpenMMLab environment'),
        ('onnxruntime', 'needs onnxruntime.*pip install "fpd-mmpose'),
        ('cv2', r'pip install "fpd-mmpose\[deploy\]"'),
    ],
)
def test_a_missing_package_is_named_with_what_to_install(module, advice):
    error = ModuleNotFoundError(f'No module named {module!r}', name=module)
    line = message_of(error).splitlines()[-1]
    assert re.search(advice, line)


@pytest.mark.parametrize(
    ('error', 'line'),
    [
        (
            OSError(errno.ENOSPC, 'No space', '/a b'),
            '"/a b" cannot be read or written: No',
        ),
        (
            OSError(errno.EROFS, 'Read-only', '/a'),
            '"/a" cannot be read or written: Read',
        ),
        (OSError(errno.EDQUOT, 'Quota'), 'a file cannot be read or written: Quota'),
        (
            RuntimeError('DataLoader worker (pid 3) is killed'),
            'a data worker was killed',
        ),
    ],
)
def test_what_a_machine_refuses_is_one_line(error, line):
    assert message_of(error).splitlines()[-1].startswith(f'error: {line}')


def test_a_package_that_openmmlab_asks_for_is_one_line():
    error = ImportError('Please run "pip install aim" to install aim\n')
    line = 'error: Please run "pip install aim" to install aim'
    assert message_of(error).splitlines()[-1] == line
    with pytest.raises(ImportError, match='circular'), one_line_errors():
        raise ImportError('cannot import name: circular import')


def test_an_error_in_a_worker_of_a_loader_loses_its_traceback():
    with pytest.raises(SystemExit) as info, one_line_errors():
        next(iter(DataLoader(Damaged(), num_workers=1)))
    hint, first = str(info.value).strip().splitlines()
    assert first == (
        'error: image "a.jpg" of record 7 cannot be decoded: is it damaged?'
    )
    assert 'FPD_TRACEBACK=1' in hint


@pytest.mark.parametrize(
    'error',
    [
        ValueError('Expected more than 1 value per channel when training'),
        FileNotFoundError(2, 'No such file or directory', 'internal.txt'),
        ZeroDivisionError(),
        ModuleNotFoundError("No module named 'my_module'", name='my_module'),
        ModuleNotFoundError("No module named 'torch.gone'", name='torch.gone'),
        ImportError('cannot import name'),
    ],
)
def test_other_errors_keep_their_traceback(error):
    with pytest.raises(type(error)) as info, one_line_errors():
        raise error
    assert info.value is error


def test_a_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv('FPD_TRACEBACK', '1')
    with pytest.raises(UserError), one_line_errors():
        raise UserError('x')


def test_the_error_stands_apart_below_the_log_of_a_run(monkeypatch):
    monkeypatch.setattr(MMLogger, '_instance_dict', {})
    assert not message_of(UserError('x')).startswith('\n')
    monkeypatch.setattr(MMLogger, '_instance_dict', {'run': None})
    text = message_of(UserError('no such file'))
    assert text.startswith('\n') and text.endswith('\nerror: no such file')


def test_a_message_is_one_line_whatever_a_file_puts_into_it():
    error = UserError('"a\nb\0\ud800" is ' + 'x' * 70_000 + ': remove it')
    message = str(error)
    assert message.isprintable() and len(message) < 1000
    assert message.startswith('"a\\nb\\x00\\ud800" is') and message.endswith(
        'remove it'
    )


def test_a_value_that_python_cannot_print_is_shown_by_its_type():
    value: list = []
    for _ in range(100_000):
        value = [value]
    assert shown(value) == 'of type list' and shown('a') == "'a'"


def build(**config: object) -> None:
    from mmpose.registry import MODELS

    MODELS.build(config)


@pytest.mark.parametrize(
    ('config', 'line'),
    [
        (
            dict(type='StackedHourglas'),
            'the config names the model "StackedHourglas", which does not exist (did '
            'you mean "StackedHourglass"?): correct its `type`, or add the module that '
            'defines it to custom_imports',
        ),
        (
            dict(type='mmnowhere.Net'),
            'the config names the model "mmnowhere.Net": install mmnowhere',
        ),
        (
            dict(type='StackedHourglass', num_stack=3),
            'config: StackedHourglass has no field "num_stack" (did you mean '
            '"num_stacks"?)',
        ),
        (dict(type='HeatmapHead', a=1, in_channels=1, out_channels=1),
            'config: HeatmapHead has no field "a"'),
        (dict(type='HeatmapHead'), "config: HeatmapHead needs 'in_channels' and "
            "'out_channels'"),
        (dict(num_stacks=2), "a component of the config has no `type`: {'num_stacks': "
            '2}'),
    ],
)  # fmt: skip
def test_a_wrong_name_in_a_config_is_one_line(config, line):
    with pytest.raises(SystemExit) as info, one_line_errors():
        build(**config)
    assert str(info.value).splitlines()[-1] == f'error: {line}'


def test_an_error_within_a_component_keeps_its_traceback():
    from mmpose.registry import MODELS

    @MODELS.register_module()
    class Faulty:
        def __init__(self) -> None:
            dict(a=1)['b']

    try:
        with pytest.raises(KeyError), one_line_errors():
            build(type='Faulty')
    finally:
        MODELS.module_dict.pop('Faulty')

"""``--multi-scale`` of tools/test.py."""

import argparse
import json
import sys
from pathlib import Path

import pytest
from mmengine.config import DictAction

from fpd_mmpose.cli import stock_tools
from fpd_mmpose.cli.multi_scale_option import translate_multi_scale
from fpd_mmpose.models.tta import SCALES
from tests.helpers.reduced import reduced_config, run

STOCK = ['config.py', 'x.pth', '--dump', 'x.pkl', '--cfg-options', 'a.b=-1', 'c=[1,2]']


def options_of(arguments: list[str]) -> dict:
    """The config options as MMPose's script reads them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_known_args(arguments)[0].cfg_options


def test_without_the_option_arguments_pass_unchanged():
    assert translate_multi_scale(STOCK) == STOCK


@pytest.mark.parametrize(
    ('typed', 'scales'),
    [
        ([], SCALES),
        (['1'], (1.0,)),
        (['0.75', '1', '1.5'], (0.75, 1.0, 1.5)),
    ],
)
def test_the_option_becomes_a_hook_beside_the_users_options(typed, scales):
    arguments = translate_multi_scale([*STOCK, '--multi-scale', *typed])
    assert arguments[: len(STOCK)] == STOCK
    assert options_of(arguments) == {
        'a.b': -1,
        'c': [1, 2],
        'default_hooks.multi_scale_search.type': 'MultiScaleSearchHook',
        'default_hooks.multi_scale_search.scales': list(scales),
    }


def test_other_options_end_the_scales():
    arguments = ['config.py', 'x.pth', '--multi-scale', '1', '--launcher', 'pytorch']
    translated = translate_multi_scale(arguments)
    assert translated[:4] == ['config.py', 'x.pth', '--launcher', 'pytorch']


@pytest.mark.parametrize('typed', ['0', '-0.5', 'nan', 'config.py'])
def test_a_scale_that_is_none_is_one_line(typed):
    with pytest.raises(SystemExit, match='error: the scales .* got ') as error:
        stock_tools.run_stock_tool('test', ['--multi-scale', '1', typed])
    assert repr(typed) in str(error.value)


def test_help_explains_the_option_above_those_of_mmpose(capsys):
    with pytest.raises(SystemExit):
        stock_tools.run_stock_tool('test', ['--help'])
    shown = capsys.readouterr().out
    assert 0 <= shown.index('--multi-scale [SCALE') < shown.index('--cfg-options')


def test_the_command_searches_and_keeps_all_else(
    mpii_root, tmp_path, monkeypatch, capsys
):
    config = reduced_config(
        'hourglass/hg4_128_mpii.py', mpii_root, tmp_path / 'run', stacks=1, features=8
    )
    checkpoint = str(Path(run(config).work_dir) / 'epoch_1.pth')
    config.log_level = 'INFO'
    config.visualizer.name = 'searched'
    config.pop('work_dir')
    config.dump(tmp_path / 'tiny.py')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, 'argv', ['test.py'])  # which it sets
    stock_tools.run_stock_tool('test', [
        'tiny.py', checkpoint, '--multi-scale', '0.9', '1.1', '--out', 'metrics.json',
        '--dump', 'samples.pkl', '--show-dir', 'pictures',
        '--cfg-options', 'test_dataloader.batch_size=3', 'experiment_name=searched',
    ])  # fmt: skip
    printed = capsys.readouterr()
    assert 'multi-scale search at 0.9, 1.1' in printed.out + printed.err
    assert 'PCKh/Mean' in json.loads((tmp_path / 'metrics.json').read_text())
    assert (tmp_path / 'samples.pkl').stat().st_size
    work_dir = tmp_path / 'work_dirs' / 'tiny'
    assert 'MultiScaleSearchHook' in (work_dir / 'tiny.py').read_text()
    assert len(list(work_dir.rglob('pictures/*.jpg'))) == 6

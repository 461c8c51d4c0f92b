"""``fpd test --multi-scale``."""

import argparse
import json
import sys
from pathlib import Path

import pytest
from mmengine.config import DictAction

from fpd_mmpose.cli import main
from fpd_mmpose.cli.training import stock_arguments
from fpd_mmpose.cli.training import test as add_options
from fpd_mmpose.models.tta import SCALES
from tests.helpers.reduced import reduced_config, run
from tests.helpers.refusals import exit_line

STOCK = ['config.py', 'x.pth', '--dump', 'x.pkl', '--cfg-options', 'a.b=-1', 'c=[1,2]']


def translated(arguments: list[str]) -> list[str]:
    parser = argparse.ArgumentParser()
    add_options(parser)
    return stock_arguments(parser, parser.parse_args(arguments), 'config.py')


def options_of(arguments: list[str]) -> dict:
    """The config options as MMPose's script reads them."""
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    return parser.parse_known_args(arguments)[0].cfg_options


def test_without_the_option_only_the_users_options_pass():
    arguments = translated(STOCK)
    assert arguments[:3] == ['config.py', 'x.pth', '--dump=x.pkl']
    assert options_of(arguments) == {'a.b': -1, 'c': [1, 2]}


@pytest.mark.parametrize(
    ('typed', 'scales'),
    [
        ([], SCALES),
        (['1'], (1.0,)),
        (['0.75', '1', '1.5'], (0.75, 1.0, 1.5)),
    ],
)
def test_the_option_becomes_a_hook_beside_the_users_options(typed, scales):
    arguments = translated([*STOCK, '--multi-scale', *typed])
    assert arguments[:3] == ['config.py', 'x.pth', '--dump=x.pkl']
    assert options_of(arguments) == {
        'a.b': -1,
        'c': [1, 2],
        'default_hooks.multi_scale_search.type': 'MultiScaleSearchHook',
        'default_hooks.multi_scale_search.scales': list(scales),
    }


def test_other_options_end_the_scales():
    arguments = ['config.py', 'x.pth', '--multi-scale', '1', '--launcher', 'pytorch']
    assert translated(arguments)[:3] == ['config.py', 'x.pth', '--launcher=pytorch']


@pytest.mark.parametrize('typed', ['0', '-0.5', 'nan'])
def test_a_scale_that_is_not_positive_is_one_line(typed):
    line = exit_line(
        main,
        ['test', 'hourglass/hg4_128_mpii.py', 'x.pth', '--multi-scale', '1', typed],
    )
    assert line.startswith('error: the scales') and str(float(typed)) in line


def test_a_scale_that_is_no_number_is_a_usage_error(capsys):
    with pytest.raises(SystemExit):
        main(['test', '--multi-scale', '1', 'config.py', 'x.pth'])
    assert "--multi-scale: invalid float value: 'config.py'" in capsys.readouterr().err


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
    main([
        'test', 'tiny.py', checkpoint, '--multi-scale', '0.9', '1.1',
        '--out', 'metrics.json', '--dump', 'samples.pkl', '--show-dir', 'pictures',
        '--cfg-options', 'test_dataloader.batch_size=3', 'experiment_name=searched',
    ])  # fmt: skip
    printed = capsys.readouterr()
    assert 'multi-scale search at 0.9, 1.1' in printed.out + printed.err
    assert 'PCKh/Mean' in json.loads((tmp_path / 'metrics.json').read_text())
    assert (tmp_path / 'samples.pkl').stat().st_size
    work_dir = tmp_path / 'work_dirs' / 'tiny'
    assert 'MultiScaleSearchHook' in (work_dir / 'tiny.py').read_text()
    assert len(list(work_dir.rglob('pictures/*.jpg'))) == 6

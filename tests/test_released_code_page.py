"""What replaces the scripts and settings of the released code exists here."""

import re
from typing import Any

import pytest
from mmengine.config import Config

from fpd_mmpose.cli import command_parser
from fpd_mmpose.config import load_config
from tests.helpers import ROOT
from tests.test_docs import parsed_by

PAGE = (ROOT / 'docs/howto/released_code.md').read_text()


@pytest.mark.parametrize(
    'command',
    re.findall(r'\| `((?:fpd train|tools/dist_train.sh) configs/.*?)` \|', PAGE),
)
def test_what_replaces_a_released_script_is_accepted(command):
    name, arguments = parsed_by(command.split())
    parser, _ = command_parser(name)
    load_config(parser.parse_args(arguments).config)


def test_what_replaces_a_released_setting_is_a_config_field():
    parts = (
        'model|codec|optim_wrapper|param_scheduler|train_cfg|default_hooks|visualizer'
    )
    parts += '|load_from|(?:train|val|test)_(?:dataloader|evaluator)'
    named = set(re.findall(rf'`((?:{parts})(?:\.\w+)*)[=`]', PAGE))
    assert len(named) > 25
    configs = [
        load_config(f'configs/{name}.py')
        for name in (
            'fpd/hg4_128_fpd_mpii',
            'hrnet/hrnet_w32_coco_256x192',
            'resnet/res50_mpii',
        )
    ]
    # Fields with a default that no config states.
    unset = {'test_evaluator.pred_file', 'test_evaluator.outfile_prefix'}
    unset |= {'model.backbone.num_blocks'}
    for name in named - unset:
        assert any(has_field(config, name.split('.')) for config in configs), name


def has_field(config: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(config, dict | Config) or part not in config:
            return False
        config = config[part]
    return True

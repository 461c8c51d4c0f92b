"""What the pages of the docs show is there."""

import argparse
import re
import shlex
from pathlib import Path

import pytest
from mmengine.config import DictAction

from fpd_mmpose.config import load_config
from tests.helpers import ROOT

PAGES = sorted((ROOT / 'docs').glob('*.md'))
#: Options of MMPose's own scripts, which ours take too.
STOCK = {
    '--cfg-options',
    '--work-dir',
    '--show-dir',
    '--amp',
    '--resume',
    '--out',
    '--auto-scale-lr',
}


def commands(page: Path) -> list[list[str]]:
    """The command lines of a page, as a shell would split them."""
    blocks = re.findall(r'```bash\n(.*?)```', page.read_text(), re.S)
    lines = '\n'.join(blocks).replace('\\\n', ' ').splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


COMMANDS = [
    pytest.param(command, id=' '.join(command)[:60])
    for page in PAGES
    for command in commands(page)
]


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_every_file_of_the_project_that_a_page_names_exists(page):
    text = page.read_text()
    named = re.findall(
        r'(?<![\w./-])(?:configs|tools|demo|fpd_mmpose)/[\w./-]+\.(?:py|sh)', text
    )
    assert named
    for path in named:
        assert (ROOT / path).is_file(), path
    for picture in re.findall(r'!\[.*?\]\((.*?)\)', text):
        assert (page.parent / picture).is_file(), picture
    for other in re.findall(r'\]\(([\w./-]+\.md)', text):
        assert (page.parent / other).is_file(), other


@pytest.mark.parametrize('command', COMMANDS)
def test_the_options_of_a_command_are_those_of_its_tool(command):
    tools = [word for word in command if re.match(r'tools/|demo/', word)]
    if not tools:
        pytest.skip('not a command of the project')
    source = (ROOT / tools[0]).read_text()
    package = ''.join(
        path.read_text()
        for folder in ('fpd_mmpose', 'demo')
        for path in (ROOT / folder).rglob('*option*.py')
    )
    for option in (word for word in command if word.startswith('--')):
        assert option in STOCK or option in source + package, option


@pytest.mark.parametrize('command', COMMANDS)
def test_settings_of_a_command_are_those_of_its_config(command):
    configs = [word for word in command if re.match(r'configs/.*\.py$', word)]
    if not configs or '--cfg-options' not in command:
        pytest.skip('no settings')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options, _ = parser.parse_known_args(command)
    config = load_config(configs[0])
    for name in options.cfg_options:
        parent = config
        for part in name.split('.')[:-1]:
            assert part in parent, name
            parent = parent[part]
    config.merge_from_dict(options.cfg_options)

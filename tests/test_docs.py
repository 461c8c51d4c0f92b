"""What the pages of the docs show exists, and is accepted by the code."""

import argparse
import ast
import inspect
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mmengine.config import DictAction
from mmengine.registry import VISBACKENDS, WEIGHT_INITIALIZERS
from mmpose.registry import (
    DATA_SAMPLERS,
    DATASETS,
    HOOKS,
    KEYPOINT_CODECS,
    METRICS,
    MODELS,
    TRANSFORMS,
)

import fpd_mmpose
from fpd_mmpose.cli import command_parser
from fpd_mmpose.config import load_config
from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.teachers.live import LiveTeacher
from fpd_mmpose.teachers.speed.fast_network import SpeedPlan
from tests.helpers import ROOT
from update_command_page import SCRIPTS, command_page

SITE = sorted((ROOT / 'docs').rglob('*.md'))
PAGES = [*SITE, ROOT / 'README.md', ROOT / 'CONTRIBUTING.md']
REGISTRIES = (
    MODELS,
    KEYPOINT_CODECS,
    DATASETS,
    DATA_SAMPLERS,
    TRANSFORMS,
    METRICS,
    HOOKS,
    WEIGHT_INITIALIZERS,
    VISBACKENDS,
)
#: Arguments of the shell scripts in front of those of the Python script they start,
#: and the positions among them of the arguments that they pass on.
LAUNCHERS = {
    'tools/dist_train.sh': ('train', 2, [0]),
    'tools/dist_test.sh': ('test', 3, [0, 1]),
    'tools/slurm_train.sh': ('train', 4, [2]),
    'tools/slurm_test.sh': ('test', 4, [2, 3]),
}
#: Fields that a dataloader passes to its batch sampler.
PASSED_ON = {'sampler', 'batch_size'}


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf'```{language}\n(.*?)```', page.read_text(), re.S)


def commands(page: Path) -> list[list[str]]:
    """The command lines of a page, as a shell would split them."""
    lines = '\n'.join(blocks(page, 'bash')).replace('\\\n', ' ').splitlines()
    return [shlex.split(line, comments=True) for line in lines if line.strip()]


COMMANDS = [
    pytest.param(command, id=' '.join(command)[:60])
    for page in PAGES
    for command in commands(page)
]


def registered(name: str) -> Any:
    (found,) = [each for r in REGISTRIES if (each := r.get(name))][:1]
    return found


def fields(component: type) -> set[str]:
    """The arguments of a component, with those it passes on to its base classes."""
    found: set[str] = set()
    for each in inspect.getmro(component):
        if '__init__' in vars(each):
            parameters = inspect.signature(each.__init__).parameters.values()
            found |= {p.name for p in parameters}
            if not any(p.kind == p.VAR_KEYWORD for p in parameters):
                break
    return found - {'self'}


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_every_file_that_a_page_names_exists(page):
    text = page.read_text()
    named = re.findall(
        r'(?<![\w./-])(?:configs|tools|demo|dev|fpd_mmpose|tests)/[\w./-]+'
        r'\.(?:py|sh|md)',
        text,
    )
    for path in named:
        assert (ROOT / path).is_file(), path
    for image in re.findall(r'!\[.*?\]\((.*?)\)', text):
        assert (page.parent / image).is_file(), image


def test_the_pages_name_files():
    names = re.compile(r'configs/|tools/|demo/|dev/')
    assert sum(bool(names.search(page.read_text())) for page in PAGES) > 10


def slugs(page: Path) -> set[str]:
    """The anchors of a page's headings."""
    headings = re.findall(r'^#+ (.*)$', page.read_text(), re.M)
    return {
        re.sub(r'[\s-]+', '-', re.sub(r'[^\w\s-]', '', heading).strip().lower())
        for heading in headings
    }


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_links_between_files_resolve(page):
    links = re.findall(r'(?<!!)\[[^\]]*\]\(([^)\s]+)\)', page.read_text())
    for link in links:
        if '://' in link:
            continue
        path, _, anchor = link.partition('#')
        target = page.parent / path if path else page
        assert target.is_file(), link
        assert not anchor or anchor in slugs(target), link


def test_every_page_is_in_the_navigation():
    navigation = (ROOT / 'mkdocs.yml').read_text().partition('\nnav:')[2]
    listed = re.findall(r': (\S+\.md)$', navigation, re.M)
    assert sorted(listed) == [p.relative_to(ROOT / 'docs').as_posix() for p in SITE]


def parsed_by(command: list[str]) -> tuple[str, list[str]] | None:
    """Returns the command of `fpd` that a line runs, and its arguments."""
    for position, word in enumerate(command):
        rest = command[position + 1 :]
        if word == 'fpd':
            return rest[0], rest[1:]
        if word in LAUNCHERS:
            name, count, passed_on = LAUNCHERS[word]
            assert len(rest) >= count, command
            return name, [*(rest[at] for at in passed_on), *rest[count:]]
        for name, script in SCRIPTS.items():
            if word == script:
                return name, rest
    return None


@pytest.mark.parametrize('command', COMMANDS)
def test_a_command_is_accepted_by_its_parser(command):
    found = parsed_by(command)
    if found is None:
        pytest.skip('not a command of fpd')
    name, arguments = found
    parser, _ = command_parser(name)
    parser.parse_args(arguments)


@pytest.mark.parametrize('command', COMMANDS)
def test_the_options_of_a_script_are_its_own(command):
    scripts = [word for word in command if re.match(r'(tools|demo|dev|tests)/', word)]
    if not scripts or parsed_by(command) or 'pytest' in command:
        pytest.skip('not another script of the project')
    source = (ROOT / scripts[0]).read_text()
    for start, shared in (
        ('demo/', 'demo/demo_options.py'),
        ('demo/', 'fpd_mmpose/cli/shared_options.py'),
    ):
        if scripts[0].startswith(start):
            source += (ROOT / shared).read_text()
    for option in (word for word in command if word.startswith('--')):
        assert f"'{option}'" in source or f'{option} ' in source, option


@pytest.mark.parametrize('command', COMMANDS)
def test_settings_of_a_command_are_those_of_its_config(command):
    configs = [word for word in command if re.match(r'configs/.*\.py$', word)]
    if not configs or '--cfg-options' not in command:
        pytest.skip('no settings')
    parser = argparse.ArgumentParser()
    parser.add_argument('--cfg-options', nargs='+', action=DictAction)
    options, _ = parser.parse_known_args(command)
    config = load_config(configs[0])
    added = [name for name in options.cfg_options if name.endswith('.type')]
    for name in options.cfg_options:
        parent, parts = config, name.split('.')[:-1]
        # A component of its own may be new.
        for part in parts[: -1 if '.'.join([*parts, 'type']) in added else None]:
            assert part in parent, name
            parent = parent[part]
    config.merge_from_dict(options.cfg_options)


# --- Python and config fields ------------------------------------------------------


def calls(page: Path) -> Iterator[ast.Call]:
    for block in blocks(page, 'python'):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.Call):
                yield node


def function_of(call: ast.Call) -> Callable | None:
    """Returns the function of this package that a call on a page is for."""
    name = ast.unparse(call.func)
    if name.startswith('fpd_mmpose.') and '.' not in name[11:]:
        return getattr(fpd_mmpose, name[11:])
    return {'PoseSession': PoseSession}.get(name)


@pytest.mark.parametrize('page', PAGES, ids=name_of)
def test_calls_and_configs_in_python_match_the_signatures(page):
    for call in calls(page):
        given = [keyword.arg for keyword in call.keywords if keyword.arg]
        if function := function_of(call):
            values = dict.fromkeys(given)
            inspect.signature(function).bind(*call.args, **values)
        keywords = {k.arg: k.value for k in call.keywords}
        kind = keywords.get('type')
        # The keypoints of a skeleton have a type, too.
        if isinstance(kind, ast.Constant) and 'swap' not in given:
            component = registered(kind.value)
            extra = set(given) - {'type', '_delete_'} - fields(component)
            assert not extra, ast.unparse(call)
        for name, component in (('teacher', LiveTeacher), ('speed', SpeedPlan)):
            value = keywords.get(name)
            if isinstance(value, ast.Call) and ast.unparse(value.func) == 'dict':
                assert {k.arg for k in value.keywords} <= fields(component) | {'cache'}


def test_the_api_page_has_every_public_name():
    page = (ROOT / 'docs/reference/api.md').read_text()
    shown = re.findall(r'^::: fpd_mmpose\.(\w+)$', page, re.M)
    assert sorted(shown) == sorted(set(fpd_mmpose.__all__) - {'__version__'})


def field_tables() -> dict[str, dict[str, str]]:
    """The fields and defaults of each component in docs/reference/config.md."""
    tables: dict[str, dict[str, str]] = {}
    for line in (ROOT / 'docs/reference/config.md').read_text().splitlines():
        if match := re.match(r'## (.*)', line) or re.match(r'`(\w+)` ', line):
            section = match[1]
        if match := re.match(r'\| `(\w+)` \|(.*?)\| \S', line):
            tables.setdefault(section, {})[match[1]] = match[2].strip(' `')
    return tables


TABLES = field_tables()


def test_there_are_tables_of_config_fields():
    assert {'FPDDistiller', 'Teacher', 'HeatmapDistillLoss'} < set(TABLES)
    assert {'UnlabeledPoseDataset', 'CheckpointHook'} < set(TABLES)


@pytest.mark.parametrize('name', TABLES)
def test_config_fields_and_defaults_are_those_of_the_component(name):
    special = {'Teacher': LiveTeacher, 'Teacher speed': SpeedPlan}
    component = special.get(name) or registered(name)
    parameters = {
        p.name: '' if p.default is p.empty else p.default
        for p in inspect.signature(component).parameters.values()
        if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL) and p.name not in PASSED_ON
    }
    if name == 'Teacher':
        parameters['cache'] = ''
    shown = {
        field: eval(default, {}) if default else ''
        for field, default in TABLES[name].items()
    }
    assert shown == parameters


def test_the_page_of_commands_is_up_to_date():
    page = (ROOT / 'docs/reference/command.md').read_text()
    assert page == command_page(), 'run dev/update_command_page.py'


def test_scripts_of_commands_run_them():
    for name, script in SCRIPTS.items():
        source = (ROOT / script).read_text()
        assert f"command='{name}'" in source or f'fpd_mmpose.{name}' in source

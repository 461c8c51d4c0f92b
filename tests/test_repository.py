"""Files for contributors agree with the package."""

import ast
import re
from collections.abc import Iterator

import pytest
import yaml

from fpd_mmpose.version import OLDEST, __version__
from tests.helpers import ROOT


def test_pre_commit_formats_with_the_locked_ruff():
    hooks = yaml.safe_load((ROOT / '.pre-commit-config.yaml').read_text())
    revisions = {repo['repo'].split('/')[-1]: repo['rev'] for repo in hooks['repos']}
    lock = (ROOT / 'requirements/lock.txt').read_text()
    (locked,) = re.findall(r'^ruff==(\S+)', lock, re.M)
    assert revisions['ruff-pre-commit'] == f'v{locked}'


def test_the_workflow_runs_both_commands_of_the_readme_on_every_python():
    text = (ROOT / '.github/workflows/test.yml').read_text()
    job = yaml.safe_load(text)['jobs']['readme']
    commands = [step['run'] for step in job['steps'] if 'run' in step]
    assert commands == ['bash tools/quickstart.sh', 'bash .ci/run']
    classifiers = (ROOT / 'pyproject.toml').read_text()
    pythons = re.findall(r'Python :: (3\.\d+)"', classifiers)
    assert job['strategy']['matrix']['python'] == pythons


def test_the_readme_states_the_supported_versions():
    readme = (ROOT / 'README.md').read_text()
    assert f'torch >= {OLDEST["torch"]}' in readme
    assert 'Python 3.10 to 3.14' in readme
    setup = (ROOT / 'tools/setup_env.sh').read_text()
    assert '3.10 | 3.11 | 3.12 | 3.13 | 3.14)' in setup


def test_the_citation_has_the_version_of_the_package():
    citation = yaml.safe_load((ROOT / 'CITATION.cff').read_text())
    assert citation['version'] == __version__


def test_issue_forms_are_complete():
    forms = list((ROOT / '.github/ISSUE_TEMPLATE').glob('*.yml'))
    assert len(forms) == 2
    for form in forms:
        content = yaml.safe_load(form.read_text())
        assert content['name'] and content['description']
        for part in content['body']:
            assert part['type'] == 'textarea' and part['attributes']['label']


def test_the_changelog_has_known_sections_once():
    text = (ROOT / 'CHANGELOG.md').read_text()
    sections = re.findall(r'^### (.*)$', text.partition('## [Unreleased]')[2], re.M)
    assert sections == ['Added', 'Changed', 'Fixed', 'Security']


#: Functions of this name that open no text.
OTHER_OPENS = ('Image.open', 'os.open', 'tarfile.open')


def calls_without_encoding(tree: ast.AST) -> Iterator[int]:
    """The lines that read or write text without naming its encoding."""
    positions = dict(open=2, read_text=0, write_text=1)  # of the encoding in a method
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, 'attr', getattr(node.func, 'id', ''))
        named = {word.arg for word in node.keywords}
        parts = [part for arg in node.args for part in ast.walk(arg)]
        is_binary = any('b' in str(getattr(part, 'value', '')) for part in parts)
        if name in positions and ast.unparse(node.func) not in OTHER_OPENS:
            has = 'encoding' in named or len(node.args) > positions[name]
            if not has and not (name == 'open' and is_binary):
                yield node.lineno
        elif name in ('run', 'Popen', 'check_output') and 'text' in named:
            yield node.lineno


@pytest.mark.parametrize('code', ['p.read_text()', 'open(p)', 'p.open("w")'])
def test_a_missing_encoding_is_found(code):
    assert list(calls_without_encoding(ast.parse(code))) == [1]


@pytest.mark.parametrize('folder', ['fpd_mmpose', 'tools', 'demo', 'dev'])
def test_text_has_a_named_encoding(folder):
    """Otherwise it depends on the machine."""
    found = [
        f'{path.relative_to(ROOT)}:{line}'
        for path in sorted((ROOT / folder).rglob('*.py'))
        for line in calls_without_encoding(ast.parse(path.read_text('utf-8')))
    ]
    assert not found


@pytest.mark.parametrize('page', ['SECURITY.md', 'docs/background/reliability.md'])
def test_the_tests_that_show_what_is_promised_exist(page):
    named = re.findall(r'`(tests/[^`]+)`', (ROOT / page).read_text())
    assert len(named) > 10 and all((ROOT / name).is_file() for name in named)

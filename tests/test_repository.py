"""Files for contributors agree with the package."""

import re

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
    assert 'Python 3.10 to 3.13' in readme
    setup = (ROOT / 'tools/setup_env.sh').read_text()
    assert '3.10 | 3.11 | 3.12 | 3.13)' in setup


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

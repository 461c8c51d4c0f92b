"""The source distribution, the wheel, their metadata, and the lock."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.helpers import ROOT

SOURCES = ('fpd_mmpose', 'configs', 'demo', 'tools')
METADATA = ('pyproject.toml', 'setup.py', 'README.md', 'LICENSE', 'model-index.yml')


def run_python(code: str, *args: object, cwd: Path, **env: str) -> str:
    """Runs Python code in its own process and returns what it printed."""
    done = subprocess.run(
        [sys.executable, '-c', code, *map(str, args)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def build(kind: str, source: Path, target: Path) -> Path:
    """Builds an `sdist` or `wheel` with the installed setuptools, offline."""
    code = (
        'import sys; from setuptools import build_meta\n'
        f'print(build_meta.build_{kind}(sys.argv[1]))'
    )
    return target / run_python(code, target, cwd=source).splitlines()[-1]


@pytest.fixture(scope='module')
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the source distribution as pip does."""
    work = tmp_path_factory.mktemp('build')
    source = work / 'source'
    for name in SOURCES:
        ignore = shutil.ignore_patterns('__pycache__')
        shutil.copytree(ROOT / name, source / name, ignore=ignore)
    for name in METADATA:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, source)
    with tarfile.open(build('sdist', source, work)) as archive:
        archive.extraction_filter = getattr(tarfile, 'data_filter', None)
        archive.extractall(work / 'unpacked')
    (unpacked,) = (work / 'unpacked').iterdir()
    # Leftovers of an earlier build in the same folder must not get in.
    stale = unpacked / 'build/lib/fpd_mmpose/.mim/configs/stale.py'
    stale.parent.mkdir(parents=True)
    stale.touch()
    return build('wheel', unpacked, work)


@pytest.fixture(scope='module')
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel installed, which for a pure wheel means unpacked."""
    target = tmp_path_factory.mktemp('installed with spaces')
    zipfile.ZipFile(wheel).extractall(target)
    return target


def files(root: Path, *folders: str) -> set[str]:
    """Lists the files in some folders, relative to `root`."""
    return {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).rglob('*')
        if path.is_file() and '__pycache__' not in path.parts
    }


def test_wheel_holds_the_whole_package_configs_demos_and_tools(installed: Path):
    outside = files(ROOT, 'configs', 'demo', 'tools') - {
        f'tools/{name}.sh' for name in ('quickstart', 'run_tests', 'setup_env')
    }
    if (ROOT / 'model-index.yml').exists():
        outside.add('model-index.yml')
    expected = files(ROOT, 'fpd_mmpose')
    expected |= {f'fpd_mmpose/.mim/{name}' for name in outside}
    assert any(name.endswith('.py') for name in files(ROOT, 'configs'))
    assert files(installed, 'fpd_mmpose') == expected


def test_installed_package_is_found_with_its_configs(installed: Path, tmp_path: Path):
    code = (
        'import importlib.util, pathlib, sys\n'
        "spec = importlib.util.find_spec('fpd_mmpose')\n"
        'package = pathlib.Path(spec.submodule_search_locations[0])\n'
        "print(package, len(list(package.glob('.mim/configs/**/*.py'))))\n"
        "assert 'torch' not in sys.modules\n"
    )
    output = run_python(code, cwd=tmp_path, PYTHONPATH=str(installed))
    package, configs = output.rsplit(' ', 1)
    assert Path(package) == installed / 'fpd_mmpose'
    assert int(configs) == sum(1 for _ in (ROOT / 'configs').rglob('*.py'))


def test_the_wheel_alone_trains_exports_and_predicts(installed: Path, tmp_path: Path):
    code = """
from pathlib import Path
from fpd_mmpose import __file__ as package
from fpd_mmpose.cli import main
from fpd_mmpose.synthetic import write_dataset

print(package)
write_dataset('work_dirs/quickstart/data', 8, 4, 0)
config = 'quickstart/hg1_32_fpd_drawn.py'
main(['train', config, '--work-dir', 'run', '--cfg-options', 'train_cfg.max_iters=2',
      'train_dataloader.dataset.ann_file=annotations/mpii_train.json',
      'train_dataloader.batch_size=4', 'default_hooks.checkpoint.interval=2'])
main(['convert', 'run/iter_2.pth', 'student.pth'])
main(['export', 'quickstart/hg1_32_drawn.py', 'student.pth', 'student.onnx'])
(image, *_) = sorted(Path('work_dirs/quickstart/data/images').iterdir())
main(['predict', 'student.onnx', str(image)])
"""
    output = run_python(
        code, cwd=tmp_path, PYTHONPATH=str(installed), PYTHONWARNINGS='ignore'
    )
    assert str(installed) in output.splitlines()[0]
    assert '"keypoints"' in output
    assert (tmp_path / 'run/iter_2.pth').is_file()


def test_mim_finds_each_model_and_each_config_by_its_file_name(installed: Path):
    package = installed / 'fpd_mmpose'
    index = yaml.safe_load((package / '.mim/model-index.yml').read_text())
    metafiles = [(package / '.mim' / name).read_text() for name in index['Import']]
    models = [model for text in metafiles for model in yaml.safe_load(text)['Models']]
    assert len(models) > 20
    assert all((package / '.mim' / model['Config']).is_file() for model in models)
    for config in (ROOT / 'configs').rglob('*.py'):
        assert len([*package.rglob(config.name)]) == 1


def test_the_line_that_installs_it_without_a_clone(wheel: Path):
    """That the line works was tried; it follows what the package says of itself."""
    page = (ROOT / 'docs/index.md').read_text(encoding='utf-8')
    ((python, excluded, name),) = re.findall(
        r'^uv venv --python (\S+)\nprintf \'(\S+)\\n\' \| '
        r"uv pip install --excludes - './(\S+)\[stack\]'$",
        page,
        re.MULTILINE,
    )
    assert name == wheel.name
    project = (ROOT / 'pyproject.toml').read_text(encoding='utf-8')
    (packages,) = re.findall(r'^exclude-dependencies = (.*)$', project, re.MULTILINE)
    # Its wheels are for this Python.
    assert [*excluded.split(r'\n'), 'xtcocotools'] == ast.literal_eval(packages)
    assert python == '3.11'


@pytest.fixture(scope='module')
def metadata(installed: Path) -> importlib.metadata.Distribution:
    """The metadata of the installed wheel."""
    (found,) = importlib.metadata.distributions(path=[str(installed)])
    return found


def test_version_has_one_source(metadata: importlib.metadata.Distribution):
    text = (ROOT / 'fpd_mmpose/version.py').read_text()
    assert f"__version__ = '{metadata.version}'" in text
    assert metadata.metadata['License-Expression'] == 'Apache-2.0'


def test_package_brings_no_dependency_of_its_own(
    metadata: importlib.metadata.Distribution,
):
    required = [Requirement(text) for text in metadata.requires or []]
    assert required
    for requirement in required:
        assert 'extra ==' in str(requirement.marker), requirement


def test_the_command_fpd_is_installed(metadata: importlib.metadata.Distribution):
    (script,) = metadata.entry_points.select(group='console_scripts')
    assert (script.name, script.value) == ('fpd', 'fpd_mmpose.cli:main')


def test_type_checkers_read_the_annotations(installed: Path):
    assert (installed / 'fpd_mmpose/py.typed').is_file()


def locked() -> list[tuple[str, str, str]]:
    """Reads the lock's entries: name, version, and the lines of its hashes."""
    text = (ROOT / 'requirements/lock.txt').read_text()
    entries = re.findall(
        r'^([\w.-]+)==([^ \n]+)(?: ; [^\\\n]*)? \\\n((?:    --hash=.*\n)+)', text, re.M
    )
    # The file has nothing but these entries and comments.
    starts = [line for line in text.splitlines() if re.match(r'[^ #]', line)]
    assert len(entries) == len(starts) > 50
    return entries


def test_lock_has_hashes_and_no_addresses():
    for name, _, hashes in locked():
        assert 'sha256:' in hashes, name
    text = (ROOT / 'requirements/lock.txt').read_text()
    assert '://' not in text
    assert '--index' not in text and '--find-links' not in text


@pytest.mark.parametrize('extra', ['stack', 'dev'])
def test_lock_satisfies_the_extras(
    extra: str, metadata: importlib.metadata.Distribution
):
    versions: dict[str, list[str]] = {}
    for name, version, _ in locked():
        versions.setdefault(canonicalize_name(name), []).append(version)
    required = [Requirement(text) for text in metadata.requires or []]
    required = [r for r in required if r.marker.evaluate({'extra': extra})]
    assert required
    for requirement in required:
        found = versions[canonicalize_name(requirement.name)]
        assert all(version in requirement.specifier for version in found), requirement
    assert 'chumpy' not in versions

"""The shell scripts, with stand-ins for Python and uv on PATH."""

import os
import shutil
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers import ROOT

SCRIPTS = [*sorted((ROOT / 'tools').rglob('*.sh')), ROOT / '.ci/run']
COMMANDS = 'awk bash cat cksum cp cut df dirname flock head ln mkdir mktemp rm sed sort'

# A Python that answers the probe, makes environments and installs uv with pip.
PYTHON = r"""
echo "python{version} $*" >> "$LOG"
case "$1 ${{2:-}} ${{3:-}}" in
  '-V '*) echo "Python {version}.1" ;;
  '-c '*) echo "{version} $0" ;;
  '-m venv '*)
    [ -z "${{NO_VENV:-}}" ] || exit 1
    mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  '-W ignore -m') echo "$3 $4 $5: $OMP_WAIT_POLICY" ;;
  '-m pip --version') [ -z "${{NO_PIP:-}}" ] ;;
  '-m pip install')
    [ -z "${{NO_NETWORK:-}}" ] || exit 1
    mkdir -p .venv-tools/bin && cp "$STUB_UV" .venv-tools/bin/uv ;;
esac
"""
UV = r"""
[ "$1" = --version ] && { echo "uv ${STUB_UV_VERSION:-0.13.9} (2026-01-01)"; exit; }
echo "uv $* [${UV_CONFIG_FILE:-}${VIRTUAL_ENV:-}${PYTHONPATH:-}]" >> "$LOG"
echo "index=${UV_DEFAULT_INDEX:-}" >> "$LOG"
case "$1 $2" in
  venv*) rm -rf .venv && mkdir -p .venv/bin && cp "$5" .venv/bin/python ;;
  'pip sync') [ -z "${NO_NETWORK:-}" ] ;;
esac
"""
# What uv 0.13 says of a server that does not answer.
TIMED_OUT = """
echo 'Downloading torch (506.0MiB)'
echo 'error: Request failed after 3 retries in 240.1s' >&2
echo '  cause: Failed to fetch: http://mirror/simple/torch/' >&2
echo '  cause: operation timed out' >&2
exit 2"""


class Sandbox:
    """A copy of what the set-up reads, and a PATH with nothing real on it.

    Args:
        folder: An empty folder.
    """

    def __init__(self, folder: Path):
        self.repo = folder / 'a repository'
        self.bin = folder / 'bin'
        self.elsewhere = folder / 'elsewhere'
        self.log = folder / 'log'
        for path in (self.repo, self.bin, self.elsewhere):
            path.mkdir()
        for name in (
            'tools/setup_env.sh',
            'tools/link_xtcocotools.py',
            'tools/quickstart.sh',
            'requirements/lock.txt',
            'requirements/xtcocotools.txt',
            'fpd_mmpose/version.py',
            'pyproject.toml',
            'setup.py',
        ):
            (self.repo / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.repo / name)
        for command in COMMANDS.split():
            if found := shutil.which(command):
                (self.bin / command).symlink_to(found)
        self.log.touch()
        self.uv = self.stub('uv', UV, folder=folder)

    def stub(self, name: str, code: str, folder: Path | None = None) -> Path:
        """Put a script on PATH, or into another folder."""
        path = (folder or self.bin) / name
        path.write_text(f'#!{self.bin / "bash"}\n{code}')
        path.chmod(0o755)
        return path

    def python(self, name: str, version: str) -> Path:
        """Put a working Python of some version on PATH."""
        return self.stub(name, PYTHON.format(version=version))

    def setup(self, **env: str) -> tuple[int, str, list[str]]:
        """Run the set-up; return its exit code, output and the calls it made."""
        return self.run('setup_env.sh', **env)

    def run(self, *command: str, **env: str) -> tuple[int, str, list[str]]:
        """Run a script of ``tools/``, as :meth:`setup` does."""
        before = self.log.stat().st_size
        done = subprocess.run(
            [self.bin / 'bash', self.repo / 'tools' / command[0], *command[1:]],
            cwd=self.elsewhere,
            env={
                'PATH': str(self.bin),
                'HOME': str(self.elsewhere),
                'LOG': str(self.log),
                'STUB_UV': str(self.uv),
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        calls = self.log.read_text()[before:].splitlines()
        return done.returncode, done.stdout, calls


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """A sandbox without Python and uv."""
    return Sandbox(tmp_path)


def made(calls: list[str]) -> list[str]:
    """What uv was asked for: the first two words of each call."""
    words = [call.split() for call in calls if call.startswith('uv ')]
    return [' '.join(call[1:3]).replace(' --quiet', '') for call in words]


WHOLE = ['venv', 'pip sync', 'pip install', 'pip install']


@pytest.mark.parametrize('script', SCRIPTS, ids=lambda path: path.name)
def test_script_parses(script: Path):
    subprocess.run(['bash', '-n', script], check=True)


def test_setup_installs_once(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    code, output, calls = sandbox.setup()
    assert code == 0, output
    assert made(calls) == WHOLE
    assert any('--require-hashes requirements/lock.txt' in call for call in calls)
    code, output, calls = sandbox.setup()
    assert code == 0 and 'up to date' in output
    assert made(calls) == []


def test_changed_lock_updates_the_environment_in_place(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    sandbox.setup()
    (sandbox.repo / 'requirements/lock.txt').write_text('')
    assert made(sandbox.setup()[2]) == WHOLE[1:]
    assert made(sandbox.setup()[2]) == []


def test_interrupted_setup_is_made_anew(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    code, output, _ = sandbox.setup(NO_NETWORK='1')
    assert code == 1
    last = output.splitlines()[-1]
    assert last.startswith('setup_env: ') and 'run this again' in last
    assert made(sandbox.setup()[2]) == WHOLE


def test_what_could_not_be_downloaded_is_named(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV.replace("'pip sync')", f"'pip sync') {TIMED_OUT}"))
    code, output, _ = sandbox.setup(UV_HTTP_TIMEOUT='77')
    assert code == 1
    last = output.splitlines()[-1]
    assert 'stopped while installing the locked packages' in last
    assert '(Failed to fetch: http://mirror/simple/torch/)' in last
    assert 'UV_HTTP_TIMEOUT to more than 77 seconds' in last
    assert 'UV_DEFAULT_INDEX' in last and 'run this again' in last
    assert 'cause: operation timed out' in output


def test_a_slow_download_is_not_silent(sandbox: Sandbox):
    script = sandbox.repo / 'tools/setup_env.sh'
    script.write_text(script.read_text().replace(' every=30 ', ' every=1 '))
    sandbox.python('python3.11', '3.11')
    slow = "echo 'Downloading torch (506.0MiB)'; \"$SLEEP\" 2.5; echo ' + torch'"
    sandbox.stub('uv', UV.replace("'pip sync')", f"'pip sync') {slow} ;; x)"))
    code, output, _ = sandbox.setup(SLEEP=shutil.which('sleep'))
    assert code == 0, output
    waited = [line for line in output.splitlines() if 'still installing the' in line]
    assert len(waited) == 2
    assert all(line.endswith('said: Downloading torch (506.0MiB)') for line in waited)
    assert ' + torch' not in output


def test_a_server_that_never_answers(sandbox: Sandbox, tmp_path: Path):
    uv = shutil.which('uv') or ROOT / '.venv-tools/bin/uv'
    if not os.access(uv, os.X_OK):
        pytest.skip('there is no uv')
    (sandbox.bin / 'uv').symlink_to(uv)
    with socket.create_server(('127.0.0.1', 0)) as silent:
        index = f'http://127.0.0.1:{silent.getsockname()[1]}/simple'
        code, output, _ = sandbox.setup(
            FPD_PYTHON=sys._base_executable,
            UV_DEFAULT_INDEX=index,
            UV_HTTP_TIMEOUT='1',
            UV_HTTP_RETRIES='0',
            UV_CACHE_DIR=str(tmp_path / 'cache'),
        )
    last = output.splitlines()[-1]
    if 'no working Python' in last:
        pytest.skip(last)
    assert code == 1
    assert 'stopped while installing the locked packages (Failed to fetch: ' in last
    assert index in last


def test_moved_repository_and_other_python_are_made_anew(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    other = sandbox.python('other', '3.12')
    sandbox.stub('uv', UV)
    sandbox.setup()
    assert made(sandbox.setup(FPD_PYTHON=str(other))[2]) == WHOLE
    assert made(sandbox.setup()[2]) == []
    sandbox.repo = sandbox.repo.rename(sandbox.repo.with_name('moved'))
    assert made(sandbox.setup()[2]) == WHOLE


def test_environment_of_the_user_is_left_alone(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    (sandbox.repo / '.venv').mkdir()
    code, output, calls = sandbox.setup()
    assert code == 1 and 'not made by this script' in output
    assert made(calls) == []


def test_settings_of_the_caller_do_not_redirect(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    _, _, calls = sandbox.setup(
        UV_CONFIG_FILE='a', VIRTUAL_ENV='b', PYTHONPATH='c', UV_DEFAULT_INDEX='mirror'
    )
    assert made(calls) == WHOLE
    assert all(call.endswith('[]') for call in calls if call.startswith('uv '))
    assert 'index=mirror' in calls


def test_python_that_does_not_run_is_passed_over(sandbox: Sandbox):
    sandbox.stub('python3.12', 'echo "pyenv: python3.12: command not found"; exit 127')
    sandbox.python('python3.10', '3.10')
    sandbox.python('python3', '3.15')
    sandbox.stub('uv', UV)
    code, output, _ = sandbox.setup()
    assert code == 0 and 'Python 3.10.1' in output


@pytest.mark.parametrize('version', [None, '3.9', '3.15'])
def test_unsuitable_python_is_refused(sandbox: Sandbox, version: str | None):
    if version:
        sandbox.python('python3', version)
    code, output, _ = sandbox.setup()
    assert code == 1
    message = 'no working Python 3.10 to 3.14: put one on PATH'
    assert message in output.splitlines()[-1]
    assert not (sandbox.repo / '.venv').exists()


@pytest.mark.parametrize('version', [None, '0.9.7'])
@pytest.mark.parametrize('no_venv', ['', '1'])
def test_uv_is_fetched_where_missing_or_old(
    sandbox: Sandbox, version: str | None, no_venv: str
):
    sandbox.python('python3.11', '3.11')
    if version:
        sandbox.stub('uv', UV.replace('0.13.9', version))
    code, output, calls = sandbox.setup(NO_VENV=no_venv)
    assert code == 0, output
    (fetched,) = [call for call in calls if '-m pip install' in call]
    assert fetched.endswith(' uv>=0.9.8,<0.14')
    assert ('--target .venv-tools' in fetched) == bool(no_venv)
    assert made(calls) == WHOLE


def test_fetched_uv_is_used_again(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.setup()
    (sandbox.repo / 'requirements/lock.txt').write_text('')
    _, _, calls = sandbox.setup()
    assert made(calls) == WHOLE[1:]
    assert not [call for call in calls if '-m pip' in call]


@pytest.mark.parametrize(
    ('env', 'message'),
    [
        ({'NO_NETWORK': '1'}, 'uv could not be installed'),
        ({'NO_VENV': '1', 'NO_PIP': '1'}, 'has neither venv nor pip'),
    ],
)
def test_uv_that_cannot_be_fetched_is_explained(
    sandbox: Sandbox, env: dict[str, str], message: str
):
    sandbox.python('python3.11', '3.11')
    code, output, _ = sandbox.setup(**env)
    assert code == 1
    assert message in output.splitlines()[-1]


def test_two_setups_at_once_work_one_after_the_other(sandbox: Sandbox):
    if not shutil.which('flock'):
        pytest.skip('needs flock')
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV.replace('venv*)', 'venv*) "$SLEEP" 0.5;'))
    with ThreadPoolExecutor() as pool:
        sleep = shutil.which('sleep')
        runs = [pool.submit(sandbox.setup, SLEEP=sleep) for _ in range(2)]
    assert [run.result()[0] for run in runs] == [0, 0]
    assert made(sandbox.log.read_text().splitlines()) == WHOLE


def test_threads_of_the_quick_start_sleep_while_they_wait(sandbox: Sandbox):
    sandbox.python('python3.11', '3.11')
    sandbox.stub('uv', UV)
    code, output, _ = sandbox.run('quickstart.sh', '--seed=3')
    assert code == 0, output
    last = output.splitlines()[-1]
    assert last == '-m fpd_mmpose.quickstart --seed=3: PASSIVE'
    _, output, _ = sandbox.run('quickstart.sh', OMP_WAIT_POLICY='ACTIVE')
    assert output.splitlines()[-1].endswith(': ACTIVE')

#!/usr/bin/env python
"""Tries this project in other environments, and writes the result to the docs.

Each environment is made with uv in a folder of its own; a few commands are run with
drawn people, and with --suite the tests. A row that --folder already has is not tried
again, unless --again makes it anew. The docs keep what they say of other rows.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
from pathlib import Path

from environments.page import write_page
from environments.rows import ROWS, Environment

ROOT = Path(__file__).resolve().parents[1]
STEPS = ROOT / 'dev/environments/steps.sh'
#: What the page shows.
PUBLISHED = ROOT / 'dev/environments/results.json'
# A wheel for another Python, whose compiled code tools/link_xtcocotools.py replaces.
XTCOCOTOOLS = '--no-config --no-deps --python-version 3.11 xtcocotools'
COMPILED = '--no-deps --no-build-isolation --no-binary mmcv'
PACKAGES = (
    *('torch', 'numpy', 'opencv-python', 'setuptools', 'onnxruntime'),
    *('mmengine', 'mmcv', 'mmcv-lite', 'mmdet', 'mmpose'),
    *('onedl-mmengine', 'onedl-mmcv', 'onedl-mmdetection'),
)


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('rows', nargs='*', help=f'{", ".join(ROWS)} (all)')
    parser.add_argument('--folder', type=Path, default=ROOT / 'work_dirs/environments')
    parser.add_argument('--suite', action='store_true', help='run the tests as well')
    parser.add_argument('--again', action='store_true', help='forget what is known')
    args = parser.parse_args(argv)
    if unknown := set(args.rows) - set(ROWS):
        parser.error(f'there is no row {", ".join(unknown)}')
    args.folder.mkdir(parents=True, exist_ok=True)
    known = args.folder / 'results.json'
    results = _read(known)
    published = _read(PUBLISHED)
    for name in args.rows or [name for name, row in ROWS.items() if not row.compiled]:
        done = results.get(name)
        if done and not args.again and (done['suite'] or not args.suite):
            continue
        if _python(ROWS[name].python) is None:
            print(f'{name}: there is no Python {ROWS[name].python} on PATH')
            continue
        folder = args.folder / name
        if args.again or not done or not (folder / 'made').is_file():
            shutil.rmtree(folder, ignore_errors=True)
        results[name] = try_row(ROWS[name], folder, args.suite)
        published[name] = results[name]
        _write(known, results)
        _write(PUBLISHED, published)
        print(name, json.dumps(results[name]))
    write_page(published, ROOT / 'docs/background/environments.md')


def _read(path: Path) -> dict[str, dict]:
    return json.loads(path.read_text('utf-8')) if path.is_file() else {}


def _write(path: Path, results: dict[str, dict]) -> None:
    path.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')


def try_row(row: Environment, folder: Path, suite: bool) -> dict:
    """Runs the steps in an environment, which is made first, and returns what happened.

    One that stands gets the current commit.
    """
    result: dict = dict(
        date=str(datetime.date.today()), versions={}, steps=[], suite=''
    )
    clone, made, log = folder / 'clone', folder / 'made', folder / 'install.log'
    if made.is_file():
        update = ['git', '-C', clone, 'pull', '--quiet', '--ff-only']
        subprocess.run(update, check=True)
        shutil.rmtree(folder / 'steps', ignore_errors=True)
    else:
        subprocess.run(['git', 'clone', '--quiet', ROOT, clone], check=True)
    # The lock may have changed since; what has not costs the script no time.
    if row.is_locked or not made.is_file():
        with log.open('w', encoding='utf-8') as output:
            make = _locked if row.is_locked else _made
            if not make(row, folder, output):
                last = log.read_text('utf-8').strip().splitlines()[-1]
                result['steps'] = [f'FAILED install: {last}']
                return result
        made.touch()
    python = clone / '.venv/bin/python'
    result['versions'] = _versions(python)
    settings = {**os.environ, **row.settings}
    done = subprocess.run(
        ['bash', clone / 'dev/environments/steps.sh', python, folder / 'steps'],
        env=settings,
        stdout=subprocess.PIPE,
        encoding='utf-8',
    )
    result['steps'] = done.stdout.splitlines()
    if suite:
        tests = ['-m', 'pytest', '-q', '-n', 'auto', '--dist', 'worksteal']
        done = subprocess.run(
            [python, *tests],
            cwd=clone,
            env={**settings, 'MPLBACKEND': 'Agg', 'OMP_NUM_THREADS': '1'},
            stdout=subprocess.PIPE,
            encoding='utf-8',
        )
        (folder / 'suite.log').write_text(done.stdout, encoding='utf-8')
        result['suite'] = done.stdout.strip().splitlines()[-1].strip('= ')
    return result


def _uv() -> str:
    # The second is where tools/setup_env.sh puts it.
    return shutil.which('uv') or str(ROOT / '.venv-tools/bin/uv')


def _locked(row: Environment, folder: Path, output: object) -> bool:
    env = {**os.environ, 'FPD_PYTHON': _python(row.python)}
    script = folder / 'clone/tools/setup_env.sh'
    done = subprocess.run(['bash', script], env=env, stdout=output, stderr=output)
    return done.returncode == 0


def _made(row: Environment, folder: Path, output: object) -> bool:
    """Installs packages as a user would, but for what cannot be built."""
    uv, place = _uv(), folder / 'clone/.venv'
    install = [uv, 'pip', 'install', '--python', place / 'bin/python']
    # In the clone, whose settings of uv leave out what nothing here imports.
    commands = (
        [uv, 'venv', '--python', _python(row.python), place],
        [*install, *row.packages, 'pytest', 'pytest-xdist', 'pycocotools>=2.0.8'],
        [*install, *XTCOCOTOOLS.split()],
        [place / 'bin/python', 'tools/link_xtcocotools.py'],
        [*install, '--no-deps', '--editable', '.'],
        *([*install, *COMPILED.split(), package] for package in row.compiled),
    )
    settings: dict = dict(cwd=folder / 'clone', stdout=output, stderr=output)
    settings['env'] = {**os.environ, 'MMCV_WITH_OPS': '1', 'FORCE_CUDA': '0'}
    return all(subprocess.run(each, **settings).returncode == 0 for each in commands)


def _python(version: str) -> str | None:
    found = shutil.which(f'python{version}')
    if found and subprocess.run([found, '-V'], capture_output=True).returncode == 0:
        return found
    candidates = sorted(Path.home().glob(f'.pyenv/versions/{version}.*/bin/python'))
    return str(candidates[-1]) if candidates else None


def _versions(python: Path) -> dict[str, str]:
    code = (
        'import importlib.metadata as m, json, platform, sys\n'
        'found = {"python": platform.python_version()}\n'
        'for name in sys.argv[1:]:\n'
        '    try: found[name] = m.version(name)\n'
        '    except m.PackageNotFoundError: pass\n'
        'print(json.dumps(found))'
    )
    done = subprocess.run(
        [python, '-c', code, *PACKAGES],
        stdout=subprocess.PIPE,
        encoding='utf-8',
        check=True,
    )
    return json.loads(done.stdout)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Tries this project in other environments, and writes the result to the docs.

Each environment is made with uv in a folder of its own; a few commands are run with
drawn people, and with --suite the tests. What is known is kept, and tried again with
--again.
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
# A wheel for another Python; fpd_mmpose.compat replaces the compiled code in it.
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
    results = json.loads(known.read_text(encoding='utf-8')) if known.is_file() else {}
    for name in args.rows or [name for name, row in ROWS.items() if not row.compiled]:
        done = results.get(name)
        if done and not args.again and (done['suite'] or not args.suite):
            continue
        if _python(ROWS[name].python) is None:
            print(f'{name}: there is no Python {ROWS[name].python} on PATH')
            continue
        results[name] = try_row(ROWS[name], args.folder / name, args.suite)
        known.write_text(json.dumps(results, indent=1) + '\n', encoding='utf-8')
        print(name, json.dumps(results[name]))
    write_page(results, ROOT / 'docs/background/environments.md')


def try_row(row: Environment, folder: Path, suite: bool) -> dict:
    """Makes an environment, runs the steps in it, and returns what happened."""
    result: dict = dict(
        date=str(datetime.date.today()), versions={}, steps=[], suite=''
    )
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(['git', 'clone', '--quiet', ROOT, folder / 'clone'], check=True)
    log = folder / 'install.log'
    with log.open('w', encoding='utf-8') as output:
        made = (
            _locked(row, folder, output)
            if row.is_locked
            else _made(row, folder, output)
        )
    if not made:
        result['steps'] = [
            f'FAILED install: {log.read_text("utf-8").strip().splitlines()[-1]}'
        ]
        return result
    python = folder / 'clone/.venv/bin/python'
    result['versions'] = _versions(python)
    done = subprocess.run(
        ['bash', folder / 'clone/dev/environments/steps.sh', python, folder / 'steps'],
        stdout=subprocess.PIPE,
        encoding='utf-8',
    )
    result['steps'] = done.stdout.splitlines()
    if suite:
        tests = ['-m', 'pytest', '-q', '-n', 'auto', '--dist', 'worksteal']
        done = subprocess.run(
            [python, *tests],
            cwd=folder / 'clone',
            env={**os.environ, 'MPLBACKEND': 'Agg', 'OMP_NUM_THREADS': '1'},
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

#!/usr/bin/env python
"""Runs everything that needs a GPU, part by part, and collects the results.

A part that fails or exceeds its time limit is reported, and the next one starts. After
each part, OUT/results.tar.gz has all reports, logs, and charts so far. After the last,
the weights are put beside it, as --return-files and --return-bytes allow: the distilled
student first, then the plain one and the teacher (in pieces). Exit status 1 if a part
did not pass.
"""

import argparse
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(Path(__file__).parent)]

import results  # noqa: E402

from fpd_mmpose.files import write_json  # noqa: E402

PYTHON = [sys.executable, '-W', 'ignore']
TESTS = ('tests/models/distillers', 'tests/teachers/cache')
#: Seconds that a late part has to stop before it is killed.
GRACE = 5


@dataclass(frozen=True)
class Part:
    """A part of the run: commands with their environments, and a limit in seconds."""

    name: str
    seconds: int
    commands: list[tuple[list[str], dict[str, str]]]


@dataclass(frozen=True)
class Outcome:
    """How a part ended."""

    name: str
    state: str
    seconds: float


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--carried', type=Path, help='folder with people.zip')
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument(
        '--work', type=Path, help='folder for everything else (default: temporary)'
    )
    parser.add_argument('--parts', default='1,2,3,4', help='parts to run (1,2,3,4)')
    parser.add_argument(
        '--seconds', type=int, default=745, help='time limit for all parts (745)'
    )
    parser.add_argument('--cpu', action='store_true', help='rehearse at reduced size')
    parser.add_argument(
        '--return-files', type=int, default=8, help='most files in OUT (8)'
    )
    parser.add_argument(
        '--return-bytes', type=int, default=64 * 2**20, help='size of OUT (64 MiB)'
    )
    parser.add_argument(
        '--piece-bytes', type=int, default=16 * 2**20, help='size of a file (16 MiB)'
    )
    args = parser.parse_args(argv)
    chosen = [int(number) for number in args.parts.split(',')]
    if not set(chosen) <= {1, 2, 3, 4}:
        parser.error(f'--parts are 1 to 4, got {args.parts}')

    end = time.monotonic() + args.seconds
    work = args.work or Path(tempfile.mkdtemp(prefix='fpd-gpu-'))
    reports = work.absolute() / 'reports'
    reports.mkdir(parents=True, exist_ok=True)
    data = _data(args.carried, work.absolute(), args.cpu)
    outcomes = []
    for number in chosen:
        left = int(end - time.monotonic())
        part = _parts(reports, data, args.cpu, left)[number - 1]
        outcomes.append(_run(part, reports / part.name, end))
        write_json(reports / 'summary.json', _summary(outcomes), indent=1)
        results.archive(reports, args.out / 'results.tar.gz')
    limits = args.return_files, args.return_bytes, args.piece_bytes
    lines = results.save_weights(reports / 'training', args.out, *limits)
    print('\n'.join(['', *lines, *results.conclusions(reports)]))
    for one in outcomes:
        print(f'{one.name}: {one.state} after {one.seconds:.0f} s')
    if not args.work:
        shutil.rmtree(work)
    return int(any(one.state != 'passed' for one in outcomes))


def _parts(reports: Path, data: Path, cpu: bool, left: int) -> list[Part]:
    device = 'cpu' if cpu else 'cuda'
    here = str(Path(__file__).parent)
    pytest = [*PYTHON, '-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--durations=5']
    only = ['-k', 'TestTeacher and exact'] if cpu else ['-n', '4']
    tests = [
        ([*pytest, *only, '-m', 'cuda', '--device', device, *TESTS], {}),
    ]
    if not cpu:
        # The tests for the CPU use a GPU if there is one.
        exact = {'NVIDIA_TF32_OVERRIDE': '0'}
        tests.insert(0, ([*pytest, '-n', '8', '-m', 'not cuda', *TESTS], exact))
    # Training, the last, takes all that is left.
    seconds = [180, 180, 45, left]
    if cpu:
        seconds = [300, 300, 300, 300]
    out = str(reports / 'benchmark')
    spare = str(seconds[1] - 15)
    grid = [f'{here}/benchmark.py', '--out', out, '--device', device]
    grid += ['--repeats', '1' if cpu else '3']
    people = ['--people', '32' if cpu else '128', '--repeats', '1' if cpu else '2']
    workers = ['0', '1'] if cpu else ['0', '4', '8', '12', '16']
    config = 'quickstart/hg1_32_drawn.py' if cpu else 'fpd/hg4_128_fpd_mpii.py'
    loader = [*PYTHON, 'dev/benchmark_input.py', f'configs/{config}', *people]
    loader += ['--workers', *workers, '--json', str(reports / 'input/input.json')]
    loader += ['--png', str(reports / 'input/input.png')]
    if cpu:
        loader += ['--image-size', '160x120']
    trained = [f'{here}/training.py', str(data), '--out', str(reports / 'training')]
    trained += ['--device', device, '--seconds', str(10 if cpu else seconds[3] - 20)]
    return [
        Part('tests', seconds[0], tests),
        Part('benchmark', seconds[1], [([*PYTHON, *grid, '--seconds', spare], {})]),
        Part('input', seconds[2], [(loader, {})]),
        Part('training', seconds[3], [([*PYTHON, *trained], {})]),
    ]


def _run(part: Part, folder: Path, end: float) -> Outcome:
    start = time.monotonic()
    limit = min(end, start + part.seconds)
    print(f'== {part.name}, at most {limit - start:.0f} s', flush=True)
    folder.mkdir(parents=True, exist_ok=True)
    state = 'passed'
    for number, (command, environment) in enumerate(part.commands):
        log = folder / f'log{number or ""}.txt'
        code = _call(command, environment, log, limit - time.monotonic())
        tail = log.read_text(encoding='utf-8', errors='replace').splitlines()[-15:]
        print('\n'.join(f'   {line[:160]}' for line in tail), flush=True)
        if code is None:
            state = 'late'
        elif code and state == 'passed':
            state = f'failed with exit status {code}'
    return Outcome(part.name, state, time.monotonic() - start)


def _call(
    command: list[str], environment: dict[str, str], log: Path, seconds: float
) -> int | None:
    """Returns the exit status, or None if the command was late and was killed."""
    if seconds <= 0:
        log.write_text('no time was left\n', encoding='utf-8')
        return None
    with log.open('w', encoding='utf-8') as stream:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            _end(process)


def _end(process: subprocess.Popen) -> None:
    """Ends what is left of the command's process group."""
    for number, wait in ((signal.SIGTERM, GRACE), (signal.SIGKILL, 0)):
        try:
            os.killpg(process.pid, number)
        except ProcessLookupError:
            return
        try:
            process.wait(wait or None)
        except subprocess.TimeoutExpired:
            pass


def _summary(outcomes: list[Outcome]) -> dict:
    return dict(
        passed=all(one.state == 'passed' for one in outcomes),
        parts=[asdict(one) for one in outcomes],
    )


def _data(carried: Path | None, work: Path, cpu: bool) -> Path:
    """Returns the folder of the people to train on, in MPII's layout."""
    root = work / 'people'
    if root.exists():
        return root
    if carried and (carried / 'people.zip').exists():
        with zipfile.ZipFile(carried / 'people.zip') as archive:
            archive.extractall(root)
        return root
    from fpd_mmpose.synthetic import write_dataset

    print('no people.zip: drawing people', flush=True)
    counts = dict(num_train=32, num_val=8) if cpu else dict(num_train=2000, num_val=200)
    write_dataset(root, **counts, seed=0)
    return root


if __name__ == '__main__':
    sys.exit(main())

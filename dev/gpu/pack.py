#!/usr/bin/env python
"""Packs people for a run on a GPU machine that takes no more than so many bytes.

FOLDER/people.zip gets the data in MPII's layout, as one data set. The validation people
of the first data set go in as they are. Training pictures are made smaller where the
person in them is larger than --pixels, and get the highest JPEG quality with which all
fit beside the repository and what else is in FOLDER, such as wheels. If even the lowest
is too much, people are left out evenly. It prints what went in.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from multiprocessing import Pool
from pathlib import Path

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from fpd_mmpose.files import replace_when_done  # noqa: E402

QUALITIES = (75, 70, 65, 62, 58, 54, 50, 46, 42, 38, 34, 30)
#: Pictures by which a quality's bytes are estimated.
SAMPLE = 400
#: Bytes of a ZIP member beside its content and twice its name.
MEMBER = 30 + 46
#: Left free for what a transfer adds.
MARGIN = 2**20


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='to be carried to the machine')
    parser.add_argument('data', type=Path, nargs='+', help='in the layout of MPII')
    parser.add_argument(
        '--limit',
        type=int,
        default=64 * 2**20,
        metavar='BYTES',
        help='of the repository and FOLDER together (64 MiB)',
    )
    parser.add_argument('--pixels', type=int, default=140, help='size of a person')
    args = parser.parse_args(argv)

    target = args.folder / 'people.zip'
    tree = _size(ROOT / name for name in _tracked())
    beside = _size(path for path in args.folder.rglob('*') if path != target)
    budget = args.limit - MARGIN - tree - beside
    print(f'repository {_mb(tree)}, other files in {args.folder} {_mb(beside)}')
    whole = _validation(args.data[0])
    jobs = [job for number, root in enumerate(args.data) for job in _jobs(number, root)]
    budget -= sum(len(content) + MEMBER + 2 * len(n) for n, content in whole.items())
    if budget <= 0:
        sys.exit(f'pack: {_mb(args.limit)} leave no room for training people')
    with Pool() as pool:
        quality, people = _choose(pool, jobs, args.pixels, budget)
        print(f'JPEG quality {quality}, {len(people):,} of {len(jobs):,} people')
        tasks = [(job, args.pixels, quality) for job in people]
        packed = pool.map(_encode, tasks, chunksize=16)
    with replace_when_done(target) as partial, zipfile.ZipFile(partial, 'w') as archive:
        for name, content in whole.items():
            compress = zipfile.ZIP_DEFLATED if name.endswith('.json') else None
            archive.writestr(name, content, compress)
        records = []
        for record, content in packed:
            archive.writestr(f'images/{record["image"]}', content)
            records.append(record)
        archive.writestr(
            'annotations/mpii_train.json', json.dumps(records), zipfile.ZIP_DEFLATED
        )
    size = target.stat().st_size
    val = sum(name.startswith('images/') for name in whole)
    print(f'{target}: {_mb(size)}, {len(people):,} training people, {val} pictures of')
    print(f'validation people; altogether {_mb(tree + beside + size)}')
    if tree + beside + size > args.limit:
        sys.exit(f'pack: that is more than {_mb(args.limit)}: lower --pixels')


def _tracked() -> list[str]:
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.split('\0') if name]


def _size(paths: Iterator[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _mb(size: int) -> str:
    return f'{size / 2**20:.1f} MiB'


def _validation(root: Path) -> dict[str, bytes]:
    """The validation people as they are, by name in the archive."""
    people = json.loads((root / 'annotations/mpii_val.json').read_text())
    names = [f'annotations/{name}' for name in ('mpii_val.json', 'mpii_gt_val.mat')]
    names += sorted({f'images/{person["image"]}' for person in people})
    return {name: (root / name).read_bytes() for name in names}


def _jobs(number: int, root: Path) -> list[tuple[Path, str, dict]]:
    """Picture, new name and record of each training person."""
    people = json.loads((root / 'annotations/mpii_train.json').read_text())
    return [
        (root / 'images' / one['image'], f'{number}{at}.jpg', one)
        for at, one in enumerate(people)
    ]


def _encode(task: tuple[tuple, int, int]) -> tuple[dict, bytes]:
    (path, name, record), pixels, quality = task
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ValueError(f'image "{path}" cannot be read')
    factor = min(1.0, pixels / (200 * record['scale']))
    if factor < 1:
        height, width = (max(1, round(side * factor)) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    points = np.float64([record['center'], *record['joints']])
    # 1-based pixels, whose centers cv2.resize maps; joints at -1 are not annotated.
    moved = np.where(points > 0, (points - 0.5) * factor + 0.5, points).round(2)
    options = [cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1]
    record = dict(
        image=name,
        center=moved[0].tolist(),
        scale=round(record['scale'] * factor, 5),
        joints=moved[1:].tolist(),
        joints_vis=record['joints_vis'],
    )
    return record, cv2.imencode('.jpg', image, options)[1].tobytes()


def _choose(pool: Pool, jobs: list, pixels: int, budget: int) -> tuple[int, list]:
    """The best quality with which all people fit, or the lowest and some people."""
    sample = jobs[:: max(1, len(jobs) // SAMPLE)]
    for quality in QUALITIES:
        packed = pool.map(_encode, [(job, pixels, quality) for job in sample])
        records = len(json.dumps([record for record, _ in packed]).encode()) / 4
        each = records + sum(
            len(content) + MEMBER + 2 * len(f'images/{record["image"]}')
            for record, content in packed
        )
        # 1% for the sample's error.
        room = int(budget / (1.01 * each / len(sample)))
        if room >= len(jobs):
            return quality, jobs
    kept = np.linspace(0, len(jobs) - 1, max(1, room)).round().astype(int)
    return quality, [jobs[index] for index in kept]


if __name__ == '__main__':
    main()

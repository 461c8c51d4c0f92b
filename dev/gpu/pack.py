#!/usr/bin/env python
"""Packs people for a run on a GPU machine, within a limit of bytes.

Writes the datasets as one to FOLDER/people.zip, in MPII's layout, with the validation
people of the first. Training images are shrunk to people of at most --pixels, and get
the highest JPEG quality that fits beside the repository and the other files in FOLDER.
If even the lowest is too large, people are left out evenly.
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

from fpd_mmpose.errors import UserError, one_line_errors  # noqa: E402
from fpd_mmpose.files import replace_when_done  # noqa: E402

QUALITIES = (75, 70, 65, 62, 58, 54, 50, 46, 42, 38, 34, 30)
#: Images from which the size at a quality is estimated.
SAMPLE = 400
#: Bytes of a ZIP member without its content and its name, which is stored twice.
MEMBER = 30 + 46
#: Bytes left free for the transfer.
MARGIN = 2**20


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', type=Path, help='folder to carry to the machine')
    parser.add_argument('data', type=Path, nargs='+', help="data in MPII's layout")
    parser.add_argument(
        '--limit',
        type=int,
        default=64 * 2**20,
        metavar='BYTES',
        help='limit of the repository and FOLDER together (64 MiB)',
    )
    parser.add_argument('--pixels', type=int, default=140, help='largest person (140)')
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
    print(f'{target}: {_mb(size)}, {len(people):,} training people, {val} validation')
    print(f'images; total {_mb(tree + beside + size)}')
    if tree + beside + size > args.limit:
        sys.exit(f'pack: this exceeds {_mb(args.limit)}: lower --pixels')


def _tracked() -> list[str]:
    listed = subprocess.run(
        ['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'],
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding='utf-8',
    )
    return [name for name in listed.stdout.split('\0') if name]


def _size(paths: Iterator[Path]) -> int:
    return sum(path.stat().st_size for path in paths if path.is_file())


def _mb(size: int) -> str:
    return f'{size / 2**20:.1f} MiB'


def _validation(root: Path) -> dict[str, bytes]:
    """Reads the files of the validation people, by name in the archive."""
    people = json.loads(
        (root / 'annotations/mpii_val.json').read_text(encoding='utf-8')
    )
    names = [f'annotations/{name}' for name in ('mpii_val.json', 'mpii_gt_val.mat')]
    names += sorted({f'images/{person["image"]}' for person in people})
    return {name: (root / name).read_bytes() for name in names}


def _jobs(number: int, root: Path) -> list[tuple[Path, str, dict]]:
    """Lists the image, new name, and record of each training person."""
    people = json.loads(
        (root / 'annotations/mpii_train.json').read_text(encoding='utf-8')
    )
    return [
        (root / 'images' / one['image'], f'{number}{at}.jpg', one)
        for at, one in enumerate(people)
    ]


def _encode(task: tuple[tuple, int, int]) -> tuple[dict, bytes]:
    (path, name, record), pixels, quality = task
    image = cv2.imread(str(path), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise UserError(f'image "{path}" cannot be read')
    factor = min(1.0, pixels / (200 * record['scale']))
    if factor < 1:
        height, width = (max(1, round(side * factor)) for side in image.shape[:2])
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    points = np.float64([record['center'], *record['joints']])
    # Pixels are 1-based and cv2.resize maps their centers; -1 is not annotated.
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
    """Returns the best quality at which all people fit, or the lowest with a part."""
    sample = jobs[:: max(1, len(jobs) // SAMPLE)]
    for quality in QUALITIES:
        packed = pool.map(_encode, [(job, pixels, quality) for job in sample])
        records = len(json.dumps([record for record, _ in packed]).encode()) / 4
        each = records + sum(
            len(content) + MEMBER + 2 * len(f'images/{record["image"]}')
            for record, content in packed
        )
        # 1% for the error of the estimate.
        room = int(budget / (1.01 * each / len(sample)))
        if room >= len(jobs):
            return quality, jobs
    kept = np.linspace(0, len(jobs) - 1, max(1, room)).round().astype(int)
    return quality, [jobs[index] for index in kept]


if __name__ == '__main__':
    with one_line_errors():
        main()

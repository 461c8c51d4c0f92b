#!/usr/bin/env python
"""Merges folders of people in MPII's layout.

The training people of all folders become one dataset. Those whose numbers are within
five of a validation person's are left out: they may be from the same photo session.
"""

import argparse
import json
import os
import re
import shutil
from pathlib import Path

#: Numbers this close may be of one photo session.
_SESSION = 5
_TRAIN = 'annotations/mpii_train.json'
_VALIDATION = ('annotations/mpii_val.json', 'annotations/mpii_gt_val.mat')


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help='folder of the merged dataset')
    parser.add_argument(
        'roots', type=Path, nargs='+', help='folders; the first has validation people'
    )
    args = parser.parse_args(argv)
    people = merge(args.out, args.roots)
    print(f'{args.out}: {people} people to train on')


def merge(out: Path, roots: list[Path]) -> int:
    """Links the images and joins the training people; returns their number."""
    for folder in ('images', 'annotations'):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for name in _VALIDATION:
        shutil.copy(roots[0] / name, out / name)
    held_out = json.loads((out / _VALIDATION[0]).read_text(encoding='utf-8'))
    near = {
        _number(person) + away
        for person in held_out
        for away in range(-_SESSION, _SESSION + 1)
    }
    merged = []
    for root in roots:
        people = json.loads((root / _TRAIN).read_text(encoding='utf-8'))
        people = [person for person in people if _number(person) not in near]
        merged += people
        for person in people + (held_out if root == roots[0] else []):
            link = out / 'images' / person['image']
            if not link.is_symlink():
                os.symlink((root / 'images' / person['image']).resolve(), link)
    (out / _TRAIN).write_text(json.dumps(merged), encoding='utf-8')
    return len(merged)


def _number(person: dict) -> int:
    return int(re.sub(r'\D', '', person['image']))


if __name__ == '__main__':
    main()

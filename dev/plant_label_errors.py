#!/usr/bin/env python
"""Plants wrong labels in a dataset, and counts how many `fpd analyze` finds.

Half are swaps of a left and a right joint that are at least a head size apart, half are
joints that were moved by one to three head sizes; each is on another person. A
suspicion is right if it names a planted joint; the joints of a swap are one suspicion.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

_ANNOTATIONS = 'annotations/mpii_train.json'
#: Pixels of a head in a person's unit of scale, as `fpd analyze` takes them.
_HEAD = 20.0
_PAIRS = ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))
#: People in the picture, from left to right and from top to bottom.
_PICTURED = (4, 2)


def plant(people: list[dict], count: int, seed: int) -> dict[int, set[int]]:
    """Changes labels; returns the joints that are wrong, by the person's number."""
    random = np.random.default_rng(seed)
    planted: dict[int, set[int]] = {}
    for number in random.permutation(len(people)).tolist():
        joints, seen = people[number]['joints'], people[number]['joints_vis']
        head = _HEAD * people[number]['scale']
        if len(planted) < count // 2:
            left, right = _PAIRS[random.integers(len(_PAIRS))]
            apart = np.linalg.norm(np.subtract(joints[left], joints[right]))
            if not (seen[left] and seen[right] and apart >= head):
                continue
            joints[left], joints[right] = joints[right], joints[left]
            planted[number] = {left, right}
        elif len(planted) < count:
            joint = int(random.choice(np.flatnonzero(seen)))
            angle, length = random.uniform(0, 2 * np.pi), random.uniform(1, 3) * head
            move = length * np.array([np.cos(angle), np.sin(angle)])
            joints[joint] = (np.array(joints[joint]) + move).tolist()
            planted[number] = {joint}
    return planted


def count_found(
    suspected: list[tuple[int, set[int]]], planted: dict[int, set[int]]
) -> list[list[str]]:
    """Returns rows of how many of the first suspicions are right, and what they find.

    The columns are the suspicions, those that are right, and the planted swaps and
    moves that they find.
    """
    hits = [(n, bool(planted.get(n, set()) & joints)) for n, joints in suspected]
    rows = []
    for count in (50, 100, 200, len(hits)):
        right = [number for number, hit in hits[:count] if hit]
        found = [len(planted[number]) for number in set(right)]
        share = len(right) / max(min(count, len(hits)), 1)
        rows.append(
            [f'{min(count, len(hits)):,}', f'{share:.0%}']
            + [str(found.count(joints)) for joints in (2, 1)]
        )
    return rows


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config of a distillation with MPII people')
    parser.add_argument('root', type=Path, help="data in MPII's layout")
    parser.add_argument('out', type=Path, help='folder for the changed data and page')
    parser.add_argument('--errors', type=int, default=100, help='errors to plant (100)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the errors (0)')
    parser.add_argument('--picture', type=Path, help='also draw the first people here')
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.analysis.label_analysis import analyze
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.markdown import markdown_table

    with one_line_errors():
        people = json.loads((args.root / _ANNOTATIONS).read_text(encoding='utf-8'))
        planted = plant(people, args.errors, args.seed)
        path = args.out / 'data' / _ANNOTATIONS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(people), encoding='utf-8')
        images = args.out / 'data/images'
        if not images.exists():
            images.symlink_to((args.root / 'images').resolve())
        options = {'train_dataloader.dataset.ann_file': _ANNOTATIONS}
        report = analyze(args.config, args.out, data=args.out / 'data', options=options)
        print(report)
        found = report.suspicions
        by_distance = found._replace(score=np.nan_to_num(found.distance))
        for title, suspicions in (('score', found), ('distance', by_distance)):
            suspected = replace(report, suspicions=suspicions).suspected()
            headings = [f'first by {title}', 'right', 'swaps found', 'moves found']
            rows = count_found(suspected, planted)
            print(f'\n{markdown_table(headings, rows, text=())}')
        if args.picture:
            draw(report, args.picture)


def draw(report: Any, path: Path) -> None:
    """Draws the most suspicious people side by side."""
    from fpd_mmpose.files import write_bytes
    from fpd_mmpose.inputs import encode_image

    across, down = _PICTURED
    ranking = report.suspicions.ranking().tolist()
    lines = [
        np.hstack([report.picture(row) for row in ranking[start : start + across]])
        for start in range(0, across * down, across)
    ]
    write_bytes(path, encode_image(np.vstack(lines), '.jpg', 75))


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Plants wrong labels in a dataset, and counts how many `fpd analyze` finds.

Half are swaps of a left and a right joint that are at least a head size apart, half are
joints that were moved by one to three head sizes; each is on another person. A suspicion
is right if it names a planted joint; both joints of a swap are one suspicion.
"""

import argparse
import json
from pathlib import Path

import numpy as np

_ANNOTATIONS = 'annotations/mpii_train.json'
#: Head sizes in an MPII person's unit of scale, as `fpd analyze` takes them.
_HEAD = 20.0
_PAIRS = ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))


def plant(people: list[dict], count: int, seed: int) -> dict[int, set[int]]:
    """Changes labels; returns the joints that are wrong, by the person's number."""
    random = np.random.default_rng(seed)
    planted: dict[int, set[int]] = {}
    for number in random.permutation(len(people)).tolist():
        joints, head = people[number]['joints'], _HEAD * people[number]['scale'] * 1.0
        seen = people[number]['joints_vis']
        if len(planted) < count // 2:
            left, right = _PAIRS[random.integers(len(_PAIRS))]
            apart = np.linalg.norm(np.subtract(joints[left], joints[right]))
            if not (seen[left] and seen[right] and apart >= head):
                continue
            joints[left], joints[right] = joints[right], joints[left]
            planted[number] = {left, right}
        else:
            joint = int(random.choice(np.flatnonzero(seen)))
            angle, length = random.uniform(0, 2 * np.pi), random.uniform(1, 3) * head
            move = length * np.array([np.cos(angle), np.sin(angle)])
            joints[joint] = (np.array(joints[joint]) + move).tolist()
            planted[number] = {joint}
        if len(planted) == count:
            break
    return planted


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('config', help='config of a distillation with MPII people')
    parser.add_argument('root', type=Path, help="data in MPII's layout")
    parser.add_argument('out', type=Path, help='folder for the changed data and report')
    parser.add_argument('--errors', type=int, default=100, help='errors to plant (100)')
    parser.add_argument('--seed', type=int, default=0, help='seed of the errors (0)')
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
        report = analyze(
            args.config, args.out, data=args.out / 'data', options=options
        )
        print(f'{report}\n')
        print(markdown_table(*score(report.suspected(), planted)))


def score(
    suspected: list[tuple[int, set[int]]], planted: dict[int, set[int]]
) -> tuple[list[str], list[list[str]]]:
    """Returns the headings and rows of a table of precision and recall."""
    right = [bool(planted.get(n, set()) & joints) for n, joints in suspected]
    rows = []
    for count in (50, 100, 200, len(suspected)):
        found = {n for (n, _), hit in zip(suspected[:count], right, strict=False) if hit}
        rows.append(
            [
                f'{min(count, len(suspected))}',
                f'{np.mean(right[:count]):.0%}',
                f'{len(found)} of {len(planted)}',
            ]
        )
    return ['suspicions', 'of them right', 'errors found'], rows


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Measures the effect of unlabeled people on a student."""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', type=Path, help="data in MPII's layout")
    parser.add_argument('out', type=Path, help='folder of the runs; repeat to continue')
    parser.add_argument(
        '--seeds', type=int, nargs='+', default=[0, 1], help='seeds (0 1)'
    )
    parser.add_argument(
        '--share', type=float, default=0.1, help='of labeled people (0.1)'
    )
    parser.add_argument(
        '--steps', type=int, default=3000, help='steps of each network (3000)'
    )
    parser.add_argument('--threads', type=int, default=1, help='CPU threads (1)')
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    import torch

    from fpd_mmpose.errors import one_line_errors
    from studies import unlabeled_study as unlabeled
    from studies.training import as_markdown

    torch.set_num_threads(args.threads)
    results = {variant: [] for variant in unlabeled.VARIANTS}
    with one_line_errors():
        for seed in args.seeds:
            out = args.out / f'seed_{seed}'
            counts = unlabeled.split_people(args.root, out, args.share, seed)
            print(f'seed {seed}: {counts[0]} labeled and {counts[1]} unlabeled people')
            for variant, scores in results.items():
                scores.append(
                    unlabeled.run_variant(variant, args.root, out, seed, args.steps)
                )
    print(as_markdown(results))


if __name__ == '__main__':
    main()

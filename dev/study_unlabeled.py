#!/usr/bin/env python
"""Measures what people without labels give a student, on data in MPII's layout."""

import argparse
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('root', type=Path, help='data in the layout of MPII')
    parser.add_argument('out', type=Path, help='folder of the runs; run again to go on')
    parser.add_argument('--seeds', type=int, nargs='+', default=[0, 1])
    parser.add_argument('--share', type=float, default=0.1, help='of labelled people')
    parser.add_argument('--steps', type=int, default=3000, help='of each student')
    parser.add_argument('--threads', type=int, default=1, help='of torch')
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
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
            print(
                f'seed {seed}: {counts[0]} labelled and {counts[1]} unlabelled people'
            )
            for variant, scores in results.items():
                scores.append(
                    unlabeled.run_variant(variant, args.root, out, seed, args.steps)
                )
    print(as_markdown(results))


if __name__ == '__main__':
    main()

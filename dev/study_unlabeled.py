#!/usr/bin/env python
"""Measures the effect of unlabeled people on a student."""

import argparse

from studies.options import add_study_options


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_study_options(parser, 'network')
    parser.add_argument(
        '--share', type=float, default=0.1, help='of labeled people (0.1)'
    )
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

#!/usr/bin/env python
"""Compares students of a stored teacher with students of a live one."""

import argparse

from studies.options import add_study_options


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_study_options(parser, 'student')
    parser.add_argument(
        '--teacher-steps', type=int, default=3000, help='steps of the teacher (3000)'
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    import torch

    from fpd_mmpose.errors import one_line_errors
    from studies import stored_teacher_study as stored_teacher
    from studies.training import as_markdown

    torch.set_num_threads(args.threads)
    results = {variant: [] for variant in stored_teacher.VARIANTS}
    with one_line_errors():
        for seed in args.seeds:
            for variant, scores in results.items():
                scores.append(
                    stored_teacher.run_variant(
                        variant,
                        args.root,
                        args.out,
                        seed,
                        args.steps,
                        args.teacher_steps,
                    )
                )
    print(as_markdown(results))


if __name__ == '__main__':
    main()

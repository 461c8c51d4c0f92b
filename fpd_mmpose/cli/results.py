"""The commands ``compare``, ``report``, ``study``, and ``quickstart``."""

import argparse
import os
from pathlib import Path

from fpd_mmpose.cli.shared_options import (
    Parser,
    Run,
    add_alias,
    add_data_root,
    positive,
    require_config,
)


def compare(parser: Parser) -> Run:
    """Prints the paper's result table for finished runs in Markdown.

    It has the gain over the plain student and the cost of training.
    """
    parser.add_argument(
        '--run',
        action='append',
        nargs='+',
        required=True,
        metavar='WORD',
        help='NAME=WORK_DIR, or NAME CONFIG CHECKPOINT LOG; repeat for each run. LOG '
        'is vis_data/scalars.json, a work directory, or the scores of `test --out`',
    )
    parser.add_argument(
        '--baseline',
        action='append',
        default=[],
        metavar='NAME',
        help='name of a plain student; repeat for several budgets: each gain is over '
        'the one with the closest total of epochs',
    )
    parser.add_argument(
        '--teacher-run',
        metavar='NAME',
        help='a run to show without comparing its budget',
    )
    add_alias(parser, '--teacher', 'teacher_run')
    parser.add_argument(
        '--epochs',
        type=positive,
        help='compare after so many epochs in total, including those of the weights '
        'that a run started from (default: the checkpoints)',
    )
    parser.add_argument(
        '--mean', action='store_true', help='average runs of the same name (seeds)'
    )
    add_alias(parser, '--seeds', 'mean', action='store_true')
    parser.add_argument(
        '--out',
        action='append',
        default=[],
        metavar='FILE',
        help='also write .md or .csv; repeat for several',
    )
    return _compare


def _compare(args: argparse.Namespace) -> None:
    from fpd_mmpose.inputs import check_suffix
    from fpd_mmpose.reports import SUFFIXES, compare

    for path in args.out:
        check_suffix(path, SUFFIXES, 'a table')
    table = compare(args.run, args.baseline, args.teacher_run, args.epochs, args.mean)
    print(table.markdown())
    for path in args.out:
        table.save(path)


def report(parser: Parser) -> Run:
    """Shows finished or running trainings, in a page to give to others.

    Runs that differ in their seeds alone are one row. The page has the curves and the
    last panels, too, and needs no other file. No config is executed.
    """
    parser.add_argument(
        'runs', nargs='+', metavar='WORK_DIR', help='work directory, or NAME=WORK_DIR'
    )
    parser.add_argument(
        '--baseline',
        metavar='NAME',
        help='name or work directory of the run to compare with (the first)',
    )
    parser.add_argument(
        '--out',
        action='append',
        default=[],
        metavar='FILE',
        help='also write a page (.html) or the tables (.md); repeat for several',
    )
    parser.add_argument(
        '--hourly-cost',
        type=float,
        metavar='PRICE',
        help='of a process, or its GPU, for an hour: adds what each run has cost',
    )
    return _report


def _report(args: argparse.Namespace) -> None:
    from fpd_mmpose.inputs import check_suffix
    from fpd_mmpose.run_reports import SUFFIXES, report_runs

    for path in args.out:
        check_suffix(path, SUFFIXES, 'a report')
    found = report_runs(args.runs, args.baseline, args.hourly_cost)
    print(found.markdown())
    for path in args.out:
        found.save(path)


def study(parser: Parser) -> Run:
    """Trains the arms of a study with paired seeds, and compares them.

    Prints the mean score of each arm and its difference from the baselines, with a 95%
    bootstrap interval over people and seeds.
    """
    parser.epilog = (
        'Finished runs are kept, and interrupted ones resumed, when the command is '
        'repeated.'
    )
    parser.add_argument('study', help='file with the arms, such as quickstart/study.py')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='folder of the runs (work_dirs/STUDY)'
    )
    add_data_root(parser)
    parser.add_argument(
        '--seeds', type=int, nargs='+', help="seeds (default: the study's)"
    )
    parser.add_argument(
        '--processes', type=positive, help='runs at a time (one for each GPU or core)'
    )
    return _study


def _study(args: argparse.Namespace) -> None:
    require_config(args.study)
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    from fpd_mmpose.studies import run_study

    out = args.out or Path('work_dirs') / Path(args.study).stem
    report = run_study(
        args.study,
        out,
        data=args.data_root,
        seeds=args.seeds,
        processes=args.processes,
    )
    print(f'{report.markdown()}\n\n{out}: results.md, gains.png, curves.png')


def quickstart(parser: Parser) -> Run:
    """Distills a student on drawn people, and compares it with plain training.

    Few of the people have labels. A teacher that was trained on others comes with the
    package. Prints the paper's table and saves pictures.
    """
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('work_dirs/quickstart'),
        metavar='DIR',
        help='folder for people, networks, and results (work_dirs/quickstart)',
    )
    parser.add_argument(
        '--people', type=positive, default=3100, help='people to train on (3100)'
    )
    parser.add_argument(
        '--labels', type=positive, default=100, help='of them with labels (100)'
    )
    parser.add_argument(
        '--held-out', type=positive, default=500, help='people to test on (500)'
    )
    parser.add_argument(
        '--length', type=float, default=1, help='train for this part of the steps (1)'
    )
    parser.add_argument(
        '--seeds',
        '--seed',
        type=int,
        nargs='+',
        default=[0],
        help='seeds of labels, weights, and order; several are averaged (0)',
    )
    return _quickstart


def _quickstart(args: argparse.Namespace) -> None:
    # Makes threads that wait for each other sleep. If they spin, OpenMP's default, a
    # step takes about ten times as long while other programs use the cores. OpenMP
    # reads this when torch is imported.
    os.environ.setdefault('OMP_WAIT_POLICY', 'PASSIVE')
    from fpd_mmpose.quickstart.run import run_quickstart

    run_quickstart(
        args.out, args.people, args.labels, args.held_out, args.seeds, args.length
    )

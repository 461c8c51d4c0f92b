"""The commands ``train``, ``test``, ``distill``, and ``cache``."""

import argparse

from fpd_mmpose.cli.shared_options import (
    Parser,
    Run,
    add_alias,
    add_batches,
    add_cfg_options,
    add_data_root,
    add_device,
    cfg_options,
    positive,
    require_config,
)


def train(parser: Parser) -> Run:
    """Trains a pose estimator. The options are those of MMPose."""
    parser.add_argument('config', help='config file')
    parser.add_argument(
        '--resume',
        nargs='?',
        const='auto',
        metavar='FILE',
        help="resume from a checkpoint; without FILE, from the work directory's newest",
    )
    parser.add_argument('--amp', action='store_true', help='train in mixed precision')
    parser.add_argument(
        '--no-validate', action='store_true', help='do not validate during training'
    )
    parser.add_argument(
        '--auto-scale-lr',
        action='store_true',
        help="scale the learning rate from the config's batch size to the actual one",
    )
    _add_stock_options(parser)
    return lambda args: _run_stock('train', parser, args)


def test(parser: Parser) -> Run:
    """Scores a checkpoint on the test data of its config.

    The options are those of MMPose, and --multi-scale.
    """
    parser.add_argument('config', help='config file')
    parser.add_argument('checkpoint', help='weights: a file or a URL')
    parser.add_argument(
        '--multi-scale',
        nargs='*',
        type=float,
        metavar='SCALE',
        help='average the heatmaps of the box at several scales, as the FPD paper does '
        '(0.8 0.9 1.0 1.1 1.2 1.3)',
    )
    parser.add_argument('--out', metavar='FILE', help='write the scores here')
    parser.add_argument('--dump', metavar='FILE', help='write the predictions (.pkl)')
    parser.add_argument(
        '--badcase', action='store_true', help="use MMPose's hook for bad cases"
    )
    _add_stock_options(parser)
    return lambda args: _run_stock('test', parser, args)


def _add_stock_options(parser: Parser) -> None:
    parser.add_argument(
        '--work-dir', metavar='DIR', help='logs and checkpoints (work_dirs/CONFIG)'
    )
    parser.add_argument('--show-dir', metavar='DIR', help='save drawn predictions here')
    parser.add_argument(
        '--show', action='store_true', help='show drawn predictions in a window'
    )
    parser.add_argument(
        '--interval', type=int, default=1, help='draw every n-th sample (1)'
    )
    parser.add_argument(
        '--wait-time', type=float, default=1, help='seconds to show each window (1)'
    )
    parser.add_argument(
        '--launcher',
        choices=('none', 'pytorch', 'slurm', 'mpi'),
        default='none',
        help='how the processes of a distributed run are started (none)',
    )
    parser.add_argument(
        '--local_rank', '--local-rank', type=int, default=0, help=argparse.SUPPRESS
    )
    add_cfg_options(parser)


def _run_stock(name: str, parser: Parser, args: argparse.Namespace) -> None:
    require_config(args.config)
    from fpd_mmpose.checks.settings import check_settings
    from fpd_mmpose.cli.stock_tools import run_stock_tool
    from fpd_mmpose.config import find_config, load_config, set_fields

    # MMPose's script does not look among the packaged configs.
    path = find_config(args.config)
    config = load_config(path)
    set_fields(config, cfg_options(args))
    check_settings(config)
    run_stock_tool(name, stock_arguments(parser, args, str(path)))


def stock_arguments(parser: Parser, args: argparse.Namespace, config: str) -> list[str]:
    """Writes parsed options as a command line of MMPose's script."""
    words = [config]
    if 'checkpoint' in args:
        words.append(args.checkpoint)
    settings = [f'{key}={value}' for key, value in args.cfg_options]
    for option, value in vars(args).items():
        if option in ('config', 'checkpoint', 'cfg_options', 'multi_scale', 'argv'):
            continue
        if value == parser.get_default(option):
            continue
        name = '--' + option.replace('_', '-')
        words.append(name if value is True else f'{name}={value}')
    if getattr(args, 'multi_scale', None) is not None:
        settings += _multi_scale_settings(args.multi_scale)
    return words + (['--cfg-options', *settings] if settings else [])


def _multi_scale_settings(scales: list[float]) -> list[str]:
    # Imported here, as in all commands: it takes seconds, and --help should not wait.
    from fpd_mmpose.models.tta.multi_scale_search import SCALES, check_scales

    hook = 'default_hooks.multi_scale_search'
    return [
        f'{hook}.type=MultiScaleSearchHook',
        f'{hook}.scales={list(check_scales(scales or SCALES))}',
    ]


def distill(parser: Parser) -> Run:
    """Trains a student with the help of a teacher.

    The checkpoints hold the student's weights alone.
    """
    parser.add_argument('student', help='config of the student, or of a distillation')
    parser.add_argument(
        '--teacher',
        nargs=2,
        metavar=('CONFIG', 'CHECKPOINT'),
        help="the teacher; by default the one in the student's config",
    )
    add_data_root(parser)
    parser.add_argument(
        '--start-from',
        metavar='CHECKPOINT',
        help='the plainly trained student, whose distillation gains most',
    )
    parser.add_argument(
        '--alpha', type=float, help="the teacher's share of the loss, 0 to 1 (0.5)"
    )
    parser.add_argument(
        '--epochs', type=positive, help='number of epochs; schedules are scaled to it'
    )
    parser.add_argument(
        '--work-dir', metavar='DIR', help='logs and checkpoints (work_dirs/STUDENT_fpd)'
    )
    add_cfg_options(parser)
    return _distill


def _distill(args: argparse.Namespace) -> None:
    require_config(args.student)
    from fpd_mmpose.distillation import distill

    done = distill(
        args.student,
        args.teacher,
        args.data_root,
        start_from=args.start_from,
        alpha=args.alpha,
        epochs=args.epochs,
        work_dir=args.work_dir,
        options=cfg_options(args),
    )
    scores = ', '.join(f'{name} {value:.3f}' for name, value in done.scores.items())
    print(f'{done.checkpoint}: {scores}')


def cache(parser: Parser) -> Run:
    """Stores a teacher's heatmaps, so that students train without its network."""
    parser.epilog = (
        'A run that was interrupted continues when the command is repeated. Started '
        'several times at once, also by torchrun, the processes share the work. Then '
        'train with model.teacher.cache=FILE.'
    )
    parser.add_argument('config', help='config of the distillation')
    parser.add_argument(
        '--out', metavar='FILE', help='file to write (model.teacher.cache)'
    )
    parser.add_argument(
        '--zooms',
        type=float,
        nargs='+',
        default=[1.0, 1.25],
        metavar='FACTOR',
        help='show the teacher the padded box times each of these (1 1.25)',
    )
    parser.add_argument(
        '--flip-test',
        action='store_true',
        help='average with the heatmaps of the flipped image',
    )
    add_alias(parser, '--flip', 'flip_test', action='store_true')
    add_device(parser, 'the teacher')
    add_batches(parser, workers=2)
    parser.add_argument(
        '--limit', type=positive, help='store the first so many people only'
    )
    parser.add_argument(
        '--compare',
        type=positive,
        metavar='N',
        help='store nothing: compare the file with the network on N training samples',
    )
    add_cfg_options(parser)
    return _cache


def _cache(args: argparse.Namespace) -> None:
    require_config(args.config)
    from fpd_mmpose.config import load_config, set_fields
    from fpd_mmpose.teachers.cache.command import cache_teacher, compare_cache

    config = load_config(args.config)
    set_fields(config, cfg_options(args))
    if args.compare:
        print(compare_cache(config, args.out, args.compare, args.device))
        return
    report = cache_teacher(
        config,
        args.out,
        device=args.device,
        zooms=args.zooms,
        flip_test=args.flip_test,
        batch_size=args.batch_size,
        workers=args.workers,
        limit=args.limit,
    )
    print(report)

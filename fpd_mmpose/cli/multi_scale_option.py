"""The option ``--multi-scale`` of tools/test.py, which MMPose's script lacks."""

import argparse
from collections.abc import Sequence

from fpd_mmpose.engine.hooks.multi_scale_search_hook import MultiScaleSearchHook
from fpd_mmpose.models.tta import SCALES
from fpd_mmpose.models.tta.multi_scale_search import check_scales


def translate_multi_scale(arguments: Sequence[str]) -> list[str]:
    """Says ``--multi-scale`` in terms of ``--cfg-options``.

    The option becomes a hook of the config, named as another option of the user
    could name it: everything else that MMPose's script does with its config and
    arguments stays as it is. With ``--help`` the option is explained.

    Args:
        arguments (Sequence[str]): The command line without the program's name.

    Returns:
        list[str]: What MMPose's script understands.

    Raises:
        UserError: If a scale is not a positive number.
    """
    parser = argparse.ArgumentParser(
        usage=argparse.SUPPRESS, add_help=False, allow_abbrev=False
    )
    parser.add_argument_group('beside the arguments of MMPose').add_argument(
        '--multi-scale',
        nargs='*',
        metavar='SCALE',
        help='after config and checkpoint: average the heatmaps of the box at these '
        f'scales, as the FPD paper does (default: {" ".join(map(str, SCALES))})',
    )
    known, others = parser.parse_known_args(arguments)
    if {'-h', '--help'} & set(arguments):
        print(parser.format_help())
    if known.multi_scale is None:
        return others
    scales = check_scales(known.multi_scale or SCALES)
    hook = 'default_hooks.multi_scale_search'
    return [
        *others,
        '--cfg-options',
        f'{hook}.type={MultiScaleSearchHook.__name__}',
        f'{hook}.scales={list(scales)}',
    ]

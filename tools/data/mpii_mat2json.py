#!/usr/bin/env python
"""Converts MPII's mpii_human_pose_v1_u12_1.mat to the files used in training."""

import argparse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('mat', help='mpii_human_pose_v1_u12_1.mat')
    parser.add_argument('out_dir', help='folder to write the annotations to')
    parser.add_argument(
        '--val-list',
        required=True,
        help='validation images, as one name per line or a .json list of names; or a '
        'published valid.json, whose people are taken in its order',
    )
    parser.add_argument(
        '--people',
        choices=('single', 'all'),
        default='single',
        help='people to take from test images, and from validation images given by '
        'name: those that single_person lists (default), or all',
    )
    parser.add_argument(
        '--layout',
        choices=('reference', 'mmpose'),
        default='reference',
        help='file names: valid.json (default) or mpii_val.json',
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    from fpd_mmpose.errors import one_line_errors
    from mpii_conversion import convert_mpii_mat

    with one_line_errors():
        convert_mpii_mat(
            args.mat, args.out_dir, args.val_list, args.people, args.layout
        )


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Prints how stock MMPose and this package differ, measured on given people."""

import argparse


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--mpii', help='MPII annotations (.json), to compare targets')
    parser.add_argument('--images', help='folder of their images, to compare crops')
    parser.add_argument(
        '--preds', help='0-based predictions for MPII valid (.npz with `preds`)'
    )
    parser.add_argument('--gt-file', help='gt_valid.mat, for the predictions')
    parser.add_argument('--coco', help='COCO keypoint annotations (.json)')
    parser.add_argument(
        '--boxes', help='detected boxes of people in the COCO images (.json)'
    )
    args = parser.parse_args(argv)
    if bool(args.preds) != bool(args.gt_file):
        parser.error('--preds and --gt-file belong together')
    if bool(args.coco) != bool(args.boxes):
        parser.error('--coco and --boxes belong together')

    # Imported after parsing, so that --help does not wait for torch.
    from comparisons import stock_differences as stock
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.readers.mpii_ground_truth import read_mpii_ground_truth

    with one_line_errors():
        rows = [*stock.draw_differences(), *stock.decode_differences()]
        if args.mpii:
            rows += stock.mpii_differences(args.mpii, args.images)
        if args.preds:
            truth = read_mpii_ground_truth(args.gt_file)
            predictions = stock.read_predictions(args.preds, len(truth.head_size))
            rows += stock.pckh_differences(predictions, truth)
        if args.coco:
            rows += stock.coco_differences(args.coco, args.boxes)
    print(stock.as_markdown(rows))


if __name__ == '__main__':
    main()

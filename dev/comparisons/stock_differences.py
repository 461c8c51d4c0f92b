"""Measures how stock MMPose and this package differ on given people."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from mmpose.codecs import MSRAHeatmap
from mmpose.datasets.datasets import CocoDataset, MpiiDataset
from mmpose.datasets.transforms import (
    GetBBoxCenterScale,
    RandomBBoxTransform,
    TopdownAffine,
)
from mmpose.evaluation.metrics import CocoMetric
from torchvision.ops import box_iou

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.datasets import (
    FPDCocoDataset,
    FPDLoadImage,
    FPDMpiiDataset,
    FPDTopdownAffine,
    RandomScaleRotation,
)
from fpd_mmpose.errors import UserError
from fpd_mmpose.evaluation.fpd_coco_metric import FPDCocoMetric
from fpd_mmpose.evaluation.mpii_pckh import mpii_pckh
from fpd_mmpose.geometry import PADDING
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.readers.mpii_ground_truth import NUM_JOINTS, MpiiGroundTruth

INPUT, HEATMAP = (256, 256), (64, 64)
DRAWS = 100_000


class Difference(NamedTuple):
    """A row of the table."""

    what: str
    stock: str
    ours: str  # in this package, as in the reference
    effect: str


def mpii_differences(
    ann_file: str | Path, images: str | Path | None = None
) -> Iterator[Difference]:
    """Compares the people, the targets, and, given the images, the crops of MPII.

    ``MpiiDataset`` needs images whose names are numbers.
    """
    prefix = dict(img=str(images or ''))
    ours = FPDMpiiDataset(str(ann_file), data_prefix=dict(prefix))
    stock = MpiiDataset(str(ann_file), data_prefix=dict(prefix))
    theirs = {info['id']: info for info in stock}
    yield Difference(
        'MPII people in training',
        'leaves out people without an annotated joint, without logging it',
        'keeps every record',
        f'{len(stock)} instead of {len(ours)} people',
    )
    codec = MSRAHeatmap(INPUT, HEATMAP, sigma=2)
    joints = changed = 0
    for mine in ours:
        if mine['id'] not in theirs:
            continue
        visible = mine['keypoints_visible'][0] > 0
        pair = [_target(codec, info)[visible] for info in (mine, theirs[mine['id']])]
        joints += len(pair[0])
        changed += (pair[0] != pair[1]).any(axis=(1, 2)).sum()
    yield Difference(
        'MPII joints in training',
        '1-based, with 0-based boxes',
        '0-based',
        f'{changed} of {joints} target heatmaps differ ({changed / joints:.1%})',
    )
    if images is not None:
        values, differing, largest = 0, 0, 0
        for mine in ours:
            crops = [
                affine(_loaded(mine))['img'].astype(int)
                for affine in (FPDTopdownAffine(INPUT), TopdownAffine(INPUT))
            ]
            difference = np.abs(crops[0] - crops[1])
            values += difference.size
            differing += (difference > 0).sum()
            largest = max(largest, difference.max())
        yield Difference(
            'Affine map of the crop',
            '`TopdownAffine`: another triplet of points',
            "`FPDTopdownAffine`: the reference's, bit for bit",
            f'{differing} of {values} values differ, by at most {largest}',
        )


def read_predictions(path: str | Path, num_people: int) -> np.ndarray:
    """Reads ``preds`` (N, 16, 2), 0-based pixels, from an ``.npz`` file of N people."""
    shape = (num_people, NUM_JOINTS, 2)
    what = f'an .npz file with finite `preds` of shape {shape}'
    try:
        # NumPy does not unpickle by default.
        with np.load(path) as content:
            predictions = content['preds']
    except FileNotFoundError as error:
        raise UserError(f'"{path}" does not exist: expected {what}') from error
    except Exception as error:  # of many types, those of zipfile among them
        raise UserError(
            f'"{path}" cannot be read ({error}): expected {what}'
        ) from error
    if predictions.shape != shape or predictions.dtype.kind not in 'fiu':
        raise UserError(
            f'"{path}" has `preds` of shape {predictions.shape}: expected {what}'
        )
    if not np.isfinite(predictions).all():
        raise UserError(f'"{path}" has numbers that are not finite: expected {what}')
    return predictions


def pckh_differences(
    predictions: np.ndarray, truth: MpiiGroundTruth
) -> Iterator[Difference]:
    """Compares PCKh@0.1 on (N, 16, 2) predictions in 0-based pixels."""
    table = mpii_pckh(predictions, *truth)
    yield Difference(
        '"Mean@0.1" of the reference\'s table',
        '`MpiiPCKAccuracy`: at 0.10',
        'at 0.11, and `PCKh@0.1` beside it',
        f'{table["PCKh@0.1"]:.3f} instead of {table["Mean@0.1"]:.3f}',
    )


def draw_differences(seed: int = 0) -> Iterator[Difference]:
    """Compares the random scales and rotations of the MPII recipe over many draws."""
    np.random.seed(seed)
    ours = RandomScaleRotation(0.25, 30, 0.6)(dict(bbox_scale=np.ones((DRAWS, 2))))
    stock = RandomBBoxTransform(
        shift_prob=0,
        scale_factor=(0.75, 1.25),
        scale_prob=1,
        rotate_factor=60,
        rotate_prob=0.6,
    )(
        dict(
            bbox=np.ones((DRAWS, 4)),
            bbox_scale=np.ones((DRAWS, 2)),
            bbox_center=np.ones((DRAWS, 2)),
        )
    )

    def scales(results: dict) -> str:
        scale = results['bbox_scale'][:, 0]
        edge = np.mean((scale <= 0.75) | (scale >= 1.25))
        return f'std {scale.std():.3f}, {edge:.0%} at the bounds'

    def angles(results: dict) -> str:
        rotation = results['bbox_rotation']
        rotation = rotation[rotation != 0]
        edge = np.mean(np.abs(rotation) >= 60)
        return f'std {rotation.std():.1f}°, {edge:.1%} at the bounds'

    for what, measure in (('Random scale', scales), ('Random rotation', angles)):
        yield Difference(
            what,
            '`RandomBBoxTransform`: truncated normal',
            '`RandomScaleRotation`: clipped normal',
            f'{measure(stock)} instead of {measure(ours)}',
        )


def decode_differences(seed: int = 0) -> Iterator[Difference]:
    """Compares decoding for maxima next to the border and for empty heatmaps."""
    width, height = HEATMAP
    random = np.random.RandomState(seed)
    maps = random.rand(4 * width, height, width).astype(np.float32)
    for index, edge in enumerate(np.repeat([1, width - 1], 2 * width)):
        place = [edge, index % width]
        maps[(index, *(place if index % (2 * width) < width else place[::-1]))] = 2
    codecs = MSRAHeatmap(INPUT, HEATMAP, sigma=2), FPDHeatmap(INPUT, HEATMAP)
    stock, ours = (codec.decode(maps)[0][0] for codec in codecs)
    moved = np.abs(stock - ours).max(axis=1)
    yield Difference(
        'Heatmap maxima on row or column 1 or 63',
        'moved a quarter pixel along the other axis',
        '`FPDHeatmap`: not moved',
        f'{np.mean(moved > 0):.0%} of such maxima of noise, by {moved.max():.0f} px',
    )
    stock, ours = (codec.decode(np.zeros((1, height, width)))[0] for codec in codecs)
    yield Difference(
        'Heatmaps without a positive value',
        f'at {tuple(stock[0, 0].astype(int).tolist())} input px',
        f'at {tuple(ours[0, 0].astype(int).tolist())}',
        'only in untrained networks, or joints far off',
    )


def coco_differences(
    ann_file: str | Path, bbox_file: str | Path, seed: int = 0
) -> Iterator[Difference]:
    """Compares the boxes and the average precision of COCO people.

    Annotated keypoints with noise stand in for predictions in the detected boxes.
    """
    ours, stock = FPDCocoDataset(str(ann_file)), CocoDataset(str(ann_file))
    padded = GetBBoxCenterScale(padding=PADDING)
    theirs = {info['id']: padded(info) for info in stock}
    boxes = [
        (padded(mine), theirs[mine['id']]) for mine in ours if mine['id'] in theirs
    ]
    center, scale = (
        max(float(np.abs(mine[key] - other[key]).max()) for mine, other in boxes)
        for key in ('bbox_center', 'bbox_scale')
    )
    yield Difference(
        'Annotated boxes of COCO',
        '`CocoDataset`: end at x + w',
        '`FPDCocoDataset`: end at the last pixel',
        f'center by at most {center:.2f} px, padded size by at most {scale:.2f} px',
    )
    detected = FPDCocoDataset(str(ann_file), str(bbox_file), test_mode=True)
    samples = _stand_in_predictions(ours, detected, seed)
    found = []
    for metric in (CocoMetric, FPDCocoMetric):
        evaluator = metric(ann_file=str(ann_file))
        evaluator.dataset_meta = ours.metainfo
        evaluator.process([], copy.deepcopy(samples))
        found.append(evaluator.evaluate(len(samples)))
    names = 'AP', 'AP (M)', 'AP (L)'
    stock_scores, our_scores = (
        ' / '.join(f'{scores[f"coco/{name}"]:.4f}' for name in names)
        for scores in found
    )
    yield Difference(
        ' / '.join(names) + ' of COCO',
        '`CocoMetric`: object size from the area of the box',
        '`FPDCocoMetric`: object size from the extent of the keypoints',
        f'{stock_scores} instead of {our_scores}, for noisy keypoints in '
        'detected boxes',
    )


def _target(codec: MSRAHeatmap, info: dict) -> np.ndarray:
    """Returns the (K, H, W) target heatmaps of a person in its upright box."""
    scale = info['bbox_scale'] * PADDING
    corner = info['bbox_center'] - scale / 2
    keypoints = (info['keypoints'] - corner) / scale * INPUT
    return codec.encode(keypoints, info['keypoints_visible'])['heatmaps']


def _loaded(info: dict) -> dict:
    results = FPDLoadImage()(copy.deepcopy(info))
    results['bbox_scale'] = results['bbox_scale'] * PADDING
    return results


def _stand_in_predictions(
    annotated: FPDCocoDataset, detected: FPDCocoDataset, seed: int
) -> list[dict]:
    """Gives each detected box noisy keypoints of the person it overlaps most."""
    random = np.random.RandomState(seed)
    people = list(annotated)
    samples = []
    for info in detected:
        here = [one for one in people if one['img_id'] == info['img_id']]
        corners = [torch.tensor(one['bbox']) for one in (*here, info)]
        overlaps = box_iou(corners[-1], torch.cat(corners[:-1]))[0]
        nearest = here[int(overlaps.argmax())]
        noise = random.normal(0, 0.06, nearest['keypoints'].shape)
        keypoints = nearest['keypoints'] + noise * np.sqrt(nearest['area'])
        size = info['bbox'][:, 2:] - info['bbox'][:, :2]
        if overlaps.max() < 0.3:
            keypoints = info['bbox'][:, :2] + size * random.rand(*keypoints.shape[1:])
            keypoints = keypoints[None]
        samples.append(
            dict(
                id=info['id'],
                img_id=info['img_id'],
                pred_instances=dict(
                    keypoints=keypoints,
                    keypoint_scores=np.ones(keypoints.shape[:2]),
                    bboxes=info['bbox'],
                ),
                gt_instances=dict(
                    bbox_scores=info['bbox_score'], bbox_scales=PADDING * size
                ),
            )
        )
    return samples


def as_markdown(rows: list[Difference]) -> str:
    """Formats the rows as a Markdown table."""
    headings = ('', 'stock MMPose 1.3.2', 'reference, and here', 'measured')
    return markdown_table(headings, rows, text=range(4))

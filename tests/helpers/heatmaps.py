"""Heatmaps and SimCC vectors to decode, and the codecs that decode them in MMPose."""

import numpy as np
from mmpose.registry import KEYPOINT_CODECS

from fpd_mmpose.decoding import DARK, OFFSETS

#: Width and height.
INPUT, SIZE = (96, 128), (24, 32)
RATIO = 2.0
BINS = (192, 256)
_SIZES = dict(input_size=INPUT, heatmap_size=SIZE)
#: Each codec in MMPose, and what an exported file says of it.
CODECS: dict[str, tuple[dict, dict]] = {
    'FPDHeatmap': (dict(type='FPDHeatmap', sigma=2, **_SIZES), {}),
    'MSRAHeatmap': (dict(type='MSRAHeatmap', sigma=2, **_SIZES), {}),
    DARK: (
        dict(type='MSRAHeatmap', sigma=2, unbiased=True, blur_kernel_size=9, **_SIZES),
        dict(blur_kernel=(9, 9)),
    ),
    'UDPHeatmap': (
        dict(type='UDPHeatmap', blur_kernel_size=7, **_SIZES),
        dict(blur_kernel=(7, 7)),
    ),
    OFFSETS: (
        dict(type='UDPHeatmap', heatmap_type='combined', blur_kernel_size=5, **_SIZES),
        dict(blur_kernel=(11, 11), offset_radius=0.0546875 * SIZE[1]),
    ),
    'MegviiHeatmap': (
        dict(type='MegviiHeatmap', kernel_size=5, **_SIZES),
        dict(blur_kernel=(5, 5)),
    ),
    'SimCCLabel': (
        dict(type='SimCCLabel', input_size=INPUT, sigma=(3.0, 4.0), use_dark=True),
        dict(blur_kernel=(17, 23), split_ratio=RATIO),
    ),
}


def codec(name: str):
    """Builds a codec of MMPose."""
    return KEYPOINT_CODECS.build(CODECS[name][0])


def smooth_outputs(name: str, count: int = 60) -> list[np.ndarray]:
    """Makes outputs of a trained network: peaks of keypoints, and a little noise.

    Returns (count, K, h, w), with 3K channels of ``OFFSETS``; or for SimCC (count, K,
    Wx) and (count, K, Wy). Keypoints lie everywhere, also next to the border.
    """
    encoder = codec(name)
    encoded = []
    for _ in range(count):
        points = np.random.uniform(0, np.subtract(INPUT, 1), (1, 5, 2))
        encoded.append(encoder.encode(points.astype(np.float32), np.ones((1, 5))))
    if name == 'SimCCLabel':
        keys = ('keypoint_x_labels', 'keypoint_y_labels')
        maps = [np.concatenate([one[key] for one in encoded]) for key in keys]
    else:
        maps = [np.stack([one['heatmaps'] for one in encoded])]
    return [
        (
            each * np.random.uniform(0.3, 1, (count, *[1] * (each.ndim - 1)))
            + 1e-3 * each.max() * np.random.rand(*each.shape)
        ).astype(np.float32)
        for each in maps
    ]


def decoded_by_mmpose(name: str, maps: list[np.ndarray]) -> list[np.ndarray]:
    """Decodes one by one; returns keypoints (count, K, 2) and scores (count, K)."""
    decoder = codec(name)
    people = []
    for one in zip(*maps, strict=True):
        given = [each.copy() for each in one]
        if name == 'SimCCLabel':
            given = [each[None] for each in given]
        people.append(decoder.decode(*given))
    return [np.concatenate(part) for part in zip(*people, strict=True)]

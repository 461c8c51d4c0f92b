"""Finds keypoints in the outputs of networks, with NumPy and OpenCV alone."""

from collections.abc import Callable

import numpy as np

from fpd_mmpose.decoding.dark import decode_dark, decode_offsets, decode_udp
from fpd_mmpose.decoding.quarter import decode_megvii, decode_reference, decode_stock
from fpd_mmpose.decoding.simcc import decode_simcc

#: Names of codecs that their class alone does not identify.
DARK = 'MSRAHeatmap(unbiased=True)'
OFFSETS = 'UDPHeatmap(heatmap_type=combined)'

#: The decoding function of each codec. The results are in pixels of the heatmaps, or in
#: bins of the vectors.
DECODERS: dict[str, Callable[..., tuple[np.ndarray, np.ndarray]]] = {
    'FPDHeatmap': decode_reference,
    'MSRAHeatmap': decode_stock,
    DARK: decode_dark,
    'UDPHeatmap': decode_udp,
    OFFSETS: decode_offsets,
    'MegviiHeatmap': decode_megvii,
    'SimCCLabel': decode_simcc,
}

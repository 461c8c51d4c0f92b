"""Reads keypoints from the outputs of exported networks."""

from collections.abc import Mapping

import numpy as np

from fpd_mmpose.decoding import DECODERS
from fpd_mmpose.deploy.model_info import ModelInfo


def read_keypoints(
    info: ModelInfo, outputs: Mapping[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Returns keypoints (n, K, 2) in pixels of the crops, and scores (n, K)."""
    if info.decoded:
        return outputs['keypoints'], outputs['scores']
    return decode_maps(info, *(outputs[name] for name in info.maps))


def decode_maps(info: ModelInfo, *maps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Decodes what ``info.maps`` names, also of a network that decodes by itself."""
    keypoints, scores = DECODERS[info.codec](*maps, **info.settings)
    return keypoints * np.array(info.pixel, np.float32), scores

"""Packs a person for the network, with what a stored teacher asks for."""

from collections.abc import Sequence
from typing import Any

from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class FPDPackPoseInputs(PackPoseInputs):
    """``PackPoseInputs`` that keeps more of what is known of a sample.

    Args:
        extra_keys (Sequence[str]): Keys to keep as metainfo, where a sample has them,
            beside ``meta_keys``. Defaults to ``('warp_mat', 'frame_index')``, by
            which a stored teacher finds and warps its heatmaps.
        **kwargs (Any): Those of ``PackPoseInputs``.
    """

    def __init__(
        self,
        extra_keys: Sequence[str] = ('warp_mat', 'frame_index'),
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.meta_keys = (*self.meta_keys, *extra_keys)

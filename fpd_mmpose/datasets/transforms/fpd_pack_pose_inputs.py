"""Packs a person for the network, including what a stored teacher needs."""

from collections.abc import Sequence
from typing import Any

from mmpose.datasets.transforms import PackPoseInputs
from mmpose.registry import TRANSFORMS


@TRANSFORMS.register_module()
class FPDPackPoseInputs(PackPoseInputs):
    """``PackPoseInputs`` that keeps more of a sample's metainfo.

    Args:
        extra_keys: Keys to keep in addition to ``meta_keys``, where a sample has them.
            The defaults let a stored teacher find and warp its heatmaps.
        **kwargs: Arguments of ``PackPoseInputs``.
    """

    meta_keys: tuple[str, ...]

    def __init__(
        self,
        extra_keys: Sequence[str] = ('warp_mat', 'frame_index'),
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.meta_keys = (*self.meta_keys, *extra_keys)

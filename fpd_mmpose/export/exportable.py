"""The module that is exported: a pose estimator from crops to its outputs."""

import torch
from mmpose.models.pose_estimators import TopdownPoseEstimator
from mmpose.models.utils.tta import flip_heatmaps
from torch import Tensor, nn

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.decode import Decode
from fpd_mmpose.teachers.output_format import as_stages

#: Prefix of the node names of ``ExportedNetwork.network``.
NETWORK = '/network/'


class Normalize(nn.Module):
    """Normalizes images in the order ``info.image_order``."""

    mean: Tensor
    std: Tensor

    def __init__(self, info: ModelInfo) -> None:
        super().__init__()
        self.swap = info.image_order != info.channel_order
        self.register_buffer('mean', torch.tensor(info.mean).view(1, 3, 1, 1))
        self.register_buffer('std', torch.tensor(info.std).view(1, 3, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        """Maps uint8 (N, H, W, 3) to float32 (N, 3, H, W)."""
        images = images.permute(0, 3, 1, 2)
        if self.swap:
            images = images[:, [2, 1, 0]]
        return (images.float() - self.mean) / self.std


class Heatmaps(nn.Module):
    """A top-down estimator up to the heatmaps of its last stage."""

    def __init__(self, model: TopdownPoseEstimator) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        """Maps (N, 3, H, W) to (N, K, h, w)."""
        return as_stages(self.model(inputs, None), 'the network')[-1]


class ExportedNetwork(nn.Module):
    """A top-down estimator with the inputs and outputs that ``info`` describes.

    The names of its parts are prefixes of the node names in the graph.
    """

    def __init__(self, model: TopdownPoseEstimator, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.normalize = Normalize(info) if info.image_order else nn.Identity()
        self.network = Heatmaps(model)
        self.decode = Decode(info) if info.decoded else None
        self.shift = model.test_cfg.get('shift_heatmap', False)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Maps crops to heatmaps (N, K, h, w), and to keypoints and scores if decoded.

        See :class:`ModelInfo` for the formats.
        """
        inputs = self.normalize(inputs)
        if self.info.flip_test:
            # One batch makes half the graph, and is faster for small networks.
            both = torch.stack([inputs, inputs.flip(-1)])
            heatmaps = self.network(both.reshape(-1, *_sizes(inputs)))
            heatmaps = heatmaps.reshape(2, -1, *_sizes(heatmaps))
            mirrored = flip_heatmaps(
                heatmaps[1], list(self.info.flip_indices), shift_heatmap=False
            )
            if self.shift:
                # Not in place, which the tracer would write as a scatter.
                mirrored = torch.cat([mirrored[..., :1], mirrored[..., :-1]], dim=-1)
            heatmaps = (heatmaps[0] + mirrored) * 0.5
        else:
            heatmaps = self.network(inputs)
        return (heatmaps, *self.decode(heatmaps)) if self.decode else (heatmaps,)

    def sample(self, batch: int, seed: int = 0) -> Tensor:
        """Makes a batch of noise that :meth:`forward` accepts."""
        generator = torch.Generator().manual_seed(seed)
        width, height = self.info.input_size
        if self.info.image_order:
            shape = (batch, height, width, 3)
            return torch.randint(256, shape, generator=generator, dtype=torch.uint8)
        return torch.randn(batch, 3, height, width, generator=generator)


def _sizes(tensor: Tensor) -> list[int]:
    """Returns all sizes but that of the batch, as constants for the tracer."""
    return [int(size) for size in tensor.shape[1:]]

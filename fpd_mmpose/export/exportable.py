"""The module that is exported: a pose estimator from crops to its outputs."""

from collections.abc import Sequence

import torch
from mmpose.models.heads import VisPredictHead
from mmpose.models.pose_estimators import TopdownPoseEstimator
from torch import Tensor, nn

from fpd_mmpose.decoding import OFFSETS
from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.decode import Decode
from fpd_mmpose.export.describe import meta_of, rows_of

#: Size of the batch that is traced.
TRACED = 2
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


class Maps(nn.Module):
    """A top-down estimator up to what its codec decodes."""

    def __init__(self, model: TopdownPoseEstimator, info: ModelInfo) -> None:
        super().__init__()
        self.model = model
        self.names = tuple(info.maps)

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Maps (N, 3, H, W) to what ``info.maps`` names."""
        outputs = self.model(inputs, None)
        if isinstance(self.model.head, VisPredictHead):
            outputs = outputs[0]  # the others tell which keypoints are visible
        several = isinstance(outputs, list | tuple)
        if len(self.names) == 1:
            # Of several stages, the last is the answer.
            outputs = (outputs[-1] if several else outputs,)
        if not all(isinstance(each, Tensor) for each in outputs):
            raise UserError(
                f'a network with a {type(self.model.head).__name__} cannot be '
                f'exported: it does not return {" and ".join(self.names)} alone'
            )
        return tuple(outputs)


class Mirror(nn.Module):
    """Turns what is predicted for mirrored crops around, as MMPose's flip test does."""

    signs: Tensor

    def __init__(self, model: TopdownPoseEstimator, info: ModelInfo) -> None:
        super().__init__()
        self.shifts = 'heatmaps' in info.maps and model.test_cfg.get('shift_heatmap')
        self.channels = channels_of(info, meta_of(model)['flip_indices'])
        self.has_offsets = info.codec == OFFSETS
        signs = torch.ones(len(self.channels), 1, 1)
        if self.has_offsets:
            signs[1::3] = -1  # those along x change direction
        self.register_buffer('signs', signs)

    def forward(self, *maps: Tensor) -> list[Tensor]:
        """Maps each of ``info.maps`` to the same shape."""
        first, *rest = maps
        first = first.flip(-1)[:, self.channels]
        if self.has_offsets:
            first = first * self.signs
        if self.shifts:
            # Not in place, which the tracer would write as a scatter.
            first = torch.cat([first[..., :1], first[..., :-1]], dim=-1)
        return [first, *(vectors[:, self.channels] for vectors in rest)]


class ExportedNetwork(nn.Module):
    """A top-down estimator with the inputs and outputs that ``info`` describes.

    The names of its parts are prefixes of the node names in the graph.
    """

    def __init__(self, model: TopdownPoseEstimator, info: ModelInfo) -> None:
        super().__init__()
        self.info = info
        self.normalize = Normalize(info) if info.image_order else nn.Identity()
        self.network = Maps(model, info)
        self.mirror = Mirror(model, info) if info.flip_test else None
        rows = rows_of(model)
        self.channels = None if rows is None else channels_of(info, rows)
        self.decode = Decode(info) if info.decoded else None

    def forward(self, inputs: Tensor) -> tuple[Tensor, ...]:
        """Maps crops to ``info.maps``, and to keypoints and scores if decoded.

        See :class:`ModelInfo` for the formats.
        """
        inputs = self.normalize(inputs)
        if self.mirror is not None:
            # One batch makes half the graph, and is faster for small networks.
            both = torch.stack([inputs, inputs.flip(-1)])
            pairs = [
                maps.reshape(2, -1, *_sizes(maps))
                for maps in self.network(both.reshape(-1, *_sizes(inputs)))
            ]
            mirrored = self.mirror(*(pair[1] for pair in pairs))
            maps = [
                (pair[0] + other) * 0.5
                for pair, other in zip(pairs, mirrored, strict=True)
            ]
        else:
            maps = list(self.network(inputs))
        if self.channels is not None:
            maps = [each[:, self.channels] for each in maps]
        return (*maps, *self.decode(*maps)) if self.decode else tuple(maps)

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


def channels_of(info: ModelInfo, joints: Sequence[int]) -> list[int]:
    """Lists the channels of keypoints, which are three each with offsets."""
    count = 3 if info.codec == OFFSETS else 1
    return [count * int(joint) + each for joint in joints for each in range(count)]

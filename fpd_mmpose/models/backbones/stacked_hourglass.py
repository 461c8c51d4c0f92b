"""The stacked hourglass network of the reference, whose output is heatmaps."""

import torch.nn as nn
import torch.nn.functional as F
from mmengine.model import BaseModule, Sequential
from mmpose.registry import MODELS
from torch import Tensor

from fpd_mmpose.errors import UserError

#: How many times one hourglass halves the resolution.
HOURGLASS_DEPTH = 4
#: The stem divides the input by 4 and every hourglass halves it 4 times more.
SIZE_DIVISOR = 4 * 2**HOURGLASS_DEPTH


class PreActBottleneck(BaseModule):
    """A residual block: BN-ReLU-1x1, BN-ReLU-3x3, BN-ReLU-1x1, and a skip."""

    def __init__(self, in_channels: int, mid_channels: int) -> None:
        super().__init__()
        out_channels = 2 * mid_channels
        self.norm1 = nn.BatchNorm2d(in_channels)
        self.conv1 = nn.Conv2d(in_channels, mid_channels, 1)
        self.norm2 = nn.BatchNorm2d(mid_channels)
        self.conv2 = nn.Conv2d(mid_channels, mid_channels, 3, padding=1)
        self.norm3 = nn.BatchNorm2d(mid_channels)
        self.conv3 = nn.Conv2d(mid_channels, out_channels, 1)
        self.skip = (
            nn.Identity()
            if in_channels == out_channels
            else nn.Conv2d(in_channels, out_channels, 1)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Maps (N, in_channels, H, W) to (N, 2 * mid_channels, H, W)."""
        out = self.conv1(F.relu(self.norm1(x), inplace=True))
        out = self.conv2(F.relu(self.norm2(out), inplace=True))
        out = self.conv3(F.relu(self.norm3(out), inplace=True))
        return out + self.skip(x)


def _blocks(channels: int, num_blocks: int) -> Sequential:
    return Sequential(
        *(PreActBottleneck(channels, channels // 2) for _ in range(num_blocks))
    )


class Hourglass(BaseModule):
    """One hourglass, a U-shaped recursion that halves the size ``depth`` times."""

    def __init__(self, depth: int, channels: int, num_blocks: int) -> None:
        super().__init__()
        self.skip = _blocks(channels, num_blocks)
        self.down = _blocks(channels, num_blocks)
        self.inner = (
            Hourglass(depth - 1, channels, num_blocks)
            if depth > 1
            else _blocks(channels, num_blocks)
        )
        self.up = _blocks(channels, num_blocks)

    def forward(self, x: Tensor) -> Tensor:
        """Maps features (N, channels, H, W) to features of the same shape."""
        low = self.up(self.inner(self.down(F.max_pool2d(x, 2))))
        return self.skip(x) + F.interpolate(low, scale_factor=2, mode='nearest')


class HourglassStack(BaseModule):
    """An hourglass, the layers from its features to heatmaps, and those back.

    The last stack feeds nothing back.
    """

    def __init__(
        self, channels: int, num_blocks: int, num_joints: int, last: bool
    ) -> None:
        super().__init__()
        self.hourglass = Hourglass(HOURGLASS_DEPTH, channels, num_blocks)
        self.blocks = _blocks(channels, num_blocks)
        self.conv = nn.Conv2d(channels, channels, 1)
        self.norm = nn.BatchNorm2d(channels)
        self.score = nn.Conv2d(channels, num_joints, 1)
        self.last = last
        if not last:
            self.merge_features = nn.Conv2d(channels, channels, 1)
            self.merge_score = nn.Conv2d(num_joints, channels, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the features for the next stack and this stack's heatmaps."""
        features = self.conv(self.blocks(self.hourglass(x)))
        features = F.relu(self.norm(features), inplace=True)
        heatmaps = self.score(features)
        if not self.last:
            x = x + self.merge_features(features) + self.merge_score(heatmaps)
        return x, heatmaps


@MODELS.register_module()
class StackedHourglass(BaseModule):
    """The stacked hourglass network of FPD: the teacher (8x256) or the student (4x128).

    Each stack predicts heatmaps, which are fed back into the next stack, so the
    heatmaps belong to the backbone. Put ``CPMHead(final_layer=None,
    deconv_out_channels=None)`` on it, which adds no weights, sums the stacks' losses,
    and decodes the last stack. The network differs from MMPose's ``HourglassNet`` in
    its blocks, its feedback, and its free width (Newell et al., ECCV 2016, section 3;
    layer sizes as in the reference). Like the reference it keeps PyTorch's default
    initialization.

    Args:
        num_stacks: The number of hourglasses in a row.
        num_features: The number of channels, a multiple of 4.
        num_blocks: The number of residual blocks on each branch.
        num_joints: The number of heatmaps of each stack.

    Raises:
        UserError: If a number is not positive, or ``num_features`` is not a multiple of
            4.

    Example:
        >>> import torch
        >>> from fpd_mmpose import StackedHourglass
        >>> network = StackedHourglass(num_stacks=2, num_features=16).eval()
        >>> [tuple(heatmaps.shape) for heatmaps in network(torch.zeros(1, 3, 64, 128))]
        [(1, 16, 16, 32), (1, 16, 16, 32)]
    """

    def __init__(
        self,
        num_stacks: int = 4,
        num_features: int = 128,
        num_blocks: int = 1,
        num_joints: int = 16,
    ) -> None:
        super().__init__()
        sizes = num_stacks, num_features, num_blocks, num_joints
        if not all(isinstance(size, int) and size >= 1 for size in sizes):
            raise UserError(
                'StackedHourglass needs num_stacks, num_features, num_blocks, and '
                'num_joints to be whole numbers of at least 1, got '
                f'{", ".join(map(repr, sizes))}'
            )
        if num_features % 4:
            raise UserError(
                'StackedHourglass needs num_features to be a multiple of 4, got '
                f'{num_features}'
            )
        quarter, half = num_features // 4, num_features // 2
        self.stem = Sequential(
            nn.Conv2d(3, quarter, 7, stride=2, padding=3),
            nn.BatchNorm2d(quarter),
            nn.ReLU(inplace=True),
            PreActBottleneck(quarter, quarter),
            nn.MaxPool2d(2),
            PreActBottleneck(half, half),
            PreActBottleneck(num_features, half),
        )
        self.stacks = nn.ModuleList(
            HourglassStack(
                num_features, num_blocks, num_joints, last=index == num_stacks - 1
            )
            for index in range(num_stacks)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Computes the heatmaps of every stack.

        Args:
            x: Images, (N, 3, H, W).

        Returns:
            ``num_stacks`` tensors (N, num_joints, H / 4, W / 4).

        Raises:
            UserError: If H or W is not divisible by 64.
        """
        height, width = x.shape[-2:]
        if height % SIZE_DIVISOR or width % SIZE_DIVISOR:
            raise UserError(
                f'StackedHourglass needs an input height and width divisible by '
                f'{SIZE_DIVISOR}, got {height} x {width}: change input_size of the '
                'codec'
            )
        x = self.stem(x)
        outputs = []
        for stack in self.stacks:
            x, heatmaps = stack(x)
            outputs.append(heatmaps)
        return tuple(outputs)

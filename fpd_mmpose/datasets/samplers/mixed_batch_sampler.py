"""Batches of labelled and unlabelled people."""

import math
from collections.abc import Iterator, Sequence

import torch
from mmengine.dataset import DefaultSampler
from mmpose.datasets import CombinedDataset
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler


@DATA_SAMPLERS.register_module()
class MixedBatchSampler(Sampler[list[int]]):
    """Mixes the parts of a ``CombinedDataset`` in every batch, in a set ratio.

    An epoch is one pass over the *first* part, the labelled people, so that schedules
    and validation mean what they mean without the others. Each of its people is drawn
    once (a few twice, to fill the last batch). The other parts go on in the next epoch
    where they stopped in the last one, and start anew, in another order, when they are
    through.

    Which people a batch has depends on the seed, the epoch and the rank alone: a
    resumed run goes on with what the interrupted one would have drawn.

    MMPose's ``MultiSourceSampler`` counts an epoch over all people, and starts again
    from the first of them when a run is resumed.

    Args:
        sampler (DefaultSampler): The data loader's ``sampler``, which gives the data
            set, the seed and the rank.
        batch_size (int): People in a batch, of all parts; the data loader's.
        source_ratio (Sequence[float]): How many people of each part there are in a
            batch, in proportion. ``[1, 1]`` is half and half.

    Raises:
        ValueError: If the data set is not a combined one, or the ratio leaves a part
            without people.
    """

    def __init__(
        self,
        sampler: DefaultSampler,
        batch_size: int,
        source_ratio: Sequence[float],
    ):
        dataset = sampler.dataset
        if not isinstance(dataset, CombinedDataset):
            raise ValueError(
                'MixedBatchSampler needs a CombinedDataset of labelled and unlabelled '
                f'people, got {type(dataset).__name__}'
            )
        sizes = dataset.lens
        if len(source_ratio) != len(sizes):
            raise ValueError(
                f'source_ratio has {len(source_ratio)} entries, and the data set '
                f'{len(sizes)} parts'
            )
        if any(ratio <= 0 for ratio in source_ratio):
            raise ValueError(f'source_ratio must be positive, got {source_ratio}')
        for number, size in enumerate(sizes):
            if not size:
                raise ValueError(f'part {number} of the CombinedDataset has no people')
        total = sum(source_ratio)
        counts = [round(batch_size * ratio / total) for ratio in source_ratio]
        counts[0] = batch_size - sum(counts[1:])
        if min(counts) < 1:
            raise ValueError(
                f'a batch of {batch_size} in the ratio {list(source_ratio)} would have '
                f'{counts} people of the parts: enlarge batch_size'
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.sizes = sizes
        self.counts = counts
        self.num_batches = math.ceil(sizes[0] / (counts[0] * sampler.world_size))

    def __len__(self) -> int:
        """The batches of an epoch, on this rank."""
        return self.num_batches

    def __iter__(self) -> Iterator[list[int]]:
        """Draws the batches of the sampler's epoch.

        Yields:
            list[int]: Indices into the combined data set, part by part.
        """
        epoch, world_size = self.sampler.epoch, self.sampler.world_size
        offset, drawn = 0, []
        for part, (size, count) in enumerate(zip(self.sizes, self.counts, strict=True)):
            needed = self.num_batches * count * world_size
            if part == 0:
                # One lap is one epoch, and is filled up from its own beginning.
                lap = self._lap(part, epoch)
                indices = (lap * math.ceil(needed / size))[:needed]
            else:
                indices = self._stretch(part, epoch * needed, needed)
            mine = indices[self.sampler.rank :: world_size]
            drawn.append([offset + index for index in mine])
            offset += size
        for number in range(self.num_batches):
            yield [
                index
                for indices, count in zip(drawn, self.counts, strict=True)
                for index in indices[number * count : (number + 1) * count]
            ]

    def _stretch(self, part: int, start: int, length: int) -> list[int]:
        """A stretch of endless laps over a part."""
        size = self.sizes[part]
        first, last = start // size, (start + length - 1) // size
        laps = [
            index for lap in range(first, last + 1) for index in self._lap(part, lap)
        ]
        return laps[start - first * size :][:length]

    def _lap(self, part: int, number: int) -> list[int]:
        """The order of a part in one of its laps."""
        size = self.sizes[part]
        if not self.sampler.shuffle:
            return list(range(size))
        generator = torch.Generator()
        # Parts of one size get orders of their own.
        generator.manual_seed(self.sampler.seed + number + 1_000_003 * part)
        return torch.randperm(size, generator=generator).tolist()

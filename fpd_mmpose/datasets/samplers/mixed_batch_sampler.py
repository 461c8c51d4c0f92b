"""Batches of labeled and unlabeled people."""

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence

import torch
from mmengine.dataset import DefaultSampler, InfiniteSampler
from mmpose.datasets import CombinedDataset
from mmpose.registry import DATA_SAMPLERS
from torch.utils.data import Sampler

from fpd_mmpose.draws import Draw, take_start
from fpd_mmpose.errors import UserError


@DATA_SAMPLERS.register_module()
class MixedBatchSampler(Sampler[list[int]]):
    """Mixes the parts of a ``CombinedDataset`` in every batch, in a fixed ratio.

    An epoch is one pass over the *first* part, the labeled people, so that schedules
    and validation mean the same as without the others. Each labeled person is drawn
    once (a few twice, to fill the last batch). The other parts continue in the next
    epoch where they stopped, and start over in another order at their end.

    The people of a batch depend only on the seed, the epoch, and the rank, so that a
    resumed run draws the same people as an uninterrupted one. MMPose's
    ``MultiSourceSampler`` counts an epoch over all people and starts over when a run is
    resumed.

    Args:
        sampler: The ``sampler`` of the dataloader, which has the dataset, the seed, and
            the rank. With an ``InfiniteSampler``, for runs of iterations, one epoch
            follows the other.
        batch_size: People in a batch, of all parts; the dataloader's.
        source_ratio: People of each part in a batch, in proportion: ``[1, 1]`` is half
            and half.

    Raises:
        UserError: If the dataset is not a combined one, or the ratio leaves a part
            without people.

    Example:
        >>> import json, tempfile
        >>> from pathlib import Path
        >>> from mmengine.dataset import DefaultSampler
        >>> from mmpose.datasets import CombinedDataset
        >>> from fpd_mmpose.datasets import FPDMpiiDataset, MixedBatchSampler
        >>> person = dict(image='1.jpg', center=[60, 80], scale=0.5,
        ...               joints=[[60, 80]] * 16, joints_vis=[1] * 16)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, 'people.json')
        ...     _ = path.write_text(json.dumps([person] * 4))
        ...     part = dict(type='FPDMpiiDataset', ann_file=str(path))
        ...     dataset = CombinedDataset(FPDMpiiDataset.METAINFO, [part, part])
        >>> sampler = DefaultSampler(dataset, shuffle=False)
        >>> list(MixedBatchSampler(sampler, batch_size=4, source_ratio=[1, 1]))
        [[0, 1, 4, 5], [2, 3, 6, 7]]
    """

    def __init__(
        self,
        sampler: DefaultSampler | InfiniteSampler,
        batch_size: int,
        source_ratio: Sequence[float],
    ) -> None:
        dataset = sampler.dataset
        if not isinstance(dataset, CombinedDataset):
            raise UserError(
                'MixedBatchSampler needs a CombinedDataset of labeled and unlabeled '
                f'people, got {type(dataset).__name__}'
            )
        sizes = dataset._lens  # MMPose 1.3.1 has no `lens`
        if len(source_ratio) != len(sizes):
            raise UserError(
                f'source_ratio has {len(source_ratio)} entries but the dataset has '
                f'{len(sizes)} parts'
            )
        if any(ratio <= 0 for ratio in source_ratio):
            raise UserError(f'source_ratio must be positive, got {source_ratio}')
        for number, size in enumerate(sizes):
            if not size:
                raise UserError(f'part {number} of the CombinedDataset has no people')
        total = sum(source_ratio)
        counts = [round(batch_size * ratio / total) for ratio in source_ratio]
        counts[0] = batch_size - sum(counts[1:])
        if min(counts) < 1:
            raise UserError(
                f'a batch of {batch_size} in the ratio {list(source_ratio)} would have '
                f'{counts} people of the parts: increase batch_size'
            )
        self.sampler = sampler
        self.batch_size = batch_size
        self.sizes = sizes
        self.counts = counts
        self.num_batches = math.ceil(sizes[0] / (counts[0] * sampler.world_size))

    def __len__(self) -> int:
        """Returns the number of batches per epoch and rank."""
        return self.num_batches

    def __iter__(self) -> Iterator[list[int]]:
        """Draws batches of indices into the combined dataset, ordered by part."""
        first = take_start(self.sampler) // self.batch_size
        if isinstance(self.sampler, InfiniteSampler):
            first_epoch, first = divmod(first, self.num_batches)
            epochs: Iterable[int] = itertools.count(first_epoch)
        else:
            epochs = [self.sampler.epoch]
        for epoch in epochs:
            yield from itertools.islice(self._epoch(epoch), first, None)
            first = 0

    def _epoch(self, epoch: int) -> Iterator[list[int]]:
        world_size = self.sampler.world_size
        offset, drawn = 0, []
        for part, (size, count) in enumerate(zip(self.sizes, self.counts, strict=True)):
            needed = self.num_batches * count * world_size
            if part == 0:
                # One lap is one epoch; its beginning fills the last batch.
                lap = self._lap(part, epoch)
                indices = (lap * math.ceil(needed / size))[:needed]
            else:
                indices = self._stretch(part, epoch * needed, needed)
            mine = indices[self.sampler.rank :: world_size]
            drawn.append([offset + index for index in mine])
            offset += size
        key = self.sampler.seed, self.sampler.rank, epoch
        for number in range(self.num_batches):
            batch = [
                index
                for indices, count in zip(drawn, self.counts, strict=True)
                for index in indices[number * count : (number + 1) * count]
            ]
            first = number * self.batch_size
            yield [Draw(index, (*key, first + at)) for at, index in enumerate(batch)]

    def _stretch(self, part: int, start: int, length: int) -> list[int]:
        """Returns a stretch of endless laps over a part."""
        size = self.sizes[part]
        first, last = start // size, (start + length - 1) // size
        laps = [
            index for lap in range(first, last + 1) for index in self._lap(part, lap)
        ]
        return laps[start - first * size :][:length]

    def _lap(self, part: int, number: int) -> list[int]:
        """Returns the order of a part in one of its laps."""
        size = self.sizes[part]
        if not self.sampler.shuffle:
            return list(range(size))
        generator = torch.Generator()
        # Parts of the same size need different orders.
        generator.manual_seed(self.sampler.seed + number + 1_000_003 * part)
        return torch.randperm(size, generator=generator).tolist()

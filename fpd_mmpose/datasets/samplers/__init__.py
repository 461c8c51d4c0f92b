"""Samplers."""

from fpd_mmpose.datasets.samplers.mixed_batch_sampler import (
    MixedBatchSampler as MixedBatchSampler,
)

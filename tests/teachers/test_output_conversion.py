"""A teacher's output means the same on both sides, whatever the two codecs."""

import itertools
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from mmpose.codecs import MegviiHeatmap, MSRAHeatmap, SimCCLabel, UDPHeatmap
from mmpose.models.losses import KLDiscretLoss
from torch import nn

from fpd_mmpose.codecs import FPDHeatmap
from fpd_mmpose.models import HeatmapDistillLoss, SimCCDistillLoss
from fpd_mmpose.teachers.output_conversion import Conversion
from fpd_mmpose.teachers.output_format import OutputFormat, describe_output

#: Input and heatmap size (w, h) of a codec, and the sigma of its heatmaps.
SMALL = (192, 256), (48, 64), 2.0
LARGE = (288, 384), (72, 96), 3.0
FINE = (192, 256), (96, 128), 3.0
#: The middles of every ninth of the input, as shares.
NINTHS = np.array(list(itertools.product((1 / 6, 1 / 2, 5 / 6), repeat=2)))


def msra(size, cells, sigma):
    return MSRAHeatmap(size, cells, sigma=sigma)


def dark(size, cells, sigma):
    return MSRAHeatmap(size, cells, sigma=sigma, unbiased=True)


def udp(size, cells, sigma):
    return UDPHeatmap(size, cells, sigma=sigma)


def megvii(size, cells, sigma):
    return MegviiHeatmap(size, cells, kernel_size=11)


def fpd(size, cells, sigma):
    return FPDHeatmap(size, cells, sigma=sigma)


def simcc(size, cells, sigma):
    """SimCC as RTMPose has it, whose labels pass through a softmax."""
    sigmas = tuple(np.array(size) / 192 * 4.9)
    return SimCCLabel(size, sigma=sigmas, simcc_split_ratio=2.0, normalize=False)


def simcc_densities(size, cells, sigma):
    """SimCC as its paper has it, whose labels are densities."""
    return SimCCLabel(size, sigma=6.0, simcc_split_ratio=2.0)


CODECS = [msra, dark, udp, megvii, fpd, simcc, simcc_densities]
#: Codecs whose targets are centered on whole cells.
ROUNDING = (msra, fpd, megvii, simcc, simcc_densities)


class Head(nn.Module):
    """The head of a perfect network for one image with joints (K, 2)."""

    def __init__(self, codec, joints: np.ndarray) -> None:
        super().__init__()
        self.decoder = codec
        softmax = isinstance(codec, SimCCLabel) and not codec.normalize
        self.loss_module = KLDiscretLoss(
            beta=10.0 if softmax else 1.0, label_softmax=softmax, label_beta=10.0
        )
        encoded = codec.encode(joints[None], np.ones((1, len(joints)), np.float32))
        if isinstance(codec, SimCCLabel):
            labels = [torch.from_numpy(encoded[f'keypoint_{a}_labels']) for a in 'xy']
            # With these, the softmax of the loss gives the labels of the loss.
            self.output = tuple(
                one if softmax else (one + 1e-12).log() for one in labels
            )
        else:
            self.output = torch.from_numpy(encoded['heatmaps'])[None]


class Network(nn.Module):
    """What :func:`describe_output` needs of a network."""

    with_head = True

    def __init__(self, head: Head) -> None:
        super().__init__()
        self.head = head


def perfect(make, sizes, shares) -> tuple[OutputFormat, Any]:
    """Returns the format and the output of a network that is never wrong."""
    return _perfect(make, sizes, tuple(map(tuple, shares.tolist())))


@cache
def _perfect(make, sizes, shares) -> tuple[OutputFormat, Any]:
    size = np.array(sizes[0])
    network = Network(Head(make(*sizes), (shares * size).astype(np.float32)))
    output = network.head.output
    return describe_output(network, 'the network', sizes[0], output), output


def centers(values, form: OutputFormat) -> np.ndarray:
    """Finds the middles of targets, (K, 2), as shares of the input."""
    if not isinstance(values, tuple):
        positive = values.clamp(min=0)
        values = positive.sum(2), positive.sum(3)
    found = []
    for one, axis in zip(values, form.axes, strict=True):
        weights = one[0].double().numpy()
        highest = weights.max(1, keepdims=True)
        weights[weights < highest / 500] = 0  # a softmax is nowhere 0
        found.append((weights * axis.shares()).sum(1) / weights.sum(1))
    return np.stack(found, axis=1)


def on_cells(make, sizes, shares) -> np.ndarray:
    """Returns the closest places that the codec does not round."""
    form, _ = perfect(make, sizes, shares)
    first = np.array([axis.first for axis in form.axes])
    stride = np.array([axis.stride for axis in form.axes])
    cells = np.round((shares * sizes[0] - first) / stride)
    return (cells * stride + first) / sizes[0]


SIZES = pytest.mark.parametrize(
    'sizes',
    [(SMALL, SMALL), (LARGE, SMALL), (FINE, SMALL)],
    ids='same large fine'.split(),
)
TEACHERS = pytest.mark.parametrize('theirs', CODECS, ids=lambda make: make.__name__)
STUDENTS = pytest.mark.parametrize('mine', CODECS, ids=lambda make: make.__name__)


@SIZES
@TEACHERS
@STUDENTS
def test_a_perfect_teacher_teaches_the_students_own_target(mine, theirs, sizes):
    # For codecs that round, the mean over the positions in a cell counts.
    steps, shares = [0.0], NINTHS
    if theirs in ROUNDING:
        steps, shares = (
            [-0.375, -0.125, 0.125, 0.375],
            on_cells(theirs, sizes[0], NINTHS),
        )
    off, peaks = [], []
    for step in steps:
        there = shares + step / np.array(sizes[0][1])
        teacher, output = perfect(theirs, sizes[0], there)
        student, _ = perfect(mine, sizes[1], there)
        taught = Conversion(teacher, student)(output)
        off.append((centers(taught.values, student) - there) * sizes[1][0])
        peaks.append(taught.confidence()[0].numpy())
        if not student.simcc:
            highest = taught.values[0].amax((1, 2)).numpy()
            np.testing.assert_allclose(highest, student.peak * peaks[-1], rtol=1e-5)
    # Input pixels of the student.
    assert np.abs(np.mean(off, axis=0)).max() < 0.1
    np.testing.assert_allclose(np.mean(peaks, axis=0), 1, atol=0.1)


@SIZES
@TEACHERS
@STUDENTS
def test_a_student_that_equals_its_own_target_has_nearly_no_loss(mine, theirs, sizes):
    shares = on_cells(theirs, sizes[0], NINTHS)
    teacher, output = perfect(theirs, sizes[0], shares)
    student, own = perfect(mine, sizes[1], shares)
    taught = Conversion(teacher, student)(output)
    if student.simcc:
        loss = SimCCDistillLoss(beta=student.beta)
        nothing = tuple(torch.zeros_like(one) for one in own)
    else:
        loss = HeatmapDistillLoss()
        nothing = torch.zeros_like(own)
    assert loss([own], taught.values) < 0.1 * loss([nothing], taught.values)


def test_formats_that_agree_change_nothing():
    form, output = perfect(msra, SMALL, NINTHS)
    assert Conversion(form, form)(output).values is output

"""Export of pose estimators in 8 bits."""

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from mmengine.config import Config
from mmengine.dataset import BaseDataset
from mmpose.registry import DATASETS
from onnx import ModelProto
from torch import nn

from fpd_mmpose.config import metrics_of, set_data_root
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.int8.calibration import (
    ImageFolder,
    crops,
    headline,
    score,
    training_people,
)
from fpd_mmpose.export.int8.quantizing import (
    batch_norms_to_convolutions,
    measure_ranges,
)
from fpd_mmpose.export.int8.search import LIMIT, Search, quantizable
from fpd_mmpose.export.onnx_export import Checked, checked_graph, source_of, write
from fpd_mmpose.export.options import PLAIN, ExportOptions, ExportReport
from fpd_mmpose.weights.initialization import load_model

#: People that set the ranges, and as many others that decide about layers.
PEOPLE = 64


@dataclass(frozen=True)
class Int8Report:
    """What was exported, and the change of the results.

    ``moved`` is the share of keypoints, of people that did not set the ranges, that
    move by more than a heatmap pixel.
    """

    written: ExportReport
    moved: float
    layers: tuple[int, int]  # nodes in 8 bits, and those that could be
    before: dict[str, float] | None = None  # test metrics
    after: dict[str, float] | None = None

    def __str__(self) -> str:
        lines = [
            str(self.written),
            f'{self.layers[0]} of {self.layers[1]} nodes in 8 bits: {self.moved:.2%} '
            'of the keypoints move by more than a heatmap pixel',
        ]
        if self.before and self.after:
            name = headline(self.before)
            before, after = self.before[name], self.after[name]
            lines.append(
                f'{name} on the test set: {before:.2f} in float32, {after:.2f} in '
                f'8 bits ({after - before:+.2f})'
            )
        else:
            lines.append('the score is not measured without labels')
        return '\n'.join(lines)


def export_int8(
    config: str | Path | dict | Config,
    checkpoint: str,
    out: str | Path,
    folder: str | Path,
    options: ExportOptions = PLAIN,
    limit: float | None = LIMIT,
    log: Callable[[str], None] = lambda line: None,
) -> Int8Report:
    """Exports a trained pose estimator in 8 bits, see :func:`quantize_model`.

    ``folder`` is a data root of the config, whose training people calibrate and whose
    test people measure the change of the score; or a folder of images of one person
    each, which only calibrate.
    """
    if not Path(folder).is_dir():
        raise UserError(f'"{folder}" is not a folder of people to calibrate with')
    model = load_model(config, checkpoint)
    images, test = ImageFolder(model, folder), None
    people: BaseDataset | ImageFolder = images
    if not len(images):
        data: Any = copy.deepcopy(model.cfg)
        set_data_root(data, folder)
        people, test = (
            training_people(data),
            DATASETS.build(data.test_dataloader.dataset),
        )
    source = source_of(config, checkpoint)
    checked = checked_graph(model, replace(options, precision='fp32'), source)
    inputs = crops(people, checked.info, 2 * PEOPLE)
    if len(inputs) < 2:
        raise UserError(f'"{folder}" has fewer than 2 people to calibrate with')
    log(f'calibrating on {len(inputs)} people of {folder}')
    quantized, moved, layers = _quantize(checked, inputs, limit, log)
    before = after = None
    if test is not None:
        metrics = metrics_of(data, 'test')
        log(f'measuring the score on {len(test)} people')
        before, after = (
            score(each.graph, each.info, model, test, metrics)
            for each in (checked, quantized)
        )
    return Int8Report(write(quantized, out), moved, layers, before, after)


def quantize_model(
    model: nn.Module,
    out: str | Path,
    inputs: Sequence[np.ndarray],
    options: ExportOptions = PLAIN,
    source: dict[str, str] | None = None,
    limit: float | None = LIMIT,
    log: Callable[[str], None] = lambda line: None,
) -> Int8Report:
    """Exports a pose estimator in 8 bits, calibrated on inputs of one person each.

    One half of the at least 2 inputs sets the ranges, and the other decides which
    layers stay in float32 so that no more than ``limit`` of the keypoints move by more
    than a heatmap pixel; None quantizes all that can be, as for random weights. The
    precision in ``options`` is ignored.
    """
    checked = checked_graph(model, replace(options, precision='fp32'), source)
    quantized, moved, layers = _quantize(checked, inputs, limit, log)
    return Int8Report(write(quantized, out), moved, layers)


def _quantize(
    checked: Checked,
    inputs: Sequence[np.ndarray],
    limit: float | None,
    log: Callable[[str], None],
) -> tuple[Checked, float, tuple[int, int]]:
    graph = ModelProto()
    graph.CopyFrom(checked.graph)
    batch_norms_to_convolutions(graph.graph)
    ranges = measure_ranges(graph, inputs[::2])
    search = Search(graph, ranges, checked.info, inputs[1::2], log)
    quantized, nodes, moved = search.find(1.0 if limit is None else limit)
    onnx.checker.check_model(quantized, full_check=True)
    info = replace(checked.info, precision='int8')
    done = checked._replace(graph=quantized, info=info)
    return done, moved, (len(nodes), len(quantizable(graph.graph)))

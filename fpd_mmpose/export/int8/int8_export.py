"""Pose estimators written as ONNX files in 8 bits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
from mmengine.config import Config
from onnx import ModelProto
from torch import nn

from fpd_mmpose.export.int8 import calibration as data
from fpd_mmpose.export.int8.quantising import norms_as_convolutions
from fpd_mmpose.export.int8.ranges import measure_ranges
from fpd_mmpose.export.int8.score import headline, score
from fpd_mmpose.export.int8.search import LIMIT, Search, quantisable
from fpd_mmpose.export.onnx_export import Checked, checked_graph, source_of, write
from fpd_mmpose.export.options import PLAIN, ExportOptions, ExportReport
from fpd_mmpose.weights.initialization import load_model

#: People whose values set the ranges, and so many more that layers are chosen by.
PEOPLE = 64


@dataclass(frozen=True)
class Int8Report:
    """What was written, and what it cost.

    Attributes:
        written (ExportReport): The file; its difference is that of the float32 graph.
        moved (float): Share of keypoints, of people held back from the calibration,
            that move by more than a heatmap pixel.
        layers (tuple[int, int]): Nodes in 8 bits, and those that could be.
        before (dict[str, float], optional): Test metrics in float32.
        after (dict[str, float], optional): In 8 bits.
    """

    written: ExportReport
    moved: float
    layers: tuple[int, int]
    before: dict[str, float] | None = None
    after: dict[str, float] | None = None

    def __str__(self) -> str:
        """Some lines."""
        lines = [
            str(self.written),
            f'{self.layers[0]} of {self.layers[1]} nodes in 8 bits: {self.moved:.2%} '
            'of the keypoints move by more than a heatmap pixel',
        ]
        if self.before and self.after:
            name = headline(self.before)
            change = self.after[name] - self.before[name]
            lines.append(
                f'{name} of the test people: {self.before[name]:.2f} in float32, '
                f'{self.after[name]:.2f} in 8 bits ({change:+.2f})'
            )
        else:
            lines.append('without labels, the score is not measured')
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
    """Writes a trained pose estimator as an ONNX file in 8 bits.

    Ranges are measured, and layers chosen, on people that the network was trained on;
    the change of the score is that of its test people.

    Args:
        config (str | Path | dict | Config): See :func:`export_onnx`.
        checkpoint (str): Path or URL of its weights.
        out (str | Path): The file to write.
        folder (str | Path): Root of the config's data; or a folder of images, each of
            which is one person, and the score is not measured.
        options (ExportOptions): How; its precision is not looked at.
        limit (float, optional): See :func:`quantise_model`.
        log (Callable[[str], None]): Is told what is done.

    Returns:
        Int8Report: What was written.

    Raises:
        ValueError: See :func:`export_onnx`; and if there are no people, or too many
            keypoints move whatever is kept in float32. One line.
    """
    if not Path(folder).is_dir():
        raise ValueError(f'--int8: "{folder}" is not a folder')
    model = load_model(config, checkpoint)
    pictures = data.Pictures(model, folder)
    labelled = not len(pictures)
    people = data.training_people(model.cfg, folder) if labelled else pictures
    test = data.test_people(model.cfg, folder) if labelled else None
    checked = _float32(model, options, source_of(config, checkpoint))
    inputs = data.crops(people, checked.info, 2 * PEOPLE)
    if len(inputs) < 2:
        raise ValueError(f'--int8: "{folder}" has fewer than 2 people')
    log(f'calibrates on {len(inputs)} people of {folder}')
    quantised, moved, layers = _quantise(checked, inputs, limit, log)
    before = after = None
    if test is not None:
        metrics = data.test_metrics(model.cfg, folder)
        log(f'measures on {len(test)} people')
        before, after = (
            score(one.graph, one.info, model, test, metrics)
            for one in (checked, quantised)
        )
    return Int8Report(write(quantised, out), moved, layers, before, after)


def quantise_model(
    model: nn.Module,
    out: str | Path,
    inputs: Sequence[np.ndarray],
    options: ExportOptions = PLAIN,
    source: dict[str, str] | None = None,
    limit: float | None = LIMIT,
    log: Callable[[str], None] = lambda line: None,
) -> Int8Report:
    """Writes a pose estimator as an ONNX file in 8 bits, calibrated on given crops.

    Args:
        model (nn.Module): As MMPose's ``init_model`` gives it. It stays as it is.
        out (str | Path): The file to write.
        inputs (Sequence[np.ndarray]): What the file takes, see :class:`ModelInfo`, of
            one person each, at least 2. Ranges are measured on one half, layers chosen
            on the other.
        options (ExportOptions): How; its precision is not looked at.
        source (dict[str, str], optional): See :class:`ModelInfo`.
        limit (float, optional): Share of keypoints that may move by more than a heatmap
            pixel; None takes 8 bits wherever it can, as for random weights.
        log (Callable[[str], None]): Is told what is done.

    Returns:
        Int8Report: What was written; without scores.

    Raises:
        ValueError: See :func:`export_int8`. One line.
    """
    checked = _float32(model, options, source)
    quantised, moved, layers = _quantise(checked, inputs, limit, log)
    return Int8Report(write(quantised, out), moved, layers)


def _float32(
    model: nn.Module, options: ExportOptions, source: dict[str, str] | None
) -> Checked:
    return checked_graph(model, replace(options, precision='fp32'), source)


def _quantise(
    checked: Checked,
    inputs: Sequence[np.ndarray],
    limit: float | None,
    log: Callable[[str], None],
) -> tuple[Checked, float, tuple[int, int]]:
    graph = ModelProto()
    graph.CopyFrom(checked.graph)
    norms_as_convolutions(graph.graph)
    ranges = measure_ranges(graph, inputs[::2])
    search = Search(graph, ranges, checked.info, inputs[1::2], log)
    quantised, nodes, moved = search.find(1.0 if limit is None else limit)
    onnx.checker.check_model(quantised, full_check=True)
    info = replace(checked.info, precision='int8')
    done = Checked(quantised, info, checked.difference, checked.peak)
    return done, moved, (len(nodes), len(quantisable(graph.graph)))

#!/usr/bin/env python
"""Measures how well SimCC vectors made of a teacher's heatmaps keep its keypoints.

The teacher is that of the quick start, which must have run in work_dirs/quickstart. Its
validation people are decoded twice: from the heatmaps, as always, and from the SimCC
vectors that a student with SimCC would learn. Prints the shares of joints that are
closer than half a heatmap pixel and than one, by the height of the teacher's peak.
"""

from pathlib import Path

import numpy as np
import torch
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from fpd_mmpose import load_model
from fpd_mmpose.config import load_config
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.teachers.output_conversion import Conversion
from fpd_mmpose.teachers.output_format import (
    Axis,
    OutputFormat,
    as_stages,
    describe_output,
)

FOLDER = Path('work_dirs/quickstart')
CONFIG = 'quickstart/hg2_64_drawn.py'
#: Cells of SimCC per pixel, and the standard deviation of its targets.
SPLIT, SIGMA = 2, 1.0
#: Bounds of the peaks.
PEAKS = (0.0, 0.3, 0.6, np.inf)


def main() -> None:
    """Runs the command."""
    init_default_scope('mmpose')
    config = load_config(CONFIG)
    config.val_dataloader.update(num_workers=0, persistent_workers=False)
    model = load_model(config, str(FOLDER / 'teacher.pth'))
    codec = model.head.decoder
    away, peaks = [], []
    for batch in Runner.build_dataloader(config.val_dataloader):
        inputs = model.data_preprocessor(batch, training=False)['inputs']
        with torch.no_grad():
            output = model(inputs, None)
        maps = as_stages(output, 'the teacher')[-1]
        source = describe_output(model, 'the teacher', codec.input_size, output)
        x, y = Conversion(source, simcc_like(source))(maps).values
        found = torch.stack([x.argmax(2), y.argmax(2)], dim=2).numpy() / SPLIT
        own = np.concatenate([codec.decode(each)[0] for each in maps.numpy()])
        away.append(np.linalg.norm(found - own, axis=2) / source.x.stride)
        peaks.append(maps.amax((2, 3)).numpy())
    print(as_table(np.concatenate(away), np.concatenate(peaks)))


def simcc_like(source: OutputFormat) -> OutputFormat:
    """Describes SimCC vectors for the input of heatmaps."""
    x, y = (
        Axis(axis.size, axis.size * SPLIT, 1 / SPLIT, sigma=SIGMA)
        for axis in source.axes
    )
    return OutputFormat(True, source.joints, x, y)


def as_table(away: np.ndarray, peaks: np.ndarray) -> str:
    """Formats the distances, in heatmap pixels, by peak."""
    rows = []
    for low, high in zip(PEAKS, PEAKS[1:], strict=False):
        chosen = away[(peaks >= low) & (peaks < high)]
        shares = [f'{(chosen < limit).mean():.1%}' for limit in (0.5, 1)]
        rows.append((f'{low} to {high}', f'{len(chosen):,}', *shares))
    return markdown_table(('peak', 'joints', 'within 0.5 px', 'within 1 px'), rows)


if __name__ == '__main__':
    main()

#!/usr/bin/env python
"""Draws published accuracy against measured time, for networks at COCO 256x192.

AP is what the metafiles of this project (the reference's numbers) and of MMPose list.
The networks are timed here in turn, alone, for one crop, with random weights.
"""

import argparse
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
import yaml
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter

from benchmarks.inference_networks import build_network
from benchmarks.machine import processor
from benchmarks.timing import Timed, time_in_bursts
from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError, one_line_errors
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.markdown import markdown_table

_HEATMAP = 'mmpose::body_2d_keypoint/topdown_heatmap/coco/td-hm_'
_RTMPOSE = 'mmpose::body_2d_keypoint/rtmpose/coco/rtmpose-'
CONFIGS = {
    'HRNet-W48': 'configs/hrnet/hrnet_w48_coco_256x192.py',
    'HRNet-W32': 'configs/hrnet/hrnet_w32_coco_256x192.py',
    'HRNet-W32 with FPD': 'configs/fpd/hrnet_w32_fpd_coco_256x192.py',
    'ResNet-50': f'{_HEATMAP}res50_8xb64-210e_coco-256x192.py',
    'MobileNetV2': f'{_HEATMAP}mobilenetv2_8xb64-210e_coco-256x192.py',
    'LiteHRNet-30': f'{_HEATMAP}litehrnet-30_8xb64-210e_coco-256x192.py',
    'LiteHRNet-18': f'{_HEATMAP}litehrnet-18_8xb64-210e_coco-256x192.py',
    'RTMPose-m': f'{_RTMPOSE}m_8xb256-420e_coco-256x192.py',
    'RTMPose-s': f'{_RTMPOSE}s_8xb256-420e_coco-256x192.py',
    'RTMPose-t': f'{_RTMPOSE}t_8xb256-420e_coco-256x192.py',
}
"""Configs by the names in the chart."""

_THREADS, _ROUNDS = 2, 7
#: Where a label is, if not at the upper right of its point, in points.
_LABELS = {
    'HRNet-W48': (6, -12, 'left'),
    'HRNet-W32 with FPD': (-6, 5, 'right'),
    'HRNet-W32': (-6, -12, 'right'),
    'LiteHRNet-18': (6, -12, 'left'),
    'RTMPose-m': (-6, 5, 'right'),
}
_SOURCES = {'the FPD reference': 'tab:red', 'MMPose': 'tab:blue'}
_NOTE = (
    'AP: published, with flip test and detected boxes; all trained on COCO.\n'
    "RTMPose's backbones were pretrained on poses of AI Challenger and COCO.\n"
    'Time: measured here, one pass of the network alone, PyTorch eager, batch 1,\n'
    f'{_THREADS} threads, {processor()}'
)


@dataclass(frozen=True)
class Published:
    """What a metafile says of a config, and the config with the network alone."""

    ap: float
    source: str
    network: str


def read_published(config: str) -> Published:
    """Reads the AP on COCO val2017 from the metafile next to a config."""
    path = Path(load_config(config).filename)
    for metafile in path.parent.glob('*.yml'):
        for model in yaml.safe_load(metafile.read_text(encoding='utf-8'))['Models']:
            for result in model.get('Results', []):
                if Path(model['Config']).name == path.name and _is_published(result):
                    source = list(_SOURCES)['mmpose::' in config]
                    student: dict[str, Any] = model['Metadata'].get('Student', {})
                    network = student.get('Config', config)
                    return Published(result['Metrics']['AP'], source, network)
    raise UserError(f'no metafile next to "{path}" has a published AP for it')


def _is_published(result: dict[str, Any]) -> bool:
    # MMPose's results name no source.
    return result['Dataset'] == 'COCO' and result.get('Source') != 'measured'


def measure(configs: set[str]) -> dict[str, Timed]:
    """Times each network for one crop."""
    torch.set_num_threads(_THREADS)
    ways = []
    for config in sorted(configs):
        network = build_network(config, config)
        ways.append((config, partial(network.run, network.crops(1))))
    for _, run in ways:
        run()
    report = partial(print, file=sys.stderr)
    return {one.name: one for one in time_in_bursts(ways, _ROUNDS, progress=report)}


def save_chart(
    path: str | Path, published: dict[str, Published], times: dict[str, Timed]
) -> None:
    """Draws the median times, and the shortest and longest as error bars."""
    figure = Figure(figsize=(8, 5.6))
    axis = figure.subplots()
    for name, one in published.items():
        time = times[one.network]
        x, (low, high) = time.median * 1e3, (side * 1e3 for side in time.spread)
        color = _SOURCES[one.source]
        axis.errorbar(x, one.ap, xerr=[[x - low], [high - x]], fmt='o', color=color)
        right, up, side = _LABELS.get(name, (6, 5, 'left'))
        axis.annotate(
            f'{name} {one.ap:.3f}',
            (x, one.ap),
            (right, up),
            textcoords='offset points',
            horizontalalignment=side,
            color=color,
            fontsize=9,
        )
    for source, color in _SOURCES.items():
        axis.plot([], [], 'o', color=color, label=f'AP published by {source}')
    axis.set_xscale('log')
    axis.margins(x=0.25, y=0.1)
    for formatter in (axis.xaxis.set_major_formatter, axis.xaxis.set_minor_formatter):
        formatter(LogFormatter(minor_thresholds=(2, 0.5)))
    axis.set(
        title='Accuracy against time, COCO val2017, 256x192',
        xlabel='ms per person (median, shortest, longest)',
        ylabel='AP (published)',
    )
    axis.grid(alpha=0.3)
    figure.tight_layout(rect=(0, 0.11, 1, 1))
    figure.legend(loc='lower right')
    figure.text(0.02, 0.01, _NOTE, fontsize=8)
    with replace_when_done(path) as partial_file:
        figure.savefig(partial_file, dpi=100, format='png')


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', required=True, metavar='FILE', help='the PNG file')
    args = parser.parse_args(argv)
    with one_line_errors():
        published = {name: read_published(config) for name, config in CONFIGS.items()}
        times = measure({one.network for one in published.values()})
        save_chart(args.out, published, times)
    rows = []
    for name, one in published.items():
        time = times[one.network]
        milliseconds = [f'{s * 1e3:.1f}' for s in (time.median, *time.spread)]
        rows.append([name, one.source, f'{one.ap:.3f}', *milliseconds])
    headings = ('network', 'AP published by', 'AP', 'ms', 'shortest', 'longest')
    print(markdown_table(headings, rows, text=(0, 1)))


if __name__ == '__main__':
    main()

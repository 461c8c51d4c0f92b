#!/usr/bin/env python
"""Times distillation over networks, batches and precisions, most valuable first.

What the given seconds do not suffice for is reported and left out. Every cell is
written as dev/benchmark_distill.py does it, all of them as grid.json, and what they
say of the targets as conclusions.json. Exits with 1 unless all was measured.
"""

import argparse
import gc
import sys
import time
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / 'dev')]

from benchmarks import distill_report as report  # noqa: E402
from benchmarks.distill import (  # noqa: E402
    FLOOR,
    PLAIN,
    REFERENCE,
    STORED,
    Settings,
    benchmark_distill,
)
from fpd_mmpose.config import load_config  # noqa: E402
from fpd_mmpose.files import write_json  # noqa: E402

HOURGLASS = 'configs/fpd/hg4_128_fpd_mpii.py'
HRNET = 'configs/fpd/hrnet_w32_fpd_coco_256x192.py'
DRAWN = 'configs/quickstart/hg1_32_fpd_drawn.py'
#: Config, batch, precision of the student's training, and what is compiled.
GRID = (
    (HOURGLASS, 32, 'fp32', None),
    (HOURGLASS, 32, 'bf16', None),
    (HRNET, 32, 'fp32', None),
    (HRNET, 32, 'bf16', None),
    (HOURGLASS, 4, 'fp32', None),
    (HOURGLASS, 4, 'bf16', None),
    (HOURGLASS, 32, 'bf16', 'teacher'),
    (HOURGLASS, 128, 'bf16', None),
    (HRNET, 128, 'bf16', None),
    (HRNET, 4, 'fp32', None),
    (HRNET, 4, 'bf16', None),
    (HOURGLASS, 128, 'fp32', None),
    (HRNET, 128, 'fp32', None),
    (HRNET, 32, 'bf16', 'teacher'),
)
REDUCED_GRID = ((DRAWN, 2, 'fp32', None), (DRAWN, 2, 'bf16', None))


def main(argv: list[str] | None = None) -> int:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.

    Returns:
        int: The exit status.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='for the results')
    parser.add_argument('--seconds', type=float, required=True, help='for all')
    parser.add_argument('--device', default='cuda', help='cpu: a reduced grid')
    parser.add_argument('--repeats', type=int, default=3, help='rounds')
    args = parser.parse_args(argv)
    end = time.monotonic() + args.seconds
    args.out.mkdir(parents=True, exist_ok=True)
    cells, whole, longest = [], True, 0.0
    for config, batch, precision, compiled in (
        REDUCED_GRID if args.device == 'cpu' else GRID
    ):
        settings = Settings(batch, args.device, precision, args.repeats, compiled)
        name = f'{Path(config).stem}_{batch}_{precision}'
        name += '_compiled' if compiled else ''
        start = time.monotonic()
        # The largest so far took that long; a late cell would take all with it.
        if start + longest > end:
            print(f'{name}: no time is left', flush=True)
            whole = False
            continue
        try:
            cells.append(_measure(config, settings, args.out / name))
        except Exception as error:  # whatever a GPU may raise: the next may do
            print(f'{name}: {type(error).__name__}: {error}', flush=True)
            whole = False
        _free()
        longest = max(longest, time.monotonic() - start)
        print(f'{name}: {time.monotonic() - start:.0f} s', flush=True)
        write_json(args.out / 'grid.json', cells)
        write_json(args.out / 'conclusions.json', conclusions(cells), indent=1)
    print('\n'.join(conclusions(cells)))
    return int(not whole)


def conclusions(cells: list[dict]) -> list[str]:
    """Compares what was measured with the targets.

    Args:
        cells (list[dict]): As :func:`benchmarks.distill_report.as_json`
            gives them.

    Returns:
        list[str]: A line for each target and cell.
    """
    reference = {}
    for cell in cells:
        if cell['settings']['precision'] == 'fp32':
            key = cell['config'], cell['settings']['batch']
            reference[key] = _medians(cell).get(REFERENCE)
    lines = []
    for cell in cells:
        settings, median = cell['settings'], _medians(cell)
        key = cell['config'], settings['batch']
        place = f'{Path(key[0]).stem}, batch {key[1]}, {settings["precision"]}'
        place += ', compiled teacher' if settings['compile'] else ''
        live = [name for name in median if name.startswith('FPD, speed=')]
        if live:
            best = min(live, key=median.__getitem__)
            lines.append(
                f'{place}: "{best}" {1000 * median[best]:.1f} ms, '
                f'{median[best] / median[FLOOR]:.2f} x the floor (target 1.15)'
            )
            if settings['precision'] != 'fp32' and reference.get(key):
                gain = reference[key] / median[best]
                lines.append(
                    f"{place}: {gain:.1f} x as fast as the reference's way in fp32 "
                    '(target 4)'
                )
        for stored in (name for name in median if name.startswith(STORED)):
            plain = median[stored.replace(STORED, PLAIN)]
            lines.append(
                f'{place}: the stored teacher takes {median[stored] / plain:.2f} x the '
                'plain step (target 1.10)'
            )
    return lines


def _measure(config: str, settings: Settings, stem: Path) -> dict:
    timed = benchmark_distill(
        load_config(config), settings, lambda line: print(line, flush=True)
    )
    print(report.as_markdown(timed), flush=True)
    content = report.as_json(timed, config, settings)
    write_json(f'{stem}.json', content, indent=1)
    report.save_png(f'{stem}.png', timed, stem.name)
    return content


def _medians(cell: dict) -> dict[str, float]:
    return {
        way['name']: sorted(way['seconds'])[len(way['seconds']) // 2]
        for way in cell['ways']
    }


def _free() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


if __name__ == '__main__':
    sys.exit(main())

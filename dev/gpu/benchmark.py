#!/usr/bin/env python
"""Times distillation for several networks, batches, and precisions.

The most valuable come first; those for which no time is left are reported: an H200 took
80 to 110 s for each. Writes each result as dev/benchmark_distill.py does, all of them
to grid.json, and comparisons with the targets to conclusions.json. Exit status 1 if one
failed, or none was measured.
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
#: Config, batch, precision of the student's training, and what to compile.
GRID = (
    (HOURGLASS, 128, 'bf16', None),
    (HRNET, 128, 'bf16', None),
    (HOURGLASS, 32, 'bf16', None),
    (HRNET, 32, 'bf16', None),
    (HOURGLASS, 32, 'fp32', None),
    (HRNET, 32, 'fp32', None),
    (HOURGLASS, 32, 'bf16', 'teacher'),
)
REDUCED_GRID = ((DRAWN, 2, 'fp32', None), (DRAWN, 2, 'bf16', None))


def main(argv: list[str] | None = None) -> int:
    """Runs the command and returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--out', type=Path, required=True, help='folder of the results')
    parser.add_argument('--seconds', type=float, required=True, help='time limit')
    parser.add_argument('--device', default='cuda', help='cpu: a reduced grid')
    parser.add_argument(
        '--repeats', type=int, default=3, help='timings of each variant (3)'
    )
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
        # A run beyond the limit would be killed and lose everything.
        if start + longest > end:
            print(f'{name}: no time is left', flush=True)
            continue
        try:
            cells.append(_measure(config, settings, args.out / name))
        except Exception as error:  # GPUs raise anything; the next one may work
            print(f'{name}: {type(error).__name__}: {error}', flush=True)
            whole = False
        _free()
        longest = max(longest, time.monotonic() - start)
        print(f'{name}: {time.monotonic() - start:.0f} s', flush=True)
        write_json(args.out / 'grid.json', cells)
        write_json(args.out / 'conclusions.json', conclusions(cells), indent=1)
    print('\n'.join(conclusions(cells)))
    return int(not (whole and cells))


def conclusions(cells: list[dict]) -> list[str]:
    """Compares the results with the targets, line by line."""
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

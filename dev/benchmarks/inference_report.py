"""Reports the inference benchmark as tables and JSON."""

import importlib.metadata
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from benchmarks.inference_costs import InferenceCosts, Row
from benchmarks.inference_engines import COMPILED, EAGER, INT8, ONNXRUNTIME, TITLES
from benchmarks.machine import processor

#: The pipeline that the others are compared with.
INFERENCER = 'MMPoseInferencer'
_PACKAGES = ('torch', 'mmpose', 'onnxruntime', 'openvino', 'opencv-python', 'numpy')


def as_markdown(costs: InferenceCosts) -> str:
    """Formats all results as Markdown tables."""
    sections = [_networks(costs)]
    for threads, batch in _conditions(costs.alone):
        sections.append(_alone(costs, threads, batch))
    if costs.whole:
        sections.append(_whole(costs))
    if costs.missing:
        sections.append(_missing(costs))
    if lines := summary(costs):
        sections.append('\n'.join(lines))
    return '\n\n'.join(sections)


def summary(costs: InferenceCosts) -> list[str]:
    """Compares the student's engines with PyTorch, and its pipelines with MMPose's."""
    student = costs.networks[0].name
    lines = []
    for threads, batch in _conditions(costs.alone):
        alone = _at([r for r in costs.alone if r.network == student], threads, batch)
        whole = _at(costs.whole, threads, batch)
        parts = []
        for rows, base in ((alone, TITLES[EAGER]), (whole, INFERENCER)):
            first = next((row for row in rows if row.title == base), None)
            for row in rows:
                if first and row.engine in (ONNXRUNTIME, INT8):
                    times = first.median / row.median
                    parts.append(f'{row.title} {times:.1f} x {base}')
        if parts:
            lines.append(f'{_condition(threads, batch)}: {"; ".join(parts)}.')
    return lines


def as_json(costs: InferenceCosts) -> dict[str, Any]:
    """Collects all results, the settings, and the machine."""
    return dict(
        settings=asdict(costs.settings),
        processor=processor(),
        versions=dict(_versions()),
        networks=[
            dict(
                name=one.name,
                config=one.config,
                checkpoint=one.checkpoint,
                input_size=one.input_size,
                params=one.complexity.params,
                gflops=one.complexity.gflops_reference,
                memory_bytes=costs.memory.get(one.name, {}),
            )
            for one in costs.networks
        ],
        alone=[_figures(row) for row in costs.alone],
        whole=[_figures(row) for row in costs.whole],
        missing=[asdict(one) for one in costs.missing],
    )


def _figures(row: Row) -> dict[str, Any]:
    return asdict(row) | dict(ms=row.median * 1e3, people_per_second=row.rate)


def _versions() -> Iterator[tuple[str, str]]:
    for name in _PACKAGES:
        try:
            yield name, importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue


def _networks(costs: InferenceCosts) -> str:
    engines = [one for one in costs.settings.engines if one != COMPILED]
    measured = [e for e in engines if any(e in m for m in costs.memory.values())]
    batches = sorted({b for m in costs.memory.values() for e in m.values() for b in e})
    heads = ['network', 'input', 'parameters, M', 'GFLOPs']
    lines = [
        _row([*heads, *(f'{TITLES[one]}, MiB' for one in measured)]),
        _row(['---', *['---:'] * (len(heads) - 1 + len(measured))]),
    ]
    for network in costs.networks:
        width, height = network.input_size
        found = costs.memory.get(network.name, {})
        memory = [
            ' / '.join(f'{size / 2**20:.0f}' for size in found.get(one, {}).values())
            for one in measured
        ]
        size = network.complexity
        figures = [f'{size.params / 1e6:.1f}', f'{size.gflops_reference:.2f}']
        lines.append(_row([network.name, f'{width}x{height}', *figures, *memory]))
    if measured:
        people = ' / '.join(map(str, batches))
        lines += [
            '',
            f'MiB: highest memory of a process that only runs this, batch {people}.',
        ]
    return '\n'.join(lines)


def _alone(costs: InferenceCosts, threads: int, batch: int) -> str:
    lines = [
        f'Network alone, {_condition(threads, batch)}:',
        '',
        '| network | engine | ms (shortest to longest) | people per second | x eager |',
        '|---|---|---:|---:|---:|',
    ]
    for network in costs.networks:
        own = [row for row in costs.alone if row.network == network.name]
        own = _at(own, threads, batch)
        for row in own:
            first = next((one for one in own if one.engine == EAGER), None)
            cells = [network.name, row.title, _ms(row), _rate(row), _times(row, first)]
            lines.append(_row(cells))
    return '\n'.join(lines)


def _whole(costs: InferenceCosts) -> str:
    lines = [
        f'From a JPEG file and boxes to keypoints, {costs.networks[0].name}:',
        '',
        '| threads | people | pipeline | ms (shortest to longest) | people per second '
        f'| x {INFERENCER} |',
        '|---:|---:|---|---:|---:|---:|',
    ]
    for threads, batch in _conditions(costs.whole):
        rows = _at(costs.whole, threads, batch)
        first = next((one for one in rows if one.title == INFERENCER), None)
        for row in rows:
            cells = [row.title, _ms(row), _rate(row), _times(row, first)]
            lines.append(_row([str(threads), str(batch), *cells]))
    return '\n'.join(lines)


def _missing(costs: InferenceCosts) -> str:
    reasons: dict[tuple[str, str], list[str]] = {}
    for one in costs.missing:
        reasons.setdefault((one.title, one.reason), []).append(one.network)
    lines = ['| not measured | networks | reason |', '|---|---|---|']
    for (title, reason), names in reasons.items():
        lines.append(_row([title, ', '.join(names), reason.replace('|', '\\|')]))
    return '\n'.join(lines)


def _conditions(rows: list[Row]) -> list[tuple[int, int]]:
    return list(dict.fromkeys((row.threads, row.batch) for row in rows))


def _condition(threads: int, batch: int) -> str:
    return f'{threads} thread{"s" * (threads > 1)}, batch {batch}'


def _at(rows: list[Row], threads: int, batch: int) -> list[Row]:
    return [row for row in rows if (row.threads, row.batch) == (threads, batch)]


def _ms(row: Row) -> str:
    low, high = min(row.seconds), max(row.seconds)
    return f'{row.median * 1e3:.1f} ({low * 1e3:.1f} to {high * 1e3:.1f})'


def _rate(row: Row) -> str:
    return f'{row.rate:.1f}'


def _times(row: Row, first: Row | None) -> str:
    return f'{first.median / row.median:.2f}' if first else ''


def _row(cells: list[str]) -> str:
    return f'| {" | ".join(cells)} |'

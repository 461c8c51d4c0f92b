"""The page that says what of MMPose's configs works."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import mmpose
import torch

from fpd_mmpose.markdown import markdown_table
from matrix.kinds import FAMILIES, Entry, Kind, representatives
from matrix.runner import ROLES
from matrix.tries import BREAKS, REFUSED, WORKS

INTRODUCTION = """\
# What works with MMPose

MMPose {mmpose} ships {configs} configs, which describe {kinds} kinds of networks.
`dev/mmpose_matrix.py` takes the smallest config of each kind, builds it at its full
size with random weights, and tries it with two drawn people

- as a **teacher**: it is frozen, and computes what it computes in MMPose;
- as a **student** of a teacher of its own kind: the keys of its weights are those of
  the plain student, the logged `pose` is stock MMPose's loss, the same parameters have
  gradients, and the teacher's have none;
- as a **stored** teacher: `fpd cache` writes its outputs, and a student does a step;
- for **export**: ONNX Runtime and `PoseSession` find three quarters of the keypoints
  within 0.1 pixels of MMPose's, among those that MMPose finds again with other
  rounding: an untrained network has nearly level maxima. For one whose maps are flat,
  only the maps and the decoding of clear peaks are compared.

No network is trained for this, so it says nothing of accuracy. Last run: {date}, with
torch {torch} on a CPU.

```bash
python dev/mmpose_matrix.py   # continues where it stopped
```
"""

NOTES = """
A config counts as its kind does. *Refused*: the project says in one line
why it does not work. *Breaks*: it does not. *Not built*: MMPose itself cannot build it
in the tested environment.
"""


def write_page(
    entries: Sequence[Entry], results: Mapping[Kind, Mapping[str, Any]]
) -> str:
    """Writes the page from all configs, and from what is known of their kinds."""
    dates = [record['date'] for record in results.values()]
    kinds = {entry.kind for entry in entries}
    parts = [
        INTRODUCTION.format(
            mmpose=mmpose.__version__,
            torch=torch.__version__.partition('+')[0],
            configs=len(entries),
            kinds=len(kinds),
            date=max(dates, default='never'),
        ),
        '## By family\n',
        _summary(entries, results),
        NOTES,
        '## By kind\n',
        _table(entries, results),
        '',
        _reasons(entries, results),
    ]
    return '\n'.join(parts)


def _summary(
    entries: Sequence[Entry], results: Mapping[Kind, Mapping[str, Any]]
) -> str:
    families = [*dict.fromkeys(FAMILIES.values()), 'other']
    rows = []
    for family in families:
        members = [entry for entry in entries if entry.family == family]
        cells = [family, str(len(members))]
        for role in ROLES:
            states = Counter(_state(entry, results, role)[0] for entry in members)
            cells.append(', '.join(f'{n} {state}' for state, n in states.most_common()))
        rows.append(cells)
    text = [0, *range(2, 2 + len(ROLES))]
    return markdown_table(('configs', 'number', *ROLES), rows, text)


def _table(entries: Sequence[Entry], results: Mapping[Kind, Mapping[str, Any]]) -> str:
    counts = Counter(entry.kind for entry in entries)
    rows = []
    for number, entry in enumerate(representatives(entries), 1):
        kind = entry.kind
        names = (f'`{part}`' if part else '' for part in kind)
        states = [_state(entry, results, role)[0] for role in ROLES]
        rows.append([str(number), *names, str(counts[kind]), *states])
    headings = ('', *Kind._fields, 'configs', *ROLES)
    text = [*range(1, 6), *range(7, 7 + len(ROLES))]
    return markdown_table(headings, rows, text)


def _reasons(
    entries: Sequence[Entry], results: Mapping[Kind, Mapping[str, Any]]
) -> str:
    """Lists what a kind is refused with or breaks with, once for all its roles."""
    lines = ['## Why not\n']
    for number, entry in enumerate(representatives(entries), 1):
        roles: dict[tuple[str, str], list[str]] = {}
        for role in ROLES:
            state, reason = _state(entry, results, role)
            if state in (REFUSED, BREAKS):
                roles.setdefault((state, reason), []).append(role)
        for (state, reason), names in roles.items():
            where = 'everything' if len(names) == len(ROLES) else ', '.join(names)
            lines.append(f'- {number}, {where}, {state}: `{reason.replace("`", "")}`')
    return '\n'.join(lines) + '\n'


def _state(
    entry: Entry, results: Mapping[Kind, Mapping[str, Any]], role: str
) -> tuple[str, str]:
    if entry.fault:
        return 'not built', entry.fault
    record = results.get(entry.kind)
    return tuple(record['found'][role]) if record else ('not tried', '')


def line_of(record: Mapping[str, Any]) -> str:
    """Describes what was found of a kind, in a line for each role that fails."""
    kind = Kind(*record['kind'])
    found = record['found']
    works = [role for role in ROLES if found[role][0] == WORKS]
    lines = [f'{kind} ({record["seconds"]} s): {", ".join(works) or "nothing"} works']
    for role in ROLES:
        state, reason = found[role]
        if state != WORKS:
            lines.append(f'  {role} {state}: {reason}')
    return '\n'.join(lines)

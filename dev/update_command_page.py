#!/usr/bin/env python
"""Writes docs/reference/command.md from the parsers of the command `fpd`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from fpd_mmpose.cli import COMMANDS, command_parser

PAGE = Path(__file__).resolve().parents[1] / 'docs/reference/command.md'
INTRODUCTION = """\
# Command line

<!-- Written by dev/update_command_page.py. -->

`fpd COMMAND` runs a command, and `fpd COMMAND --help` explains it. A config is a path,
the name of a packaged config such as `fpd/hg4_128_fpd_mpii.py`, or a name of another
package such as `mmpose::...`.

In a clone, the scripts below run the same commands; `tools/dist_*.sh` and
`tools/slurm_*.sh` start several processes. Errors that you can fix are printed as one
line; `FPD_TRACEBACK=1` shows where they arose.

| command | purpose | script |
|---|---|---|
"""
#: The scripts of a clone that run a command under another name.
SCRIPTS = {
    'train': 'tools/train.py',
    'test': 'tools/test.py',
    'cache': 'tools/cache_teacher.py',
    'check': 'tools/data/check.py',
    'detect': 'tools/data/detect_people.py',
    'convert': 'tools/convert_checkpoint.py',
    'export': 'tools/export_onnx.py',
    'compare': 'tools/compare.py',
    'quickstart': 'tools/quickstart.sh',
}


def command_page() -> str:
    """Returns the text of the page."""
    page = INTRODUCTION
    for name, (_, purpose) in COMMANDS.items():
        script = f'`{SCRIPTS[name]}`' if name in SCRIPTS else ''
        page += f'| [{name}](#fpd-{name}) | {purpose} | {script} |\n'
    for name in COMMANDS:
        page += f'\n## fpd {name}\n\n' + '\n'.join(_section(command_parser(name)[0]))
    return page


def _section(parser: argparse.ArgumentParser) -> Iterator[str]:
    shown = [
        action
        for action in parser._actions
        if action.help != argparse.SUPPRESS and action.dest != 'help'
    ]
    usage = parser.usage or ' '.join(
        [parser.prog]
        + [_values(action) for action in shown if not action.option_strings]
        + ['[options]']
    )
    yield '```text'
    yield from (line.strip() for line in usage.splitlines())
    yield '```'
    yield ''
    yield parser.description
    yield ''
    yield '| argument | meaning |'
    yield '|---|---|'
    for action in shown:
        name = ', '.join(action.option_strings)
        argument = f'{name} {_values(action)}'.strip().replace('|', r'\|')
        meaning = (action.help or '').replace('|', r'\|')
        yield f'| `{argument}` | {meaning} |'
    if parser.epilog:
        yield ''
        yield parser.epilog
    yield ''


def _values(action: argparse.Action) -> str:
    """Shows the values an argument takes, as the help of argparse does."""
    if action.nargs == 0:
        return ''
    name = action.metavar or (
        '{' + ','.join(map(str, action.choices)) + '}'
        if action.choices
        else action.dest.upper()
        if action.option_strings
        else action.dest
    )
    if isinstance(name, tuple):
        return ' '.join(name)
    forms = {'?': f'[{name}]', '*': f'[{name} ...]', '+': f'{name} [{name} ...]'}
    if isinstance(action.nargs, int):
        return ' '.join([name] * action.nargs)
    return forms.get(action.nargs, name)


def main() -> None:
    """Runs the command."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(command_page(), encoding='utf-8')
    print(f'{PAGE} was written')


if __name__ == '__main__':
    main()

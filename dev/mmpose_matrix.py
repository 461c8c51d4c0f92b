#!/usr/bin/env python
"""Tries every kind of network that MMPose ships, and writes what works to the docs.

What is known is kept, and tried again only after MMPose, torch, the config, or this
project has changed.
"""

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        '--results',
        type=Path,
        default=ROOT / 'work_dirs/mmpose_matrix.jsonl',
        help='file of what is known (work_dirs/mmpose_matrix.jsonl)',
    )
    parser.add_argument(
        '--page',
        type=Path,
        default=ROOT / 'docs/background/mmpose_matrix.md',
        help='page to write (docs/background/mmpose_matrix.md)',
    )
    parser.add_argument(
        '--only', default='', help='regular expression: try only kinds that it is in'
    )
    parser.add_argument(
        '--keep',
        action='store_true',
        help='keep what other versions of this project found',
    )
    parser.add_argument('--jobs', type=int, default=2, help='processes (2)')
    parser.add_argument(
        '--limit', type=float, default=1200, help='seconds for a kind (1200)'
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    from mmengine.registry import init_default_scope

    import fpd_mmpose  # noqa: F401
    from matrix.kinds import representatives
    from matrix.page import line_of, write_page
    from matrix.runner import Journal, find_results, run_all, survey_all

    init_default_scope('mmpose')
    journal = Journal(args.results)
    entries = survey_all(journal)
    chosen = [entry for entry in representatives(entries) if not entry.fault]
    known = find_results(journal, chosen, args.keep)
    wanted = [
        entry
        for entry in chosen
        if re.search(args.only, str(entry.kind)) and entry.kind not in known
    ]
    print(f'{len(known)} of {len(chosen)} kinds are known, {len(wanted)} are tried')
    run_all(
        wanted,
        journal,
        args.jobs,
        args.limit,
        lambda record: print(line_of(record), flush=True),
    )
    page = write_page(entries, find_results(journal, chosen, any_source=True))
    args.page.write_text(page, encoding='utf-8')


if __name__ == '__main__':
    main()

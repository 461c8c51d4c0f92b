#!/usr/bin/env python
"""Makes the pictures of "Watch a run" and of the report in the docs.

The run is that of the command in docs/howto/watch_a_run.md; those of the report are of
`fpd quickstart --seeds 0 1 2 3 4`.
"""

import argparse
import io
import tempfile
import warnings
from pathlib import Path

#: Pictures of the docs by the beginning of the panel's name.
PANELS = {'heatmaps': 'watch_panel.jpg', 'worst_of_student': 'worst_panel.jpg'}


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('run', help='work directory of the run with panels')
    parser.add_argument(
        '--report', nargs='+', default=[], metavar='WORK_DIR', help='runs of the report'
    )
    parser.add_argument(
        '--out',
        type=Path,
        default=Path('docs/images'),
        help='folder to write to (docs/images)',
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    warnings.simplefilter('ignore')
    from PIL import Image

    import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
    from fpd_mmpose.errors import UserError, one_line_errors
    from fpd_mmpose.inputs import read_image, write_image
    from fpd_mmpose.run_reports import report_runs
    from screenshots.browser import open_page

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        found = report_runs([args.run]).baseline.first.pictures
        for name, file in PANELS.items():
            if name not in found:
                raise UserError(f'"{args.run}" has no picture {name}_STEPS.png')
            write_image(args.out / file, read_image(found[name]))
            print(args.out / file)
        if args.report:
            page = Path(folder, 'report.html')
            report_runs(args.report).save(page)
            with open_page(page.as_uri(), 1200, 900) as tab:
                tab.wait_for_selector('#curves .main-svg .scatterlayer path')
                content = tab.screenshot()
            picture = Image.open(io.BytesIO(content)).convert('RGB').quantize(256)
            picture.save(args.out / 'run_report.png', optimize=True)
            print(args.out / 'run_report.png')


if __name__ == '__main__':
    main()

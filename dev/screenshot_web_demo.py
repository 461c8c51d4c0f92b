#!/usr/bin/env python
"""Makes the docs' picture of demo/web.py: what the page shows of a drawn person."""

import argparse
import tempfile
import warnings
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Run the command.

    Args:
        argv: Arguments; those of the process by default.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a distillation')
    parser.add_argument('checkpoint', help="the student's weights")
    parser.add_argument('--out', default='docs/images/web_demo.png')
    parser.add_argument('--person', type=int, default=5, help='number of the person')
    args = parser.parse_args(argv)

    # After the parsing: the package imports torch, and --help should not wait.
    warnings.simplefilter('ignore')
    import numpy as np

    from fpd_mmpose.demos import PoseNetwork, load_teacher
    from fpd_mmpose.demos.web import create_app
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.inputs import write_image
    from fpd_mmpose.synthetic import draw_person
    from screenshots.browser import save_screenshot

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        student = PoseNetwork(args.config, args.checkpoint, 'cpu')
        teacher = load_teacher(args.config, device='cpu')
        picture = Path(folder, 'drawn_person.png')
        person = draw_person(0, 'val', args.person, size=400)
        write_image(picture, person.image)
        # MPII's scale is that of a box of 200 pixels.
        corners = person.center + 100 * person.scale * np.array([[-1], [1]])
        box = corners.clip(0, 400).round().astype(int).ravel().tolist()
        save_screenshot(create_app([student, teacher]), picture, box, args.out)
        print(args.out)


if __name__ == '__main__':
    main()

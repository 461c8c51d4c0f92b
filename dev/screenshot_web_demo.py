#!/usr/bin/env python
"""Makes the screenshot of demo/web.py in the docs, with a drawn person."""

import argparse
import tempfile
import warnings
from pathlib import Path


def main(argv: list[str] | None = None) -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('config', help='config of a distillation')
    parser.add_argument('checkpoint', help="the student's weights")
    parser.add_argument(
        '--out',
        metavar='FILE',
        default='docs/images/web_demo.png',
        help='file to write (docs/images/web_demo.png)',
    )
    parser.add_argument(
        '--person', type=int, default=5, help='which person to draw (5)'
    )
    args = parser.parse_args(argv)

    # Imported after parsing, so that --help does not wait for torch.
    warnings.simplefilter('ignore')
    import numpy as np

    from fpd_mmpose.demos import PoseNetwork, load_teacher
    from fpd_mmpose.demos.web import create_app
    from fpd_mmpose.errors import one_line_errors
    from fpd_mmpose.geometry import PIXELS_PER_SCALE
    from fpd_mmpose.inputs import write_image
    from fpd_mmpose.synthetic import draw_person
    from screenshots.browser import save_screenshot

    with one_line_errors(), tempfile.TemporaryDirectory() as folder:
        student = PoseNetwork(args.config, args.checkpoint, 'cpu')
        teacher = load_teacher(args.config, device='cpu')
        image = Path(folder, 'drawn_person.png')
        person = draw_person(0, 'val', args.person, size=400)
        write_image(image, person.image)
        half = person.scale * PIXELS_PER_SCALE / 2
        corners = person.center + half * np.array([[-1], [1]])
        box = corners.clip(0, 400).round().astype(int).ravel().tolist()
        save_screenshot(create_app([student, teacher]), image, box, args.out)
        print(args.out)


if __name__ == '__main__':
    main()

"""Finds the keypoints of people in image files and draws them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fpd_mmpose.demos.painter import Drawn, SideBySide
from fpd_mmpose.demos.pose_network import PoseNetwork
from fpd_mmpose.demos.window import Window
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_json
from fpd_mmpose.inputs import SUFFIXES, check_suffix, read_image, write_image
from fpd_mmpose.progress import progress_bar
from fpd_mmpose.readers.media import is_video, open_media


def run_image_demo(
    source: str | Path,
    demo: SideBySide,
    out_dir: str | Path | None = None,
    out_file: str | Path | None = None,
    json_file: str | Path | None = None,
    window: Window | None = None,
) -> dict[str, Any]:
    """Draws the predictions for an image, a folder, or a text file that lists images.

    Drawn images go to ``out_dir`` under the names of the inputs, or to ``out_file`` for
    a single image; a window shows each until a key is pressed. Unreadable images among
    several are reported on stderr and skipped. Returns the content of ``json_file``:
    ``networks``, ``images`` with boxes, keypoints, scores, and times, and
    ``unreadable``.
    """
    folder, names = _images_of(source)
    targets = _targets(folder, names, out_dir, out_file)
    content: dict[str, Any] = dict(
        networks=[
            dict(
                label=each.label,
                config=each.name,
                checkpoint=each.checkpoint,
                joints=each.joints,
            )
            for each in demo.networks
        ],
        images=[],
        unreadable=[],
    )
    several = len(names) > 1
    with progress_bar(len(names), Path(source).name, 'image') as bar:
        for name in names:
            try:
                image = read_image(folder / name)
            except UserError as error:
                if not several:
                    raise
                tqdm.write(f'skipped: {error}', file=sys.stderr)
                content['unreadable'].append(name)
                bar.update()
                continue
            drawn = demo(image)
            if not len(drawn.boxes):
                tqdm.write(f'"{folder / name}": nobody was detected', file=sys.stderr)
            elif drawn.note:
                tqdm.write(f'"{folder / name}": {drawn.note}', file=sys.stderr)
            if name in targets:
                write_image(targets[name], drawn.image)
            content['images'].append(_record(name, image, demo.networks, drawn))
            bar.update()
            if window is not None and not window.show(drawn.image, wait=True):
                break
    if not content['images']:
        raise UserError(f'none of the {len(names)} images of "{source}" can be read')
    if json_file is not None:
        write_json(json_file, content)
    return content


def _images_of(source: str | Path) -> tuple[Path, list[str]]:
    media = open_media(source)
    found = media.names()
    names = [name for name in found if not is_video(name)]
    if not names:
        raise UserError(f'"{source}" has no image: use demo/video_demo.py for videos')
    if len(names) < len(found):
        print(
            f'"{source}": left out {len(found) - len(names)} of {len(found)} files, '
            'which are videos: use demo/video_demo.py for them',
            file=sys.stderr,
        )
    return Path(media.folder), names


def _targets(
    folder: Path,
    names: Sequence[str],
    out_dir: str | Path | None,
    out_file: str | Path | None,
) -> dict[str, Path]:
    """Returns the file to write for each image."""
    targets = {}
    if out_file is not None:
        if len(names) > 1:
            raise UserError(
                f'`out_file` is for a single image, and there are {len(names)}: use '
                '`out_dir`'
            )
        targets[names[0]] = check_suffix(out_file, SUFFIXES, 'an image')
    elif out_dir is not None:
        targets = {name: Path(out_dir) / _out_name(name) for name in names}
    sources: dict[Path, str] = {}
    for name, target in targets.items():
        if target.resolve() == (folder / name).resolve():
            raise UserError(f'"{target}" is the input image: choose another output')
        if (other := sources.setdefault(target.resolve(), name)) != name:
            raise UserError(
                f'"{other}" and "{name}" would both be written to "{target}": run the '
                'demo on one after the other'
            )
    return targets


def _out_name(name: str) -> Path:
    path = Path(name)
    if path.is_absolute() or '..' in path.parts:
        path = Path(path.name)
    if path.suffix.lower() in SUFFIXES:
        return path
    return path.with_name(path.name + '.png')


def _record(
    name: str, image: np.ndarray, networks: Sequence[PoseNetwork], drawn: Drawn
) -> dict[str, Any]:
    height, width = image.shape[:2]
    record = dict(name=name, width=width, height=height, boxes=_rounded(drawn.boxes, 2))
    for network, found in zip(networks, drawn.predictions, strict=True):
        record[network.label] = dict(
            keypoints=_rounded(found.people.keypoints, 3),
            scores=_rounded(found.people.keypoint_scores, 5),
            milliseconds=round(found.milliseconds, 2),
        )
    return record


def _rounded(values: np.ndarray, digits: int) -> list:
    # In float64, because JSON would show more digits of rounded float32 values.
    return np.asarray(values, np.float64).round(digits).tolist()

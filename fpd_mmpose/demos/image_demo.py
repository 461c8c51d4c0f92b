"""Finds the keypoints of people in image files and draws them."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from fpd_mmpose.demos.picture_files import SUFFIXES, check_suffix, write_picture
from fpd_mmpose.demos.pose_network import PoseNetwork
from fpd_mmpose.demos.progress import progress_bar
from fpd_mmpose.demos.side_by_side import Drawn, SideBySide
from fpd_mmpose.demos.window import Window
from fpd_mmpose.files import write_json
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import is_video, open_media


def run_image_demo(
    source: str | Path,
    demo: SideBySide,
    out_dir: str | Path | None = None,
    out_file: str | Path | None = None,
    json_file: str | Path | None = None,
    window: Window | None = None,
) -> dict[str, Any]:
    """Draws what networks find in images.

    Of several images, those that cannot be read are named on stderr and left out.

    Args:
        source (str | Path): An image, a folder that is searched with its subfolders,
            or a text file that lists images.
        demo (SideBySide): The networks.
        out_dir (str | Path, optional): Where pictures go, under the names of the
            images.
        out_file (str | Path, optional): Where the picture of a single image goes.
        json_file (str | Path, optional): Where boxes, keypoints and scores go.
        window (Window, optional): Shows each picture until a key is pressed.

    Returns:
        dict: What the JSON file holds: ``networks`` with their joints; ``images``
        with boxes, and the keypoints (N, K, 2), scores (N, K) and milliseconds of
        each network; ``unreadable``.

    Raises:
        ValueError: If no image can be read, a name does not serve, or a file cannot
            be written, which leaves the one that was there. One line.
    """
    folder, names = _images_of(source)
    targets = _targets(folder, names, out_dir, out_file)
    content: dict[str, Any] = dict(
        networks=[_describe(network) for network in demo.networks],
        images=[],
        unreadable=[],
    )
    several = len(names) > 1
    with progress_bar(len(names), Path(source).name, 'image') as bar:
        for name in names:
            try:
                image = read_image(folder / name)
            except ValueError as error:
                if not several:
                    raise
                tqdm.write(f'left out: {error}', file=sys.stderr)
                content['unreadable'].append(name)
                bar.update()
                continue
            drawn = demo(image)
            if not len(drawn.boxes):
                tqdm.write(
                    f'"{folder / name}": the detector found nobody', file=sys.stderr
                )
            if name in targets:
                write_picture(targets[name], drawn.picture)
            content['images'].append(_record(name, image, demo.networks, drawn))
            bar.update()
            if window is not None and not window.show(drawn.picture, wait=True):
                break
    if not content['images']:
        raise ValueError(f'none of the {len(names)} images of "{source}" can be read')
    if json_file is not None:
        try:
            write_json(json_file, content)
        except OSError as error:
            reason = error.strerror
            raise ValueError(f'"{json_file}" cannot be written: {reason}') from error
    return content


def _images_of(source: str | Path) -> tuple[Path, list[str]]:
    media = open_media(source)
    names = [name for name in media.names() if not is_video(name)]
    if not names:
        raise ValueError(f'"{source}" has no image: give videos to demo/video_demo.py')
    return Path(media.folder), names


def _targets(
    folder: Path,
    names: Sequence[str],
    out_dir: str | Path | None,
    out_file: str | Path | None,
) -> dict[str, Path]:
    """Which file the picture of each image goes to."""
    targets = {}
    if out_file is not None:
        if len(names) > 1:
            raise ValueError(
                f'--out-file is for one image and there are {len(names)}: give '
                '--out-dir'
            )
        targets[names[0]] = check_suffix(out_file, SUFFIXES, 'picture')
    elif out_dir is not None:
        targets = {name: Path(out_dir) / _out_name(name) for name in names}
    sources: dict[Path, str] = {}
    for name, target in targets.items():
        if target.resolve() == (folder / name).resolve():
            raise ValueError(f'"{target}" is the image itself: write elsewhere')
        if (other := sources.setdefault(target.resolve(), name)) != name:
            raise ValueError(
                f'"{other}" and "{name}" would both be written to "{target}": draw '
                'them one after the other'
            )
    return targets


def _out_name(name: str) -> Path:
    path = Path(name)
    if path.is_absolute() or '..' in path.parts:
        path = Path(path.name)
    if path.suffix.lower() in SUFFIXES:
        return path
    return path.with_name(path.name + '.png')


def _describe(network: PoseNetwork) -> dict[str, Any]:
    return dict(
        label=network.label,
        config=network.name,
        checkpoint=network.checkpoint,
        joints=network.joints,
    )


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
    # As float64, of which JSON shows no more digits than were kept.
    return np.asarray(values, np.float64).round(digits).tolist()

"""Writes the people of images or of a video to a file of boxes."""

import datetime
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from tqdm import tqdm

from ..atomic import write_json
from ..version import __version__
from .journal import Journal
from .selection import Selection
from .sources import Frame, Source

Detector = Callable[[Sequence[np.ndarray]], list[np.ndarray]]


def detect_people(
    source: str | Path,
    out: str | Path,
    detector: Detector,
    selection: Selection | None = None,
    batch_size: int = 8,
    stride: int = 1,
    restart: bool = False,
    command: str = '',
) -> dict[str, Any]:
    """Writes the boxes of people in COCO's layout, once all are found.

    What is found is kept in a journal beside ``out`` (``out.json.part``) after each
    batch. A run that was killed goes on from there when it is started again.

    Args:
        source (str | Path): A folder of images and videos, a text file that lists some,
            an image or a video.
        out (str | Path): The file to write, ``.json``.
        detector (Callable): A :class:`PersonDetector`, or what returns
            (x1, y1, x2, y2, score) of the people of each of some BGR images. Its
            ``facts`` are part of what a journal must agree with.
        selection (Selection, optional): Which boxes are kept. Defaults to ``None``:
            as MMPose's inferencer.
        batch_size (int): Images that are detected and saved together. Defaults to 8.
        stride (int): Takes every n-th frame of a video. Defaults to 1.
        restart (bool): Whether to discard a journal. Defaults to ``False``.
        command (str): Kept in the file. Defaults to ''.

    Returns:
        dict: What is written. Images without people have no annotation; images that
        cannot be read are in ``info.unreadable`` only.

    Raises:
        ValueError: If there are no images or none can be read, if a setting does not
            fit, or if the journal is of other options. One line; ``out`` is unchanged.
    """
    out = Path(out)
    if out.suffix != '.json' or out.is_dir():
        raise ValueError(f'"{out}" must be the name of a .json file')
    if batch_size < 1:
        raise ValueError(f'`batch_size` is {batch_size}: it must be 1 or more')
    frames = Source(source, stride)
    selection = selection or Selection()
    settings = dict(getattr(detector, 'facts', {}), **asdict(selection), stride=stride)
    journal = Journal(
        out.with_name(out.name + '.part'),
        dict(settings, source=str(Path(source).resolve())),
        restart,
    )
    try:
        records, unreadable = _find(frames, detector, selection, batch_size, journal)
        if not records:
            raise ValueError(
                f'"{source}": nothing can be read of {len(unreadable)} files, the '
                f'first is "{unreadable[0]}"'
            )
        content = _to_coco(records)
        content['info'] = dict(
            description='People found by a detector',
            version=__version__,
            date=datetime.datetime.now().isoformat(timespec='seconds'),
            command=command,
            source=str(source),
            **settings,
            **_counts(records),
            unreadable=unreadable,
        )
        write_json(out, content)
        journal.remove()
    finally:
        journal.close()
    _report(content, out)
    return content


def _find(
    frames: Source,
    detector: Detector,
    selection: Selection,
    batch_size: int,
    journal: Journal,
) -> tuple[list[dict], list[str]]:
    """Gives a record of every frame, in the source's order, and the unreadable."""
    known = {(record['name'], record['index']): record for record in journal.records}
    if known:
        print_log(
            f'{len(known)} images are in "{journal.path}" already', logger='current'
        )
    order: list[tuple[str, int | None]] = []
    unreadable: list[str] = []

    def missing() -> Iterator[tuple[Frame, np.ndarray]]:
        for frame in tqdm(frames, unit='img', desc='people'):
            if frame.key not in known:
                image = frame.read()
                if image is None:
                    unreadable.append(str(frame))
                    print_log(
                        f'"{frame}" cannot be read: left out',
                        logger='current',
                        level=logging.WARNING,
                    )
                    continue
                yield frame, image
            order.append(frame.key)

    for batch in _batches(missing(), batch_size):
        records = []
        found = detector([image for _, image in batch])
        for (frame, image), boxes in zip(batch, found, strict=True):
            height, width = image.shape[:2]
            people, too_small, too_many = selection(boxes, width, height)
            records.append(
                dict(
                    name=frame.name,
                    index=frame.index,
                    width=width,
                    height=height,
                    people=people,
                    too_small=too_small,
                    too_many=too_many,
                )
            )
        journal.append(records)
        known.update(((record['name'], record['index']), record) for record in records)
    return [known[key] for key in order], unreadable


def _batches(items: Iterable, size: int) -> Iterator[list]:
    batch = []
    for item in items:
        batch.append(item)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch


def _to_coco(records: list[dict]) -> dict[str, Any]:
    images: list[dict] = []
    annotations: list[dict] = []
    for image_id, record in enumerate(records, start=1):
        image = dict(
            id=image_id,
            file_name=record['name'],
            width=record['width'],
            height=record['height'],
        )
        if record['index'] is not None:
            image['frame_index'] = record['index']
        images.append(image)
        for *box, score in record['people']:
            annotations.append(
                dict(
                    id=len(annotations) + 1,
                    image_id=image_id,
                    category_id=1,
                    bbox=box,
                    score=score,
                )
            )
    return dict(
        info={},
        images=images,
        annotations=annotations,
        categories=[dict(id=1, name='person')],
    )


def _counts(records: list[dict]) -> dict[str, int]:
    return dict(
        images_without_people=sum(not record['people'] for record in records),
        people_below_min_size=sum(record['too_small'] for record in records),
        people_above_max_people=sum(record['too_many'] for record in records),
    )


def _report(content: dict[str, Any], out: Path) -> None:
    info = content['info']
    parts = [
        f'{len(content["annotations"])} people in {len(content["images"])} images',
        f'{info["images_without_people"]} images without people',
    ]
    for count, what in (
        (info['people_below_min_size'], 'people left out below the minimum size'),
        (info['people_above_max_people'], 'people left out beyond the maximum number'),
        (len(info['unreadable']), 'images left out that cannot be read'),
    ):
        if count:
            parts.append(f'{count} {what}')
    print_log(f'"{out}": {", ".join(parts)}', logger='current')

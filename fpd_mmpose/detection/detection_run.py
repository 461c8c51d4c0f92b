"""Detects the people in images and videos, and writes their boxes."""

import datetime
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from mmengine.logging import print_log
from tqdm import tqdm

from fpd_mmpose.detection.detector import Selection
from fpd_mmpose.detection.journal import Journal
from fpd_mmpose.detection.sources import Frame, Source
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import write_json
from fpd_mmpose.readers.annotations import as_numbers
from fpd_mmpose.version import __version__

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
    """Writes the boxes of people to a .json file in COCO's layout, and returns them.

    The source is a folder of images and videos, a text file that lists some, an image,
    or a video, of which every ``stride``-th frame counts. Images without people have no
    annotations; those that cannot be read are in ``info.unreadable`` only.

    A journal beside the file (``out.json.part``) keeps the boxes of each batch, so that
    a killed run continues when it is started again with the same settings and ``facts``
    of the detector; ``restart`` discards it. After an error, ``out`` is unchanged.
    """
    out = Path(out)
    if out.suffix != '.json' or out.is_dir():
        raise UserError(f'"{out}" must be the name of a .json file')
    if batch_size < 1:
        raise UserError(f'`batch_size` is {batch_size}: it must be 1 or more')
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
            raise UserError(
                f'"{source}": none of {len(unreadable)} files can be read, the first '
                f'is "{unreadable[0]}"'
            )
        content = _to_coco(records)
        content['info'] = dict(
            description='People found by a detector',
            version=__version__,
            date=datetime.datetime.now().isoformat(timespec='seconds'),
            command=command,
            source=str(source),
            **settings,
            images_without_people=sum(not record['people'] for record in records),
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
    """Returns a record of every frame, in order, and the names of unreadable ones."""
    known = restored_records(journal)
    if known:
        print_log(
            f'{len(known)} images are already in "{journal.path}"', logger='current'
        )
    order: list[tuple[str, int | None]] = []
    unreadable: list[str] = []

    def missing() -> Iterator[tuple[Frame, np.ndarray]]:
        for frame in tqdm(frames, unit='img', desc='people'):
            if frame.key not in known:
                try:
                    image = frame.read()
                except UserError as error:
                    unreadable.append(str(frame))
                    print_log(
                        f'"{frame}" was skipped: {error}',
                        logger='current',
                        level=logging.WARNING,
                    )
                    continue
                yield frame, image
            order.append(frame.key)

    found_frames = missing()
    for batch in iter(lambda: list(islice(found_frames, batch_size)), []):
        records = []
        found = detector([image for _, image in batch])
        for (frame, image), boxes in zip(batch, found, strict=True):
            height, width = image.shape[:2]
            records.append(
                dict(
                    name=frame.name,
                    index=frame.index,
                    width=width,
                    height=height,
                    people=selection(boxes, width, height),
                )
            )
        journal.append(records)
        known.update(((record['name'], record['index']), record) for record in records)
    return [known[key] for key in order], unreadable


def restored_records(journal: Journal) -> dict[tuple[str, int | None], dict]:
    """Returns the records of a journal by name and index, once they are checked."""
    known = {}
    for number, record in enumerate(journal.records, start=2):
        name, index = record.get('name'), record.get('index')
        people = record.get('people')
        if (
            not isinstance(name, str)
            or not (index is None or type(index) is int and index >= 0)
            or any(type(record.get(side)) is not int for side in ('width', 'height'))
            or not isinstance(people, list)
            or as_numbers(people, (len(people), 5)[: 1 + bool(people)]) is None
        ):
            raise UserError(
                f'"{journal.path}", line {number}, is no record of an image: set '
                '`restart` to discard the file and start over'
            )
        fields = ('name', 'index', 'width', 'height', 'people')
        known[name, index] = {field: record.get(field) for field in fields}
    return known


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


def _report(content: dict[str, Any], out: Path) -> None:
    info = content['info']
    parts = [
        f'{len(content["annotations"])} people in {len(content["images"])} images',
        f'{info["images_without_people"]} images without people',
    ]
    if unreadable := info['unreadable']:
        parts.append(f'{len(unreadable)} images skipped that cannot be read')
    print_log(f'"{out}": {", ".join(parts)}', logger='current')

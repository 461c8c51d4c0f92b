"""Videos, as demos and detections read them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from fpd_mmpose.datasets.transforms import FPDLoadImage
from fpd_mmpose.demos.frames import FrameReader
from fpd_mmpose.detection.sources import Source
from fpd_mmpose.errors import UserError
from fuzzing.array_targets import bytes_subject
from fuzzing.harness import Subject, Target
from tests.helpers.demo_video import write_video


def _video(suffix: str) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        path = folder / f'video{suffix}'
        load = FPDLoadImage()
        valid = [write_video(path, frames=3, size=(32, 24)).read_bytes()]

        def read() -> Any:
            errors: list[UserError] = []

            def attempt(reader: Callable[[], Any]) -> None:
                try:
                    reader()
                except UserError as error:
                    errors.append(error)

            def frames() -> None:
                for frame in FrameReader(path):
                    assert frame.dtype == np.uint8 and frame.ndim == 3

            attempt(frames)
            source = Source(path)
            assert len(source) > 0
            for frame in source:
                attempt(frame.read)
            attempt(lambda: load(dict(img_path=str(path), frame_index=1, id=3)))
            if errors:
                raise errors[0]

        return bytes_subject(path, valid, read)

    return prepare


TARGETS = {
    'video_avi': Target(_video('.avi'), 20),
    'video_mp4': Target(_video('.mp4'), 20),
}

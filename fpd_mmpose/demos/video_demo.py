"""Finds the keypoints of people in a video and draws them."""

import logging
import os
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

from mmengine.logging import print_log

from fpd_mmpose.demos.frames import CODECS, FrameReader, FrameWriter
from fpd_mmpose.demos.painter import SideBySide
from fpd_mmpose.demos.window import Window
from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.inputs import check_suffix
from fpd_mmpose.progress import progress_bar

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True)
class VideoResult:
    """What was drawn, and how long it took."""

    frames: int
    empty: int  # frames in which the detector found nobody
    blank: int  # frames with people of whom no keypoint scores enough to be drawn
    seconds: float
    milliseconds: dict[str, float]  # median per frame, by network
    is_complete: bool
    out: Path | None = None  # the file that was written

    def __str__(self) -> str:
        rate = self.frames / self.seconds if self.seconds else 0.0
        parts = [f'{self.frames} frames, {rate:.1f} frames per second']
        parts += [f'{name} {ms:.1f} ms' for name, ms in self.milliseconds.items()]
        if self.empty:
            parts.append(f'nobody detected in {self.empty} frames')
        if self.blank:
            parts.append(f'no keypoint drawn in {self.blank} frames (lower --kpt-thr)')
        return ', '.join(parts) + (f': {self.out}' if self.out else '')


def run_video_demo(
    reader: FrameReader,
    demo: SideBySide,
    out: str | Path | None = None,
    window: Window | None = None,
) -> VideoResult:
    """Draws the predictions for each frame, into a file or a window.

    Ctrl-C, or closing the window, ends the video of a webcam. That of a file, which is
    then incomplete, is written under a name with ``.partial``, and an older file at
    ``out`` is kept.
    """
    if out is not None:
        out = check_suffix(out, CODECS, 'a video')
        if not reader.is_webcam and out.resolve() == Path(reader.name).resolve():
            raise UserError(f'"{out}" is the input video: choose another output')
    with stop_when_asked() as stop:
        if out is None:
            return _draw_frames(reader, demo, None, window, stop)
        return _write_video(reader, demo, out, window, stop)


def _write_video(
    reader: FrameReader,
    demo: SideBySide,
    out: Path,
    window: Window | None,
    stop: threading.Event,
) -> VideoResult:
    partial = out.with_name(f'{out.stem}.partial{out.suffix}')
    try:
        with replace_when_done(partial) as temporary:
            writer = FrameWriter(temporary, reader.fps, out)
            try:
                result = _draw_frames(reader, demo, writer, window, stop)
            except BaseException:
                writer.abandon()
                raise
            writer.close()
        if result.is_complete:
            os.replace(partial, out)
            return replace(result, out=out)
    except OSError as error:
        raise UserError(f'"{out}" cannot be written: {error.strerror}') from error
    print_log(
        f'"{reader.name}" was interrupted: "{partial}" has the frames until then',
        logger='current',
        level=logging.WARNING,
    )
    return replace(result, out=partial)


def _draw_frames(
    reader: FrameReader,
    demo: SideBySide,
    writer: FrameWriter | None,
    window: Window | None,
    stop: threading.Event,
) -> VideoResult:
    times: dict[str, list[float]] = {network.label: [] for network in demo.networks}
    frames = empty = blank = 0
    is_complete = True
    start = time.perf_counter()
    with progress_bar(reader.total, Path(reader.name).name, 'frame') as bar:
        for frame in reader:
            if stop.is_set():
                is_complete = reader.is_webcam
                break
            drawn = demo(frame)
            frames += 1
            empty += not len(drawn.boxes)
            blank += bool(drawn.note)
            for network, found in zip(demo.networks, drawn.predictions, strict=True):
                times[network.label].append(found.milliseconds)
            if writer is not None:
                # A webcam drops frames while the networks are busy.
                copies = 1
                if reader.is_webcam:
                    due = (time.perf_counter() - start) * reader.fps
                    copies = max(1, round(due) - writer.count)
                for _ in range(copies):
                    writer.write(drawn.image)
            bar.update()
            if window is not None and not window.show(drawn.image):
                stop.set()
        if is_complete:
            bar.total = frames  # the header may be wrong
    return VideoResult(
        frames,
        empty,
        blank,
        time.perf_counter() - start,
        {label: statistics.median(values) for label, values in times.items()},
        is_complete,
    )


@contextmanager
def stop_when_asked() -> Iterator[threading.Event]:
    """Yields an event that the first Ctrl-C or SIGTERM sets; the second acts at once.

    Outside of the main thread, where Python cannot handle signals, it does nothing.
    """
    asked = threading.Event()
    before: dict[signal.Signals, Any] = {}

    def set_event(number: int, frame: FrameType | None) -> None:
        asked.set()
        for each, handler in before.items():
            signal.signal(each, handler)

    if threading.current_thread() is threading.main_thread():
        before = {each: signal.signal(each, set_event) for each in _SIGNALS}
    try:
        yield asked
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

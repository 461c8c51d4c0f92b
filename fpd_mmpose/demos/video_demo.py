"""Finds the keypoints of people in a video and draws them."""

import logging
import os
import statistics
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.logging import print_log

from fpd_mmpose.demos.frame_reader import FrameReader
from fpd_mmpose.demos.frame_writer import CODECS, FrameWriter
from fpd_mmpose.demos.interruption import stop_when_asked
from fpd_mmpose.demos.picture_files import check_suffix
from fpd_mmpose.demos.progress import progress_bar
from fpd_mmpose.demos.side_by_side import SideBySide
from fpd_mmpose.demos.window import Window
from fpd_mmpose.files import replace_when_done


@dataclass(frozen=True)
class VideoResult:
    """What was done with a video.

    Attributes:
        frames (int): That people were looked for in.
        empty (int): Of these, those in which the detector found nobody.
        seconds (float): From the first frame to the last.
        milliseconds (dict[str, float]): Median time of each network for a frame.
        is_whole (bool): Whether the video was drawn to its end.
        out (Path, optional): The file that was written.
    """

    frames: int
    empty: int
    seconds: float
    milliseconds: dict[str, float]
    is_whole: bool
    out: Path | None = None

    def __str__(self) -> str:
        rate = self.frames / self.seconds if self.seconds else 0.0
        parts = [f'{self.frames} frames, {rate:.1f} frames per second']
        parts += [f'{name} {ms:.1f} ms' for name, ms in self.milliseconds.items()]
        if self.empty:
            parts.append(f'nobody found in {self.empty} frames')
        return ', '.join(parts) + (f': {self.out}' if self.out else '')


def run_video_demo(
    reader: FrameReader,
    demo: SideBySide,
    out: str | Path | None = None,
    window: Window | None = None,
) -> VideoResult:
    """Draws what networks find in each frame.

    Ctrl-C ends a webcam's video. That of a file, which is then cut short, goes to a
    name with ``.partial``, and a file that was at ``out`` stays.

    Args:
        reader (FrameReader): The video.
        demo (SideBySide): The networks.
        out (str | Path, optional): The video to write.
        window (Window, optional): Shows each frame; closing it is as Ctrl-C.

    Returns:
        VideoResult: With the name of the file that was written.

    Raises:
        ValueError: If the video cannot be written, which leaves no part of it. One
            line.
    """
    if out is not None:
        out = check_suffix(out, CODECS, 'video')
        if not reader.is_webcam and out.resolve() == Path(reader.name).resolve():
            raise ValueError(f'"{out}" is the video itself: write elsewhere')
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
        if result.is_whole:
            os.replace(partial, out)
    except OSError as error:
        raise ValueError(f'"{out}" cannot be written: {error.strerror}') from error
    if not result.is_whole:
        print_log(
            f'stopped before the end of "{reader.name}": "{partial}" holds what was '
            'drawn until then',
            logger='current',
            level=logging.WARNING,
        )
    return replace(result, out=out if result.is_whole else partial)


def _draw_frames(
    reader: FrameReader,
    demo: SideBySide,
    writer: FrameWriter | None,
    window: Window | None,
    stop: threading.Event,
) -> VideoResult:
    times: dict[str, list[float]] = {network.label: [] for network in demo.networks}
    frames = empty = 0
    is_whole = True
    start = time.perf_counter()
    with progress_bar(reader.total, Path(reader.name).name, 'frame') as bar:
        for frame in reader:
            if stop.is_set():
                is_whole = reader.is_webcam
                break
            drawn = demo(frame)
            frames += 1
            empty += not len(drawn.boxes)
            for network, found in zip(demo.networks, drawn.predictions, strict=True):
                times[network.label].append(found.milliseconds)
            if writer is not None:
                # A webcam gives fewer frames than its rate while networks are busy.
                copies = 1
                if reader.is_webcam:
                    due = (time.perf_counter() - start) * reader.fps
                    copies = max(1, round(due) - writer.count)
                for _ in range(copies):
                    writer.write(drawn.picture)
            bar.update()
            if window is not None and not window.show(drawn.picture):
                stop.set()
        if is_whole:
            bar.total = frames  # the header may have said something else
    return VideoResult(
        frames,
        empty,
        time.perf_counter() - start,
        {label: statistics.median(values) for label, values in times.items()},
        is_whole,
    )

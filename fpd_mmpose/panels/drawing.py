"""Draws people side by side with what is known of their joints."""

import colorsys
from collections.abc import Sequence
from itertools import zip_longest
from typing import Any

import cv2
import numpy as np

from fpd_mmpose.panels.readings import Reading
from fpd_mmpose.panels.shown_people import ShownPerson
from fpd_mmpose.teachers.cache.deviation import LOWEST_PEAK

#: The height of a person's crop in a panel, in pixels.
HEIGHT = 256
_LINE, _GAP = 16, 6  # pixels of a line of text, and between tiles
_PAPER, _INK, _PALE = 255, (20, 20, 20), (90, 90, 90)
_FONT = (cv2.FONT_HERSHEY_SIMPLEX, 0.42)
_LEGEND = (
    'A color is a joint, and its strength the height of the peak; full: that of a '
    'label.',
    f'Dot: the keypoint, if its peak is {LOWEST_PEAK:g} or more. White line: to its '
    'label.',
)


def draw_panel(
    people: Sequence[ShownPerson],
    readings: Sequence[Reading],
    metainfo: dict[str, Any],
    columns: int = 1,
) -> np.ndarray:
    """Draws each person's label, and to the right what is read of the same person.

    Args:
        people: N people.
        readings: What is known of them, from left to right.
        metainfo: The dataset's, with the names of its joints and their links.
        columns: How many people there are in a row.

    Returns:
        A picture, uint8 RGB.
    """
    strips = []
    for number, person in enumerate(people):
        tiles = [_label_tile(person, metainfo)]
        tiles += [_tile(person, reading, number, metainfo) for reading in readings]
        strips.append(_beside(tiles))
    rows = [_beside(strips[i : i + columns], 4) for i in range(0, len(strips), columns)]
    words = ' '.join(_LEGEND).split() if readings else []
    width = rows[0].shape[1]
    lines, line = [], ''
    for word in words:
        if line and _width(f'{line} {word}') > width:
            lines.append(line)
            line = word
        else:
            line = f'{line} {word}'.strip()
    lines += [line] if line else []
    legend = [_text(one, width, _PALE) for one in lines]
    return _below([*rows, *legend])


def _label_tile(person: ShownPerson, metainfo: dict[str, Any]) -> np.ndarray:
    picture, zoom = _enlarged(person.image)
    points, labeled = person.keypoints * zoom, person.visible
    colors = _colors(len(points))
    for first, last in metainfo.get('skeleton_links', ()):
        if max(first, last) < len(points) and labeled[first] and labeled[last]:
            _draw_line(picture, points[first], points[last], (235, 235, 235))
    _draw_dots(picture, points, colors, labeled)
    counted = f'{labeled.sum()} of {len(labeled)} joints labeled'
    lines = [counted if labeled.any() else 'no labels', person.name]
    return _titled('label' if labeled.any() else 'image', picture, lines)


def _tile(
    person: ShownPerson, reading: Reading, number: int, metainfo: dict[str, Any]
) -> np.ndarray:
    picture, zoom = _enlarged(person.image)
    known = reading.known[number]
    if not known.any():
        return _titled(reading.title, picture // 2, [f'no {reading.title}'])
    maps = np.where(known[:, None, None], reading.maps[number], 0)
    colors = _colors(len(maps))
    picture = _overlaid(picture, maps, colors, reading, zoom)
    peaks = maps.max((1, 2))
    points, sure = reading.keypoints[number] * zoom, known & (peaks >= LOWEST_PEAK)
    truth, labeled = person.keypoints * zoom, person.visible
    if truth.shape == points.shape:
        for joint in np.flatnonzero(sure & labeled):
            _draw_line(picture, points[joint], truth[joint], (255, 255, 255))
    _draw_dots(picture, points, colors, sure)
    lowest = int(np.where(known, peaks, np.inf).argmin())
    names = metainfo.get('keypoint_id2name', {})
    lines = [
        f'peaks: mean {peaks[known].mean():.2f}',
        f'lowest {peaks[lowest]:.2f}, {names.get(lowest, f"joint {lowest}")}',
    ]
    return _titled(reading.title, picture, lines)


def _overlaid(
    picture: np.ndarray,
    maps: np.ndarray,
    colors: np.ndarray,
    reading: Reading,
    zoom: float,
) -> np.ndarray:
    """Lays heatmaps (K, h, w) in the colors (K, 3) of their joints over a dim image."""
    heights = maps.clip(0, 1)
    # Low peaks show, too, as those of a young student.
    strength = heights.max(0) ** 0.7
    total = np.maximum(heights.sum(0), 1e-6)[..., None]
    mixed = np.tensordot(heights, colors, (0, 0)) / total * strength[..., None]
    x, y = reading.axes
    place = np.array([[x.stride, 0, x.first], [0, y.stride, y.first]]) * zoom
    size = picture.shape[1::-1]
    layer = np.dstack([mixed, strength]).astype(np.float32)
    layer = cv2.warpAffine(layer, place, size, flags=cv2.INTER_LINEAR)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None] * 0.5
    blended = gray * (1 - layer[..., 3:]) + layer[..., :3]
    return blended.clip(0, 255).astype(np.uint8)


def _enlarged(image: np.ndarray) -> tuple[np.ndarray, float]:
    zoom = HEIGHT / len(image)
    way = cv2.INTER_CUBIC if zoom > 1 else cv2.INTER_AREA
    return cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=way), zoom


def _colors(count: int) -> np.ndarray:
    """Spreads RGB colors, 0 to 255, over the joints: (count, 3)."""
    hues = [colorsys.hsv_to_rgb(joint / count, 1, 1) for joint in range(count)]
    return 255 * np.array(hues).reshape(count, 3)


def _draw_dots(
    picture: np.ndarray, points: np.ndarray, colors: np.ndarray, shown: np.ndarray
) -> None:
    for joint in np.flatnonzero(shown & np.isfinite(points).all(1)):
        place = _place(points[joint])
        cv2.circle(picture, place, 5, (0, 0, 0), -1, cv2.LINE_AA)
        cv2.circle(picture, place, 4, colors[joint].tolist(), -1, cv2.LINE_AA)


def _draw_line(
    picture: np.ndarray, start: np.ndarray, end: np.ndarray, color: tuple[int, int, int]
) -> None:
    if np.isfinite([start, end]).all():
        cv2.line(picture, _place(start), _place(end), (0, 0, 0), 3, cv2.LINE_AA)
        cv2.line(picture, _place(start), _place(end), color, 1, cv2.LINE_AA)


def _place(point: np.ndarray) -> tuple[int, int]:
    x, y = point.round().clip(-1e4, 1e4).astype(int).tolist()
    return x, y


def _titled(title: str, picture: np.ndarray, lines: Sequence[str]) -> np.ndarray:
    width = picture.shape[1]
    notes = [
        _text(line, width, _PALE) for line, _ in zip_longest(lines, '--', fillvalue='')
    ]
    return np.vstack([_text(title, width, _INK), picture, *notes])


def _text(text: str, width: int, color: tuple[int, int, int]) -> np.ndarray:
    while _width(text) > width and len(text) > 4:
        text = f'{text[:-4]}...'
    strip = np.full((_LINE, width, 3), _PAPER, np.uint8)
    cv2.putText(strip, text, (1, _LINE - 4), *_FONT, color, 1, cv2.LINE_AA)
    return strip


def _width(text: str) -> int:
    return cv2.getTextSize(text, *_FONT, 1)[0][0] + 2


def _beside(pictures: Sequence[np.ndarray], gaps: int = 1) -> np.ndarray:
    """Joins pictures of one height from left to right."""
    space = np.full((len(pictures[0]), gaps * _GAP, 3), _PAPER, np.uint8)
    return np.hstack([part for one in pictures for part in (one, space)][:-1])


def _below(pictures: Sequence[np.ndarray]) -> np.ndarray:
    """Joins pictures from top to bottom on paper as wide as the widest."""
    width = max(one.shape[1] for one in pictures)
    parts = []
    for one in pictures:
        room = ((0, _GAP), (0, width - one.shape[1]), (0, 0))
        parts.append(np.pad(one, room, constant_values=_PAPER))
    return np.pad(
        np.vstack(parts), ((_GAP,) * 2, (_GAP,) * 2, (0, 0)), constant_values=_PAPER
    )

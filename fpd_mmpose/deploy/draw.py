"""Drawing of poses."""

import cv2
import numpy as np

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.pose_session import Poses

#: BGR colors of keypoints by side.
COLORS = {'right': (0, 128, 255), 'left': (80, 200, 0)}
MIDDLE = (255, 160, 50)
#: OpenCV draws at multiples of 1 / 2**4 of a pixel.
FRACTION_BITS = 4
#: Beyond every image, and within OpenCV's integers.
_FAR = 1e6


def draw_poses(
    image: np.ndarray, poses: Poses, info: ModelInfo, min_score: float = 0.3
) -> np.ndarray:
    """Draws keypoints and the links between them.

    Args:
        image: uint8 BGR, (H, W, 3).
        poses: The people in the image.
        info: ``PoseSession.info`` of the network that found them.
        min_score: Keypoints with a lower score are not drawn.

    Returns:
        A copy of the image with the people drawn on it.

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.deploy import ModelInfo, Poses, draw_poses
        >>> info = ModelInfo(
        ...     joints=('left_hand', 'right_hand'), links=((0, 1),),
        ...     flip_indices=(1, 0), input_size=(64, 64), heatmap_size=(16, 16),
        ...     channel_order='bgr', mean=(0, 0, 0), std=(1, 1, 1))
        >>> poses = Poses(
        ...     keypoints=np.float32([[[20, 50], [80, 50]]]),
        ...     scores=np.float32([[0.9, 0.8]]),
        ...     boxes=np.float32([[0, 0, 100, 100]]))
        >>> image = np.zeros((100, 100, 3), np.uint8)
        >>> draw_poses(image, poses, info)[50, 20].tolist()
        [80, 200, 0]
    """
    drawn = np.ascontiguousarray(image).copy()
    colors = [COLORS.get(name.partition('_')[0], MIDDLE) for name in info.joints]
    for points, scores, box in zip(
        poses.keypoints, poses.scores, poses.boxes, strict=True
    ):
        width = max(1, round(float(np.hypot(*(box[2:] - box[:2]))) / 150))
        seen = (scores >= min_score) & np.isfinite(points).all(axis=1)
        places = to_fixed(np.where(seen[:, None], points, 0)).tolist()
        for first, last in info.links:
            if seen[first] and seen[last]:
                color = colors[last] if colors[first] == MIDDLE else colors[first]
                ends = places[first], places[last]
                cv2.line(drawn, *ends, color, width, cv2.LINE_AA, FRACTION_BITS)
        radius = (width + 1) * 2**FRACTION_BITS
        for joint in np.flatnonzero(seen):
            place, color = places[joint], colors[joint]
            cv2.circle(drawn, place, radius, color, -1, cv2.LINE_AA, FRACTION_BITS)
    return drawn


def to_fixed(points: np.ndarray) -> np.ndarray:
    """Converts pixels to the integers that OpenCV draws at."""
    return np.round(np.clip(points, -_FAR, _FAR) * 2**FRACTION_BITS).astype(int)


def why_nothing_is_drawn(scores: np.ndarray, min_score: float) -> str:
    """Explains people without a keypoint to draw, given their scores; else ''."""
    if not len(scores) or (scores >= min_score).any():
        return ''
    people = '1 person' if len(scores) == 1 else f'{len(scores)} people'
    return (
        f'no keypoint of {people} scores {min_score:g} or more: lower --kpt-thr to '
        'draw them'
    )

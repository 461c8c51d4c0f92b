"""People drawn on their image."""

import cv2
import numpy as np

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.deploy.pose_session import Poses

#: BGR of the right side, the left side and what has no side.
COLORS = {'right': (0, 128, 255), 'left': (80, 200, 0)}
MIDDLE = (255, 160, 50)
#: OpenCV draws at fractions of a pixel: 1 / 2**4.
FRACTION_BITS = 4
#: Beyond every image, and within OpenCV's numbers.
FAR = 1e6


def draw_poses(
    image: np.ndarray, poses: Poses, info: ModelInfo, min_score: float = 0.3
) -> np.ndarray:
    """Draws keypoints and the links between them.

    Args:
        image (np.ndarray): BGR, uint8 (H, W, 3).
        poses (Poses): Found in it.
        info (ModelInfo): Of the network that found them.
        min_score (float): What scores less is left out.

    Returns:
        np.ndarray: A copy of the image with the people.
    """
    drawn = np.ascontiguousarray(image).copy()
    colors = [COLORS.get(name.partition('_')[0], MIDDLE) for name in info.joints]
    for points, scores, box in zip(
        poses.keypoints, poses.scores, poses.boxes, strict=True
    ):
        width = max(1, round(float(np.hypot(*(box[2:] - box[:2]))) / 150))
        seen = (scores >= min_score) & np.isfinite(points).all(axis=1)
        points = np.clip(np.where(seen[:, None], points, 0), -FAR, FAR)
        places = np.round(points * 2**FRACTION_BITS).astype(int).tolist()
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

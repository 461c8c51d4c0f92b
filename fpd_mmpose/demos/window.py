"""A window that shows pictures, for those who have a display."""

import os
import sys

import cv2
import numpy as np

_QUIT = (ord('q'), 27)  # 27 is Esc


class Window:
    """A window of OpenCV.

    Args:
        title (str): Shown above.

    Raises:
        ValueError: If there is no display, or OpenCV has no windows. One line.
    """

    def __init__(self, title: str) -> None:
        # Qt, which OpenCV opens windows with, ends the process without a display.
        if sys.platform.startswith('linux') and not (
            os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        ):
            raise ValueError('there is no display: leave --show out and name a file')
        self.title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise ValueError(
                'this OpenCV cannot open windows: leave --show out, or install '
                'opencv-python in place of opencv-python-headless'
            ) from error

    def show(self, picture: np.ndarray, wait: bool = False) -> bool:
        """Shows a picture.

        Args:
            picture (np.ndarray): BGR, uint8 (H, W, 3).
            wait (bool): Whether to wait for a key. Defaults to ``False``.

        Returns:
            bool: False if the user closed the window or pressed q or Esc.
        """
        cv2.imshow(self.title, picture)
        while True:
            key = cv2.waitKey(50 if wait else 1) & 0xFF
            if key in _QUIT or not self._is_open():
                return False
            if not wait or key != 0xFF:
                return True

    def close(self) -> None:
        """Closes the window."""
        cv2.destroyWindow(self.title)

    def _is_open(self) -> bool:
        return cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1

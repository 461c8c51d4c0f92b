"""A window that shows images."""

import os
import sys

import cv2
import numpy as np

from fpd_mmpose.errors import UserError

_QUIT = (ord('q'), 27)  # 27 is Esc


class Window:
    """A window of OpenCV."""

    def __init__(self, title: str) -> None:
        # Without a display, OpenCV's Qt would end the process.
        if sys.platform.startswith('linux') and not (
            os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')
        ):
            raise UserError('there is no display for a window: write a file instead')
        self.title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL | cv2.WINDOW_KEEPRATIO)
        except cv2.error as error:
            raise UserError(
                'this OpenCV cannot open windows: write a file instead, or replace '
                'opencv-python-headless by opencv-python'
            ) from error

    def show(self, image: np.ndarray, wait: bool = False) -> bool:
        """Shows a uint8 BGR image, and waits for a key if ``wait``.

        Returns False once the user has closed the window or pressed q or Esc.
        """
        cv2.imshow(self.title, image)
        while True:
            key = cv2.waitKey(50 if wait else 1) & 0xFF
            is_open = cv2.getWindowProperty(self.title, cv2.WND_PROP_VISIBLE) >= 1
            if key in _QUIT or not is_open:
                return False
            if not wait or key != 0xFF:
                return True

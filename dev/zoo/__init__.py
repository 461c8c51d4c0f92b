"""Metafiles of the configs in OpenMMLab's format, and tables made from them."""

import fpd_mmpose  # noqa: F401  before MMPose, for mmcv-lite
from zoo.update import update_tables

__all__ = ['update_tables']

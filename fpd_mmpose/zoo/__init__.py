"""Metafiles of the configs in OpenMMLab's format, and tables made from them."""

from fpd_mmpose.zoo.update import update_tables

__all__ = ['update_tables']

"""What is known of the configs: OpenMMLab's metafiles, and tables made of them."""

from .update import update_tables

__all__ = ['update_tables']

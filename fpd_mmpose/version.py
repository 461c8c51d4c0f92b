"""The version of this package, and the oldest supported versions of others."""

__version__ = '0.1.0'

#: Before torch 2.6, ``weights_only=True`` cannot read mmengine's checkpoints.
OLDEST = {'torch': '2.6'}

"""Versions: of the package, and of what it needs."""

__version__ = '0.1.0'

#: The oldest supported versions, checked by ``import fpd_mmpose`` where OpenMMLab is
#: installed. Before torch 2.6, ``weights_only=True`` cannot read mmengine's
#: checkpoints.
OLDEST = {'torch': '2.6'}

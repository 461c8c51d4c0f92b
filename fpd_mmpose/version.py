"""The version of this package, and the oldest supported versions of others."""

__version__ = '0.1.0'

#: Before torch 2.6, ``weights_only=True`` cannot read mmengine's checkpoints.
OLDEST = {'torch': '2.6'}

#: The oldest versions of others that the tests were run with. Older ones may work, and
#: are named in a warning.
TESTED = {
    'numpy': '1.26',
    'mmengine': '0.10.7',
    'mmpose': '1.3.2',
    'mmdet': '3.3.0',
}

"""Fast Pose Distillation (Zhang et al., CVPR 2019) as a plugin of MMPose 1.x."""

from . import compat
from .version import __version__

compat.apply()

from . import codecs, datasets, engine, evaluation, models  # noqa: E402, F401
from .converters import install  # noqa: E402

install()

__all__ = ['__version__']

"""Fast Pose Distillation (Zhang et al., CVPR 2019) as a plugin of MMPose 1.x.

Importing the package registers its modules with MMPose. Where there is nothing of
OpenMMLab, it registers nothing, and :mod:`fpd_mmpose.deploy` works all the same.
"""

from importlib.util import find_spec

from fpd_mmpose.version import __version__

__all__ = ['__version__']

if any(find_spec(name) for name in ('mmengine', 'mmcv', 'mmpose')):
    from fpd_mmpose import compat

    compat.apply()

    from fpd_mmpose import codecs, datasets, engine, evaluation, models  # noqa: F401
    from fpd_mmpose.weights import install

    install()
    engine.install()

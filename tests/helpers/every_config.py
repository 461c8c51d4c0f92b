"""The names of the configs that train on real data."""

from fpd_mmpose.config import config_root

#: Found in the folder, so that the tests look at a new one too.
NAMES = sorted(
    path.relative_to(config_root()).as_posix()
    for path in config_root().glob('[!_]*/*.py')
    if path.parent.name != 'quickstart'
)
FPD = [name for name in NAMES if name.startswith('fpd/')]
#: A student of MMPose's own, whose recipe is not the reference's.
STOCK = 'fpd/litehrnet30_fpd_coco_256x192.py'

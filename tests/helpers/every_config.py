"""The names of the configs that train on real data.

Those of MMPose's own recipes have tests of their own (test_mmpose_recipes.py).
"""

from typing import Any

from mmengine.config import Config

from fpd_mmpose.config import config_root

#: Found in the folder, so that the tests look at a new one too.
NAMES = sorted(
    path.relative_to(config_root()).as_posix()
    for path in config_root().glob('[!_]*/*.py')
    if path.parent.name != 'quickstart'
    and not path.name.startswith(('rtmpose', 'cspnext'))
)
FPD = [name for name in NAMES if name.startswith('fpd/')]
#: A student of MMPose's own, whose recipe is not the reference's.
STOCK = 'fpd/litehrnet30_fpd_coco_256x192.py'


def unscoped(value: Any) -> Any:
    """Without the mark of the package that a base came from."""
    if isinstance(value, Config):
        value = value.to_dict()
    if isinstance(value, dict):
        return {k: unscoped(v) for k, v in value.items() if k != '_scope_'}
    if isinstance(value, list | tuple):
        return [unscoped(one) for one in value]
    return value

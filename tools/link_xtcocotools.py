#!/usr/bin/env python
"""Lets xtcocotools run the compiled code of pycocotools, in the Python that runs this.

So MMPose finds it without fpd_mmpose, whose compat module does the same.
"""

import sysconfig
from pathlib import Path

package = Path(sysconfig.get_path('purelib'), 'xtcocotools')
for part in package.glob('_mask.*'):
    part.unlink()
(package / '_mask.py').write_text('from pycocotools._mask import *\n', encoding='utf-8')

"""The runtime imports only NumPy, OpenCV, and ONNX Runtime."""

import json
import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest

from fpd_mmpose.deploy import PoseSession
from tests.helpers import ROOT
from tests.helpers.exported import write_decoded

#: Packages outside of the standard library that may be imported.
ALLOWED = {'numpy', 'cv2', 'onnxruntime', 'fpd_mmpose'}
SHOW_POSES = """
import sys
own = set(sys.modules)
from fpd_mmpose.deploy import PoseSession, draw_poses
poses = PoseSession(sys.argv[1])(sys.argv[2], [[10, 20, 42, 68]])
modules = {name.partition('.')[0] for name in sys.modules}
import json, importlib.util
outside = [
    name for name in modules - sys.stdlib_module_names
    if name not in own and getattr(sys.modules.get(name), '__file__', None)
]
missing = [
    name for name in ('torch', 'mmengine', 'mmcv', 'mmpose')
    if importlib.util.find_spec(name) is None
]
print(json.dumps([outside, missing, poses.keypoints.tolist()]))
"""


@pytest.fixture(scope='module')
def packages(tmp_path_factory) -> Path:
    """Makes a folder with links to the three packages and their libraries."""
    folder = tmp_path_factory.mktemp('packages')
    for module in (np, cv2, onnxruntime):
        found = Path(module.__file__).parent
        for path in found.parent.glob(f'{found.name}*'):
            if path.suffix in ('', '.libs'):
                (folder / path.name).symlink_to(path)
    for path in Path(np.__file__).parents[1].glob('opencv*.libs'):
        (folder / path.name).symlink_to(path)
    return folder


@pytest.mark.slow
def test_poses_without_pytorch_and_openmmlab(packages, tmp_path):
    model = write_decoded(tmp_path / 'student.onnx', padding=1.0)
    image = tmp_path / 'person.png'
    cv2.imwrite(str(image), np.full((100, 100, 3), 50, np.uint8))
    done = subprocess.run(
        # -S hides the packages of this environment.
        [sys.executable, '-S', '-c', SHOW_POSES, model, image],
        env={**os.environ, 'PYTHONPATH': f'{packages}{os.pathsep}{ROOT}'},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outside, missing, keypoints = json.loads(done.stdout)
    assert set(outside) <= ALLOWED
    assert missing == ['torch', 'mmengine', 'mmcv', 'mmpose']
    expected = PoseSession(model)(image, [[10, 20, 42, 68]]).keypoints
    assert keypoints == expected.tolist()

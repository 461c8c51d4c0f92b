"""The package plugs itself into OpenMMLab, in whatever order modules are imported.

Each scenario needs a process that has imported nothing of OpenMMLab. One process
imports torch and what else takes long, and is forked for each of them.
"""

import json
import os
import subprocess
import sys

import pytest

from tests.helpers import ROOT

pytestmark = pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork')

DRIVER = """
import json, os, sys, traceback
import cv2, matplotlib.pyplot, numpy, torch, torchvision
import munkres, scipy.io, scipy.ndimage, scipy.optimize, scipy.signal, scipy.spatial
import rich.progress, scipy.stats, shapely, xtcocotools.coco, yapf

assert not {'mmengine', 'mmcv', 'mmpose', 'fpd_mmpose'} & {*sys.modules}
results = {}
for name, code in json.load(sys.stdin).items():
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.close(reader)
        try:
            exec(compile(code, name, 'exec'), {'__name__': '__main__'})
            message = ''
        except BaseException:
            message = traceback.format_exc()
        os.write(writer, message.encode()[-4000:])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        results[name] = pipe.read()
    os.waitpid(child, 0)
print(json.dumps(results))
"""

SCENARIOS = {
    'the package first': """
import fpd_mmpose
assert 'mmengine' not in sys.modules
from mmpose.apis import MMPoseInferencer
from mmpose.registry import *
from mmpose import registry
found = dict(
    MODELS='StackedHourglass FPDDistiller HeatmapDistillLoss MultiScaleSearch '
    'SimCCDistillLoss',
    KEYPOINT_CODECS='FPDHeatmap',
    DATASETS='FPDMpiiDataset FPDCocoDataset UnlabeledPoseDataset',
    DATA_SAMPLERS='MixedBatchSampler',
    TRANSFORMS='RandomScaleRotation FPDTopdownAffine',
    METRICS='MpiiPCKh FPDCocoMetric',
    HOOKS='ValidateBeforeTrainingHook ProgressHook MultiScaleSearchHook',
)
for name, components in found.items():
    for component in components.split():
        assert getattr(registry, name).get(component) is not None, component
from mmengine.registry import HOOKS
assert HOOKS.get('CheckpointHook').__module__ == 'fpd_mmpose.runs.checkpoint_hook'
""",
    'no package is imported that MMPose does without': """
import fpd_mmpose
from mmpose.apis import MMPoseInferencer
from mmpose import registry
from fpd_mmpose.plugin import COMPONENTS
for name in COMPONENTS:
    getattr(registry, name).import_from_location()
assert 'fpd_mmpose.models' in sys.modules
own = {'onnx', 'onnxruntime', 'openvino', 'flask', 'playwright', 'pandas', 'plotly'}
assert not own & {*sys.modules}
assert not any(name.startswith('fpd_mmpose.deploy') for name in sys.modules)
""",
    'mmpose first': """
import mmpose
from mmpose.registry import DATASETS, MODELS
DATASETS.import_from_location()
import fpd_mmpose
assert DATASETS.get('FPDMpiiDataset') is fpd_mmpose.FPDMpiiDataset
assert MODELS.get('FPDDistiller') is fpd_mmpose.FPDDistiller
from mmpose.apis import MMPoseInferencer
""",
    'custom_imports of a config': """
from mmengine.config import Config
import os, tempfile
path = os.path.join(tempfile.mkdtemp(), 'config.py')
with open(path, 'w') as file:
    file.write("custom_imports = dict(imports=['fpd_mmpose'])\\n")
    file.write("model = dict(type='StackedHourglass', num_stacks=1, num_features=8)")
config = Config.fromfile(path)
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
init_default_scope('mmpose')
assert type(MODELS.build(config.model)).__module__.startswith('fpd_mmpose.')
from mmengine.runner import CheckpointLoader
loader = CheckpointLoader._get_checkpoint_loader('a.pth')
assert loader.__module__ == 'fpd_mmpose.weights.mmengine_loader'
""",
    'mmdet alone': """
import fpd_mmpose
from mmdet.apis import init_detector
from mmcv.ops import nms
import numpy as np
boxes = np.array([[0, 0, 9, 9], [0, 0, 9, 8]], np.float32)
assert nms(boxes, np.array([0.9, 0.8], np.float32), 0.3)[1].tolist() == [0]
""",
    'modules look as if nobody had watched': """
import fpd_mmpose
import importlib.machinery, importlib.resources, inspect, pickle
import mmengine, mmengine.infer, mmengine.runner, mmcv
import mmpose.registry
for module in (mmengine, mmengine.infer, mmengine.runner, mmcv, mmpose.registry):
    assert type(module.__loader__) is importlib.machinery.SourceFileLoader, module
    assert module.__spec__.loader is module.__loader__
    assert module.__spec__.origin == module.__file__
    assert inspect.getsource(module)
    assert pickle.loads(pickle.dumps(module.Registry if module is mmpose.registry
                                     else mmengine.Config)) is not None
assert importlib.resources.files('mmengine').joinpath('version.py').is_file()
from fpd_mmpose.plugin import plug_in
before = list(sys.meta_path), list(mmpose.registry.MODELS._locations)
plug_in()
assert before == (list(sys.meta_path), list(mmpose.registry.MODELS._locations))
assert before[1].count('fpd_mmpose.models') == 1
""",
    'a loader before its module is imported': """
import fpd_mmpose
import importlib.util
spec = importlib.util.find_spec('mmengine')
assert spec.loader.get_filename('mmengine') == spec.origin
assert spec.loader.is_package('mmengine') and spec.loader.get_code('mmengine')
assert 'mmengine' not in sys.modules
""",
    'an old torch': """
import importlib.metadata
importlib.metadata.version = lambda name: '1.13.1'
expected = 'fpd_mmpose needs torch 2.6 or newer (1.13.1 is installed)'
import fpd_mmpose
for attempt in (1, 2):
    try:
        import mmengine
    except ImportError as error:
        assert str(error) == expected
    else:
        raise AssertionError
from fpd_mmpose.cli import main
try:
    main(['train', 'hourglass/hg4_128_mpii.py'])
except SystemExit as exit:
    assert str(exit).splitlines()[-1] == f'error: {expected}'
else:
    raise AssertionError
""",
    'an old torch, and mmengine first': """
import importlib.metadata
import mmengine
importlib.metadata.version = lambda name: '1.13.1'
for attempt in (1, 2):
    try:
        import fpd_mmpose
    except ImportError as error:
        assert 'needs torch 2.6 or newer' in str(error)
    else:
        raise AssertionError
""",
}
#: Modules that MMEngine's import uses, before it is imported.
for _module in (
    'compat',
    'config',
    'distillation',
    'files',
    'runs',
    'runs.resuming',
    'weights.conversion',
    'weights.fitting',
    'weights.initialization',
    'weights.unpickling',
):
    SCENARIOS[_module] = f"""
import fpd_mmpose.{_module}
from mmengine.runner import CheckpointLoader, Runner
loader = CheckpointLoader._get_checkpoint_loader('a.pth')
assert loader.__module__ == 'fpd_mmpose.weights.mmengine_loader'
assert hasattr(Runner, 'resuming')
"""


@pytest.fixture(scope='module')
def results() -> dict[str, str]:
    done = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', DRIVER],
        input=json.dumps({k: f'import sys\n{v}' for k, v in SCENARIOS.items()}),
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.process
@pytest.mark.parametrize('name', SCENARIOS)
def test_it_works_with(name, results):
    assert results[name] == ''


def test_importing_the_package_imports_nothing_else():
    code = (
        'import sys, fpd_mmpose\n'
        "print({'numpy', 'torch', 'mmengine', 'mmcv', 'mmpose'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, '-c', code],
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == 'set()', done.stderr

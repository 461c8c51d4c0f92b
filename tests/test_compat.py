"""OpenMMLab's last releases work with today's torch."""

import importlib.util
import inspect
import os
import pkgutil
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mmcv.ops
import mmpose
import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.utils import package_utils
from mmengine.utils.dl_utils.misc import mmcv_full_available
from mmpose.datasets.transforms import common_transforms
from mmpose.registry import TRANSFORMS
from mmpose.visualization.opencv_backend_visualizer import OpencvBackendVisualizer
from pycocotools import _mask
from torchvision.ops import box_iou
from xtcocotools import coco

from fpd_mmpose import compat
from fpd_mmpose.errors import PackageError
from fpd_mmpose.synthetic import draw_person
from fpd_mmpose.version import OLDEST
from tests.helpers import ROOT

without_compiled_mmcv = pytest.mark.skipif(
    not isinstance(sys.modules['mmcv._ext'], compat._MissingOps),
    reason='compiled MMCV is installed',
)


# --- Non-maximum suppression -------------------------------------------------------


def kept_by_definition(
    boxes: np.ndarray, scores: np.ndarray, threshold: float, offset: int = 0
) -> list[int]:
    """Suppresses boxes greedily, one after another."""
    kept: list[int] = []
    areas = (boxes[:, 2:] - boxes[:, :2] + offset).prod(axis=1)
    for index in np.argsort(-scores, kind='stable'):
        top_left = np.maximum(boxes[kept, :2], boxes[index, :2])
        bottom_right = np.minimum(boxes[kept, 2:], boxes[index, 2:])
        common = np.maximum(bottom_right - top_left + offset, 0).prod(axis=1)
        if not np.any(common / (areas[kept] + areas[index] - common) > threshold):
            kept.append(int(index))
    return kept


def crowd(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Makes overlapping boxes and distinct scores."""
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0, 100, (count, 2))
    boxes = np.hstack([corners, corners + rng.uniform(5, 60, (count, 2))])
    return boxes.astype(np.float32), rng.permutation(count).astype(np.float32) / count


@pytest.mark.parametrize('offset', [0, 1])
@pytest.mark.parametrize('threshold', [0.0, 0.3, 0.5, 0.7, 1.0])
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_nms_keeps_what_its_definition_keeps(seed, threshold, offset):
    boxes, scores = crowd(seed)
    expected = kept_by_definition(boxes, scores, threshold, offset)
    dets, kept = mmcv.ops.nms(boxes, scores, threshold, offset=offset)
    np.testing.assert_array_equal(kept, expected)
    np.testing.assert_array_equal(dets, np.c_[boxes, scores][expected])
    assert 0 < len(kept) < len(boxes) or threshold == 1


def test_nms_threshold_0_keeps_no_overlap_and_1_keeps_everything():
    boxes, scores = (torch.from_numpy(part) for part in crowd(0))
    dets, _ = mmcv.ops.nms(boxes, scores, 0.0)
    overlap = box_iou(dets[:, :4], dets[:, :4])
    assert overlap.triu(1).max() == 0
    _, kept = mmcv.ops.nms(boxes, scores, 1.0)
    assert sorted(kept.tolist()) == list(range(len(boxes)))


@pytest.mark.parametrize('threshold', [0.3, 0.1, 0.7])
def test_nms_drops_only_what_is_above_the_threshold(threshold):
    # The smaller box covers exactly `threshold` of the larger.
    boxes = np.array([[0, 0, 10, 1], [0, 0, 10 * threshold, 1]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    _, kept = mmcv.ops.nms(boxes, scores, threshold)
    np.testing.assert_array_equal(kept, [0, 1])
    _, kept = mmcv.ops.nms(boxes, scores, threshold - 0.001)
    np.testing.assert_array_equal(kept, [0])


def test_nms_offset_adds_a_pixel_to_the_width():
    # The pixels [0, 1] and [1, 2] share one of three; the intervals share nothing.
    boxes = np.array([[0, 0, 1, 1], [1, 0, 2, 1]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert len(mmcv.ops.nms(boxes, scores, 0.3, offset=0)[1]) == 2
    assert len(mmcv.ops.nms(boxes, scores, 0.3, offset=1)[1]) == 1


@without_compiled_mmcv
@pytest.mark.parametrize('seed', [0, 1, 2])
def test_nms_keeps_the_order_of_equal_scores(seed):
    boxes, scores = crowd(seed, count=500)
    scores = np.ceil(scores * 4) / 4
    assert len(np.unique(scores)) <= 5
    _, kept = mmcv.ops.nms(boxes, scores, 0.5)
    np.testing.assert_array_equal(kept, kept_by_definition(boxes, scores, 0.5))


@pytest.mark.parametrize('offset', [0, 1])
def test_nms_of_nothing_is_nothing(offset):
    dets, kept = mmcv.ops.nms(torch.zeros(0, 4), torch.zeros(0), 0.5, offset=offset)
    assert dets.shape == (0, 5) and kept.shape == (0,)
    assert kept.dtype == torch.int64


def test_nms_max_num_keeps_the_best():
    boxes, scores = crowd(0)
    _, kept = mmcv.ops.nms(boxes, scores, 0.5, max_num=7)
    np.testing.assert_array_equal(kept, kept_by_definition(boxes, scores, 0.5)[:7])


def test_nms_score_threshold_gives_indices_of_the_whole_input():
    boxes, scores = crowd(0)
    expected = [i for i in kept_by_definition(boxes, scores, 0.5) if scores[i] > 0.6]
    _, kept = mmcv.ops.nms(boxes, scores, 0.5, score_threshold=0.6)
    np.testing.assert_array_equal(kept, expected)


def test_nms_returns_the_type_of_its_input():
    boxes, scores = crowd(0)
    arrays = mmcv.ops.nms(boxes, scores, 0.5)
    tensors = mmcv.ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), 0.5)
    for array, tensor in zip(arrays, tensors, strict=True):
        assert isinstance(array, np.ndarray) and isinstance(tensor, torch.Tensor)
        np.testing.assert_array_equal(array, tensor.numpy())


@without_compiled_mmcv
@pytest.mark.parametrize('dtype', [torch.float16, torch.bfloat16, torch.float64])
def test_nms_accepts_other_precisions(dtype):
    boxes, scores = (torch.from_numpy(part).to(dtype) for part in crowd(0, count=60))
    dets, kept = mmcv.ops.nms(boxes, scores, 0.5, offset=1)
    assert dets.dtype == dtype
    expected = kept_by_definition(boxes.float().numpy(), scores.float().numpy(), 0.5, 1)
    np.testing.assert_array_equal(kept, expected)


@pytest.mark.parametrize('class_agnostic', [False, True])
def test_batched_nms_suppresses_within_a_class(class_agnostic):
    boxes, scores = crowd(0)
    labels = np.random.randint(0, 3, len(boxes))
    groups = [labels >= 0] if class_agnostic else [labels == k for k in range(3)]
    expected = []
    for members in map(np.flatnonzero, groups):
        kept = kept_by_definition(boxes[members], scores[members], 0.5)
        expected += members[kept].tolist()
    dets, kept = mmcv.ops.batched_nms(
        torch.from_numpy(boxes),
        torch.from_numpy(scores),
        torch.from_numpy(labels),
        dict(type='nms', iou_threshold=0.5),
        class_agnostic=class_agnostic,
    )
    assert kept.tolist() == sorted(expected, key=lambda index: -scores[index])
    np.testing.assert_array_equal(dets, np.c_[boxes, scores][kept])


# --- The other operators -----------------------------------------------------------


@without_compiled_mmcv
@pytest.mark.parametrize(
    'operator, call',
    [
        (
            'roi_align_forward',
            lambda: mmcv.ops.RoIAlign(1)(torch.zeros(1, 1, 4, 4), torch.zeros(1, 5)),
        ),
        (
            'deform_conv_forward',
            lambda: mmcv.ops.DeformConv2d(1, 1, 1)(
                torch.zeros(1, 1, 4, 4), torch.zeros(1, 2, 4, 4)
            ),
        ),
        ('softnms', lambda: mmcv.ops.soft_nms(*crowd(0))),
    ],
)
def test_an_operator_that_is_missing_is_named(operator, call):
    with pytest.raises(RuntimeError, match=f'"{operator}" needs compiled MMCV') as info:
        call()
    assert '\n' not in str(info.value)


@without_compiled_mmcv
@pytest.mark.filterwarnings('ignore::DeprecationWarning')
def test_mmcv_still_knows_that_it_has_no_operators():
    from mmcv.utils.ext_loader import check_ops_exist

    assert check_ops_exist() is False


def test_a_second_call_changes_nothing():
    before = sys.modules['mmcv._ext']
    compat.provide_mmcv_ops()
    assert sys.modules['mmcv._ext'] is before


@contextmanager
def mmdet_scope() -> Iterator[None]:
    try:
        yield  # init_detector changes the scope
    finally:
        init_default_scope('mmpose')


def test_a_person_detector_runs():
    demo = Path(mmpose.__file__).parent / '.mim/demo/mmdetection_cfg'
    config = Config.fromfile(demo / 'rtmdet_nano_320-8xb32_coco-person.py')
    for transform in config.test_dataloader.dataset.pipeline:
        if transform.type in ('Resize', 'Pad'):
            transform['scale' if transform.type == 'Resize' else 'size'] = (96, 96)
    config.model.test_cfg.update(score_thr=0, max_per_img=30)
    # mmdet sets its own warning filters.
    with mmdet_scope(), warnings.catch_warnings(record=True):
        detector = init_detector(config, None, device='cpu')
        # Boxes of 8 strides, so that neighbors overlap.
        for layer in detector.bbox_head.rtm_reg:
            torch.nn.init.constant_(layer.bias, 4)
        image = draw_person(0, 'val', 0, 96).image

        def detect(**test_cfg: Any) -> torch.Tensor:
            detector.bbox_head.test_cfg.update(test_cfg)
            return inference_detector(detector, image).pred_instances.bboxes

        everything = detect(nms=dict(type='nms', iou_threshold=1.0))
        kept = detect(nms=dict(type='nms', iou_threshold=0.3))
        two = detect(max_per_img=2)
    assert len(everything) == 30
    assert box_iou(everything, everything).triu(1).max() > 0.5
    assert 2 < len(kept) <= 30
    assert box_iou(kept, kept).triu(1).max() <= 0.3
    torch.testing.assert_close(two, kept[:2])


# --- In its own process ------------------------------------------------------------


def run_python(code: str, cwd: Path) -> str:
    finished = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', code],
        cwd=cwd,
        env={**os.environ, 'PYTHONPATH': str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@pytest.mark.process
@pytest.mark.slow
def test_compiled_mmcv_is_left_alone(tmp_path):
    (tmp_path / '_ext.py').write_text('def __getattr__(name):\n    return name\n')
    code = (
        'import mmcv\n'
        f'mmcv.__path__.append({str(tmp_path)!r})\n'
        'import fpd_mmpose\n'
        'from mmcv.ops import nms\n'
        'import sys\n'
        'print(sys.modules["mmcv._ext"].__file__)\n'
        'print(sys.modules["mmcv.ops.nms"].ext_module.nms)\n'
    )
    if importlib.util.find_spec('mmcv._ext').origin:
        pytest.skip('compiled MMCV is installed')
    assert run_python(code, tmp_path).split() == [str(tmp_path / '_ext.py'), 'nms']


# --- An incomplete stack -----------------------------------------------------------


@pytest.mark.parametrize('hidden', [['mmcv'], ['mmengine', 'mmpose']])
def test_a_missing_package_is_named(monkeypatch, hidden):
    find_spec = importlib.util.find_spec

    def find(name: str, package: str | None = None) -> Any:
        return None if name in hidden else find_spec(name, package)

    monkeypatch.setattr(importlib.util, 'find_spec', find)
    with pytest.raises(ImportError, match=f'needs {", ".join(hidden)}, ') as info:
        compat.check_stack()
    assert '\n' not in str(info.value)


# --- An outdated stack -------------------------------------------------------------


@pytest.mark.parametrize(
    ('installed', 'needed'),
    [
        ('2.5.1+cpu', '2.6'),
        ('1.13.0a0+git1', '2.6'),
        ('2.9.0', '2.10'),
        ('1.3', '2'),
    ],
)
def test_an_old_package_is_named_with_its_oldest_version(
    monkeypatch, installed, needed
):
    monkeypatch.setattr(compat, 'version', lambda name: installed)
    with pytest.raises(ImportError) as info:
        compat.check_versions({'torch': needed})
    assert str(info.value) == (
        f'fpd_mmpose needs torch {needed} or newer ({installed} is installed)'
    )


@pytest.mark.parametrize('installed', ['2.6.0', '2.6.0a0+git1', '2.10.0+cu128', '3.0'])
def test_a_package_that_is_new_enough_passes(monkeypatch, installed):
    monkeypatch.setattr(compat, 'version', lambda name: installed)
    compat.check_versions({'torch': '2.6'})


def test_a_package_that_is_not_installed_is_not_checked():
    compat.check_versions({'a-package-that-nobody-has': '1.0'})


def test_mmengine_finds_packages_without_pkg_resources(monkeypatch):
    monkeypatch.setattr(sys, 'meta_path', list(sys.meta_path))
    for name in [name for name in sys.modules if name.startswith('pkg_resources')]:
        monkeypatch.delitem(sys.modules, name)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        'find_spec',
        lambda name, *args: None if name == 'pkg_resources' else find(name, *args),
    )
    compat.provide_pkg_resources()
    # Before the installed one, if there is one.
    sys.meta_path.insert(0, sys.meta_path.pop())
    assert package_utils.is_installed('mmpose')
    assert not package_utils.is_installed('no-such-package')
    path = Path(package_utils.get_installed_path('mmpose'))
    assert path == Path(mmpose.__file__).parent
    assert package_utils.get_installed_path('opencv-python').endswith('cv2')
    with pytest.raises(PackageNotFoundError):
        package_utils.get_installed_path('no-such-package')
    importlib.import_module('pkg_resources')  # OneDL's MMEngine does without
    assert sys.modules['pkg_resources'].get_distribution is compat._Package
    monkeypatch.syspath_prepend('.')  # uses it, too


@pytest.mark.parametrize('radius', [4, np.array([4]), np.array([[4.0]]), np.float32(4)])
@pytest.mark.parametrize('alpha', [0.5, 1.0])
def test_keypoints_are_drawn_without_a_warning_of_numpy(radius, alpha):
    visualizer = OpencvBackendVisualizer(backend='opencv')
    visualizer.set_image(np.zeros((20, 20, 3), np.uint8))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        visualizer.draw_circles(
            np.array([10, 10]), radius, face_colors=(255, 0, 0), alpha=alpha
        )
    drawn = visualizer.get_image()[..., 0] > 0
    assert drawn[10, 6:15].all() and drawn.sum() < 80


# --- Albumentations ----------------------------------------------------------------


@pytest.mark.parametrize('found', ['1.4.24', '2.0.8', None])
def test_mmpose_takes_release_1_of_albumentations(monkeypatch, found):
    def version(name: str) -> str:
        if found is None:
            raise PackageNotFoundError(name)
        return found

    monkeypatch.setattr(compat, 'version', version)
    library = SimpleNamespace(Compose=lambda transforms: transforms)
    monkeypatch.setattr(common_transforms, 'albumentations', library)
    config = dict(type='Albumentation', transforms=[])
    if found == '1.4.24':
        assert TRANSFORMS.build(config).aug == []
        return
    advice = f'installed: {found or "none"}.*"albumentations>=1.4.18,<2"'
    with pytest.raises(PackageError, match=advice):
        TRANSFORMS.build(config)


@without_compiled_mmcv
def test_mmengine_looks_for_mmcv_operators_on_python_3_14(monkeypatch):
    monkeypatch.delattr(pkgutil, 'find_loader', raising=False)
    compat.provide_find_loader()
    # OneDL's MMEngine does without, and takes our stand-in for the operators.
    asks = 'find_loader' in inspect.getsource(mmcv_full_available)
    assert mmcv_full_available() is not asks
    assert pkgutil.find_loader('mmcv').path == mmcv.__file__
    assert pkgutil.find_loader('no_such_package') is None


def test_xtcocotools_does_without_its_compiled_code(monkeypatch, tmp_path):
    source = Path(coco.__file__).parent
    ignored = shutil.ignore_patterns('_mask*')
    shutil.copytree(source, tmp_path / 'xtcocotools', ignore=ignored)
    for name in [name for name in sys.modules if name.startswith('xtcocotools')]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImportError):
        importlib.import_module('xtcocotools.mask')
    compat.use_mask_of_pycocotools()
    mask = importlib.import_module('xtcocotools.mask')
    assert Path(mask.__file__).is_relative_to(tmp_path)
    left, both = np.zeros((2, 4, 6), np.uint8)
    left[:, :3] = both[:] = 1
    codes = [mask.encode(np.asfortranarray(each)) for each in (left, both)]
    assert mask.iou(codes[:1], codes[1:], [0]) == 0.5


def test_xtcocotools_gets_the_compiled_code_when_it_is_imported():
    assert coco.maskUtils._mask is _mask


def test_a_package_older_than_the_tested_one_is_named_in_a_warning(monkeypatch):
    monkeypatch.setattr(compat, 'version', lambda name: '0.10.4')
    with pytest.warns(UserWarning) as caught:
        compat.warn_of_untested({'mmengine': '0.10.7'})
    assert [str(warning.message) for warning in caught] == [
        'fpd_mmpose is only tested with mmengine 0.10.7 or newer (0.10.4 is installed)'
    ]


def test_the_locked_versions_are_the_tested_ones(recwarn, monkeypatch):
    lock = (ROOT / 'requirements/lock.txt').read_text()
    locked = dict(re.findall(r'^([\w-]+)==([^ \n]+)', lock, re.M))
    assert set(compat.TESTED) <= set(locked)
    monkeypatch.setattr(compat, 'version', locked.get)
    compat.warn_of_untested()
    assert not recwarn.list


def test_the_oldest_torch_reads_checkpoints_safely():
    assert OLDEST['torch'] == '2.6'

"""Exported files compute what MMPose does, and describe themselves."""

import errno
import hashlib
from pathlib import Path

import numpy as np
import pytest
import torch
from mmpose.structures import PoseDataSample
from torch import nn

from fpd_mmpose.errors import UserError
from fpd_mmpose.export import ExportOptions, export_model, export_onnx
from fpd_mmpose.models.backbones.stacked_hourglass import HourglassStack
from fpd_mmpose.version import __version__
from tests.helpers.export_data import Student, built, described, kinds, run
from tests.helpers.reduced import reduced_config, reduced_distiller
from tests.helpers.rounding import NETWORK, assert_same, assert_same_keypoints


def predicted(model: nn.Module, images: torch.Tensor, flip_test: bool) -> dict:
    """Predicts heatmaps, keypoints in input pixels, and scores with MMPose's head."""
    meta = dict(flip_indices=model.dataset_meta['flip_indices'])
    samples = [PoseDataSample(metainfo=meta) for _ in images]
    inputs = model.data_preprocessor(
        dict(inputs=list(images), data_samples=samples), training=False
    )['inputs']
    with torch.no_grad():
        feats = model.extract_feat(inputs)
        if flip_test:
            feats = [feats, model.extract_feat(inputs.flip(-1))]
        test_cfg = dict(model.test_cfg, flip_test=flip_test, output_heatmaps=True)
        people, fields = model.head.predict(feats, samples, test_cfg)
    return dict(
        input=inputs.numpy(),
        heatmaps=np.stack([one.heatmaps.numpy() for one in fields]),
        keypoints=np.concatenate([one.keypoints for one in people]),
        scores=np.concatenate([one.keypoint_scores for one in people]),
    )


SIZES = dict(input_size=(64, 64), heatmap_size=(16, 16))


@pytest.mark.parametrize(
    ('flip_test', 'with_decode', 'image_order'),
    [
        (False, False, None),
        (True, False, None),
        (False, True, None),
        (False, False, 'bgr'),
        (False, False, 'rgb'),
        (True, True, 'rgb'),
    ],
)
def test_every_option_computes_what_mmpose_does(
    student: Student,
    tmp_path: Path,
    flip_test: bool,
    with_decode: bool,
    image_order: str | None,
) -> None:
    options = ExportOptions(flip_test, with_decode, image_order)
    report = export_model(student.model, tmp_path / 'a.onnx', options)
    assert report.difference < NETWORK * report.peak
    for batch in (1, 2, 5):
        images = torch.randint(256, (batch, 3, 64, 64), dtype=torch.uint8)  # BGR
        expected = predicted(student.model, images, flip_test)
        inputs = expected['input']
        if image_order:
            inputs = images.permute(0, 2, 3, 1).numpy()
            if image_order == 'rgb':
                inputs = inputs[..., ::-1].copy()
        found = run(tmp_path / 'a.onnx', inputs)
        wanted = ['keypoints', 'scores'] if with_decode else ['heatmaps']
        assert list(found) == wanted
        for name in wanted:
            same = assert_same_keypoints if name == 'keypoints' else assert_same
            same(found[name], expected[name])


def test_a_file_describes_its_input_output_and_origin(
    student: Student, tmp_path: Path
) -> None:
    path = tmp_path / 'a.onnx'
    options = ExportOptions(flip_test=True, image_order='rgb')
    report = export_onnx(student.config, student.checkpoint, path, options)
    info = described(path)
    assert info == report.info
    assert report.size == path.stat().st_size
    assert info.joints[0] == 'right_ankle' and len(info.joints) == 16
    assert info.flip_indices[:3] == (5, 4, 3)
    assert info.links[0] == (0, 1)
    assert (info.input_size, info.heatmap_size) == ((64, 64), (16, 16))
    # The hourglass configs normalize BGR with the statistics of RGB.
    assert (info.channel_order, info.image_order) == ('bgr', 'rgb')
    assert info.mean == (123.675, 116.28, 103.53)
    assert info.std == (58.395, 57.12, 57.375)
    assert (info.codec, info.crop) == ('FPDHeatmap', 'FPDTopdownAffine')
    assert (info.padding, info.precision) == (1.25, 'fp32')
    assert info.flip_test and not info.decoded
    digest = hashlib.sha256(Path(student.checkpoint).read_bytes()).hexdigest()
    assert info.source == dict(
        config='hg4_128_mpii.py',
        checkpoint='student.pth',
        sha256=digest,
        version=__version__,
    )


def test_layers_are_merged_in_the_graph_only(student: Student, tmp_path: Path) -> None:
    before = {name: value.clone() for name, value in student.model.state_dict().items()}
    export_model(student.model, tmp_path / 'a.onnx')
    found = kinds(tmp_path / 'a.onnx')
    layers = list(student.model.modules())
    norms = [name for name, _ in student.model.named_modules() if '.norm1' in name]
    # After a sum there is no convolution to fold into.
    assert found['BatchNormalization'] == len(norms)
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in layers)
    # Three convolutions of the first stack become one.
    assert found['Conv'] == convolutions - 2
    assert not found['Identity'] and not found['Constant']
    assert any(type(layer) is HourglassStack for layer in layers)
    for name, value in student.model.state_dict().items():
        assert torch.equal(value, before[name])


@pytest.mark.parametrize(
    ('name', 'codec'),
    [
        ('hrnet/hrnet_w32_coco_256x192.py', 'FPDHeatmap'),
        ('resnet/res50_mpii.py', 'MSRAHeatmap'),
        ('fpd/litehrnet30_fpd_coco_256x192.py', 'FPDHeatmap'),
    ],
)
def test_other_networks(name: str, codec: str, mpii_root: Path, tmp_path: Path) -> None:
    config = reduced_config(name, mpii_root, tmp_path)
    config.model.head.decoder.type = codec
    other = built(config, tmp_path / 'a.pth')
    report = export_model(
        other.model, tmp_path / 'a.onnx', ExportOptions(True, True, 'bgr')
    )
    assert report.info.codec == codec
    swapped = config.model.data_preprocessor.bgr_to_rgb
    assert report.info.channel_order == ('rgb' if swapped else 'bgr')
    assert not kinds(tmp_path / 'a.onnx')['BatchNormalization']
    width, height = report.info.input_size
    images = torch.randint(256, (3, 3, height, width), dtype=torch.uint8)
    expected = predicted(other.model, images, flip_test=True)
    found = run(tmp_path / 'a.onnx', images.permute(0, 2, 3, 1).numpy())
    assert_same(found['scores'], expected['scores'])
    assert_same_keypoints(found['keypoints'], expected['keypoints'])


def test_a_distillation_config_exports_its_student(
    mpii_root: Path, tmp_path: Path
) -> None:
    config = reduced_distiller(mpii_root, tmp_path)
    Path(config.model.teacher.checkpoint).unlink()
    distilled = built(config, tmp_path / 'a.pth')
    report = export_onnx(config, distilled.checkpoint, tmp_path / 'a.onnx')
    assert report.info.source['config'] == 'hg4_128_fpd_scratch_mpii.py'


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            dict(type='FPDHeatmap', input_size=(64, 64), heatmap_size=(32, 32)),
            'returns heatmaps of 16 x 16, .* has 32 x 32: correct heatmap_size',
        ),
        (
            dict(type='SimCCLabel', input_size=(64, 64)),
            'does not return simcc_x and simcc_y, which SimCCLabel decodes',
        ),
        (
            dict(type='MegviiHeatmap', kernel_size=4, **SIZES),
            r'MegviiHeatmap cannot be exported \(invalid kernels\): correct the codec',
        ),
        (
            dict(type='UDPHeatmap', heatmap_type='combined', **SIZES),
            'returns 16 heatmaps, and UDPHeatmap.* needs 48 for the 16 keypoints',
        ),
    ],
)
def test_codecs_that_do_not_fit_are_errors(
    change: dict, message: str, mpii_root: Path, tmp_path: Path
) -> None:
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path)
    config.model.head.decoder = change
    other = built(config, tmp_path / 'a.pth')
    with pytest.raises(UserError, match=message):
        export_model(other.model, tmp_path / 'a.onnx')
    assert not (tmp_path / 'a.onnx').exists()


def test_other_crops_are_errors(mpii_root: Path, tmp_path: Path) -> None:
    config = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path)
    other = built(config, tmp_path / 'a.pth')
    del other.model.cfg.test_dataloader.dataset.pipeline[2]
    with pytest.raises(UserError, match='has none of FPDTopdownAffine, TopdownAffine'):
        export_model(other.model, tmp_path / 'a.onnx')


def test_a_graph_that_differs_is_not_written(student: Student, tmp_path: Path) -> None:
    path = tmp_path / 'a.onnx'
    path.write_text('good')
    strict = ExportOptions(precision='fp16', tolerance=1e-9)
    with pytest.raises(
        UserError, match='^the network was not exported: .* tolerance of 0.00%$'
    ):
        export_model(student.model, path, strict)
    assert path.read_text() == 'good'


def test_a_failed_write_keeps_the_old_file(
    student: Student, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / 'a.onnx'
    path.write_text('good')

    def fill_the_disk(self: Path, content: bytes) -> None:
        with self.open('wb') as file:
            file.write(content[:100])
        raise OSError(errno.ENOSPC, 'No space left on device')

    monkeypatch.setattr(Path, 'write_bytes', fill_the_disk)
    with pytest.raises(UserError, match='a.onnx" cannot be written: No space left'):
        export_model(student.model, path)
    assert path.read_text() == 'good'
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(image_order='gray'), "`image_order` must be bgr or rgb, got 'gray'"),
        (dict(precision='fp8'), "`precision` must be fp32 or fp16, got 'fp8'"),
        (dict(tolerance=0), '`tolerance` must be above 0, got 0'),
        (dict(opset=11), '`opset` must be 13 to 20, got 11'),
    ],
)
def test_invalid_options_are_errors(options: dict, message: str) -> None:
    with pytest.raises(UserError, match=f'^{message}$'):
        ExportOptions(**options)

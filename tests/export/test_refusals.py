"""What cannot be exported says why, in one line."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import onnxruntime
import pytest
from mmengine.utils import digit_version
from mmpose.registry import KEYPOINT_CODECS
from torch import Tensor, nn

from fpd_mmpose.deploy.model_info import decode_maps
from fpd_mmpose.errors import UserError
from fpd_mmpose.export import ExportOptions, checking, export_model, tracing
from tests.helpers.kinds import SIZE, estimator

FLIP = ExportOptions(flip_test=True)


def refusal(model: nn.Module, folder: Path, options: ExportOptions = FLIP) -> str:
    with pytest.raises(UserError) as caught:
        export_model(model, folder / 'a.onnx', options)
    assert not (folder / 'a.onnx').exists()
    assert '\n' not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ('codec', 'why'),
    [
        (
            dict(type='RegressionLabel', input_size=SIZE),
            'a network with RegressionLabel cannot be exported: it gives coordinates '
            'without heatmaps',
        ),
        (
            dict(
                type='IntegralRegressionLabel',
                input_size=SIZE,
                heatmap_size=(16, 24),
                sigma=2,
            ),
            'it gives the mean of its heatmaps, not a maximum',
        ),
        (
            dict(type='AssociativeEmbedding', input_size=SIZE, heatmap_size=(16, 24)),
            'it gives the joints of several people',
        ),
        (
            dict(type='Hand3DHeatmap'),
            'it gives 3-D keypoints; use a head with one of FPDHeatmap, MSRAHeatmap, '
            'UDPHeatmap, MegviiHeatmap, SimCCLabel',
        ),
    ],
)
def test_other_codecs(codec: dict, why: str, tmp_path: Path) -> None:
    model = estimator('stock')
    model.head.decoder = KEYPOINT_CODECS.build(codec)
    assert why in refusal(model, tmp_path)


def test_a_subclass_of_a_known_codec(tmp_path: Path) -> None:
    model = estimator('stock')
    kind = type(model.head.decoder)
    model.head.decoder.__class__ = type('OwnHeatmap', (kind,), {})
    assert 'OwnHeatmap cannot be exported: it decodes in' in refusal(model, tmp_path)


def test_no_codec(tmp_path: Path) -> None:
    model = estimator('stock')
    model.head.decoder = None
    assert 'set model.head.decoder in the config' in refusal(model, tmp_path)


@pytest.mark.parametrize(
    ('kind', 'why'),
    [
        ('BottomupPoseEstimator', 'it finds all people of an image at once'),
        ('PoseLifter', 'it computes 3-D poses from 2-D ones'),
        ('Other', 'it is no top-down pose estimator'),
    ],
)
def test_other_estimators(kind: str, why: str, tmp_path: Path) -> None:
    model = type(kind, (nn.Module,), {})()
    message = refusal(model, tmp_path)
    assert message.startswith(f'a {kind} cannot be exported: {why}')
    assert message.endswith('use a TopdownPoseEstimator with heatmaps or SimCC')


@pytest.mark.parametrize('indices', [[], [0, 17], [-1]])
def test_keypoints_that_are_not_predicted(indices: list[int], tmp_path: Path) -> None:
    model = estimator('stock')
    model.test_cfg['output_keypoint_indices'] = indices
    assert 'must be of the 17 keypoints of the dataset' in refusal(model, tmp_path)


def test_the_flip_test_of_another_codec(tmp_path: Path) -> None:
    model = estimator('combined')
    model.test_cfg['flip_mode'] = 'heatmap'
    assert "needs 'udp_combined' in model.test_cfg" in refusal(model, tmp_path)
    export_model(model, tmp_path / 'a.onnx')  # without flip test


def test_another_ratio_of_simcc(tmp_path: Path) -> None:
    model = estimator('simcc')
    model.head.decoder.simcc_split_ratio = 3.0
    message = refusal(model, tmp_path)
    assert 'has 192 x 288: correct simcc_split_ratio in the config' in message


@pytest.mark.parametrize('kind', ['dark', 'simcc'])
def test_decoding_that_differs(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(*given: Any) -> tuple:
        keypoints, scores = decode_maps(*given)
        return keypoints + 0.5, scores

    monkeypatch.setattr(checking, 'decode_maps', wrong)
    message = refusal(estimator(kind), tmp_path)
    assert 'its outputs are not decoded as' in message
    assert 'keypoints differ by 0.5' in message


class Freeze(nn.Module):
    """Computes with the size of the batch in Python."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, inputs: Tensor) -> tuple[Tensor]:
        (features,) = self.inner(inputs)
        count, *sizes = (int(size) for size in features.shape)
        return (features.flatten().reshape(count, *sizes),)


@pytest.mark.filterwarnings('ignore')
def test_a_layer_that_runs_one_batch_size_only(tmp_path: Path) -> None:
    model = estimator('stock')
    model.backbone = Freeze(model.backbone)
    expected = 'its Freeze computes with the number of people'
    if digit_version(onnxruntime.__version__) < digit_version('1.24'):
        # The last release for Python 3.10 removes a node that another one needs.
        expected = 'ONNX Runtime cannot read the graph'
    assert expected in refusal(model, tmp_path)


def test_a_layer_that_is_right_for_one_batch_size_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, 'free_windows', lambda module: nullcontext())
    message = refusal(estimator('swin'), tmp_path)
    assert 'its ShiftWindowMSA computes with the number of people' in message

"""Estimators of every kind in half precision and in 8 bits."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from mmpose.apis import inference_topdown

from fpd_mmpose.deploy import PoseSession
from fpd_mmpose.errors import UserError
from fpd_mmpose.export import ExportOptions, export_model, quantize_model
from tests.helpers.kinds import SIZE, estimator, people


@pytest.fixture(scope='module')
def image() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (30, 40, 3), np.uint8)
    return cv2.resize(noise, (320, 240), interpolation=cv2.INTER_CUBIC)


def close_to_mmpose(path: Path, model, image: np.ndarray, within: float) -> float:
    """The share of keypoints that are where they are in float32."""
    boxes = people(8, image)
    found = [one.pred_instances for one in inference_topdown(model, image, boxes)]
    expected = np.concatenate([one.keypoints for one in found])
    away = np.abs(PoseSession(path, threads=1)(image, boxes).keypoints - expected)
    return float((away.max(axis=-1) < within).mean())


@pytest.mark.parametrize('kind', ['udp', 'combined', 'rtmcc', 'swin'])
def test_half_precision(kind: str, image: np.ndarray, tmp_path: Path) -> None:
    model = estimator(kind)
    options = ExportOptions(True, True, 'rgb', 'fp16', tolerance=0.5)
    export_model(model, tmp_path / 'a.onnx', options)
    # Random weights may have several maxima that are nearly equal.
    assert close_to_mmpose(tmp_path / 'a.onnx', model, image, within=4) > 0.7


def noise() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    shape = (1, 3, SIZE[1], SIZE[0])
    return [generator.standard_normal(shape, np.float32) for _ in range(4)]


@pytest.mark.parametrize('kind', ['udp', 'combined', 'simcc', 'some_keypoints'])
def test_8_bits(kind: str, image: np.ndarray, tmp_path: Path) -> None:
    model = estimator(kind)
    options = ExportOptions(flip_test=True, with_decode=kind != 'simcc')
    report = quantize_model(model, tmp_path / 'a.onnx', noise(), options, limit=None)
    assert report.layers[0] > 0
    assert PoseSession(tmp_path / 'a.onnx').info.precision == 'int8'
    assert close_to_mmpose(tmp_path / 'a.onnx', model, image, within=40) > 0.3


def test_a_network_without_layers_for_8_bits(tmp_path: Path) -> None:
    with pytest.raises(UserError, match='8 bits are for convolutions, and it has none'):
        quantize_model(estimator('swin'), tmp_path / 'a.onnx', noise())

"""Exports in 8 bits."""

import copy
import shutil
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest

from fpd_mmpose.errors import UserError
from fpd_mmpose.export import (
    ExportOptions,
    Int8Report,
    checked_graph,
    export_int8,
    export_model,
    quantize_model,
)
from fpd_mmpose.export.int8 import search
from fpd_mmpose.export.int8.quantizing import (
    batch_norms_to_convolutions,
    measure_ranges,
)
from fpd_mmpose.export.int8.search import Search, quantizable
from tests.helpers.export_data import Student, built, described, run
from tests.helpers.reduced import reduced_config
from tests.helpers.rounding import assert_same

PLAIN = ExportOptions()


@pytest.fixture(scope='module')
def crops() -> list[np.ndarray]:
    generator = np.random.default_rng(0)
    return [
        generator.standard_normal((1, 3, 64, 64)).astype(np.float32) for _ in range(12)
    ]


@pytest.fixture(scope='module')
def quantized(
    student: Student,
    crops: list[np.ndarray],
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, Int8Report]:
    path = tmp_path_factory.mktemp('quantized') / 'int8.onnx'
    return path, quantize_model(student.model, path, crops, limit=None)


def test_all_but_the_first_and_last_convolutions_are_in_8_bits(
    quantized: tuple[Path, Int8Report],
) -> None:
    path, report = quantized
    assert report.layers[0] == report.layers[1] > 50
    assert described(path).precision == 'int8'
    graph = onnx.load(str(path)).graph
    made = {name: node for node in graph.node for name in node.output}
    read = {name for node in graph.node for name in node.input}
    full = [
        node
        for node in graph.node
        if node.op_type == 'Conv'
        and made.get(node.input[1]) is None  # weights that are not quantized
    ]
    assert 'stem.0' in full[0].name and full[0].input[0] == 'input'
    assert 'score' in full[1].name and full[1].output[0] not in read
    assert len(full) == 2
    # No operator in between needs float32.
    assert not any(node.op_type == 'BatchNormalization' for node in graph.node)


def test_the_heatmaps_are_similar(
    student: Student,
    quantized: tuple[Path, Int8Report],
    crops: list[np.ndarray],
    tmp_path: Path,
) -> None:
    export_model(student.model, tmp_path / 'fp32.onnx')
    inputs = np.concatenate(crops)
    found = run(quantized[0], inputs)['heatmaps']
    expected = run(tmp_path / 'fp32.onnx', inputs)['heatmaps']
    assert np.corrcoef(found.ravel(), expected.ravel())[0, 1] > 0.98


def test_pairs_of_products_fit_into_16_bits(
    student: Student, crops: list[np.ndarray], tmp_path: Path
) -> None:
    # x86 CPUs without VNNI add two products in 16 bits, and cut off what is beyond.
    path = tmp_path / 'int8.onnx'
    quantize_model(student.model, path, crops, limit=None)
    weights = [
        onnx.numpy_helper.to_array(one)
        for one in onnx.load(str(path)).graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and len(one.dims) == 4
    ]
    assert len(weights) > 20
    for one in weights:
        assert 255 * 2 * np.abs(one.astype(int)).max() < 2**15


def test_batch_norms_become_equal_convolutions(
    student: Student, crops: list[np.ndarray], tmp_path: Path
) -> None:
    graph = checked_graph(student.model, PLAIN).graph
    onnx.save(graph, str(tmp_path / 'before.onnx'))
    batch_norms_to_convolutions(graph.graph)
    onnx.save(graph, str(tmp_path / 'after.onnx'))
    assert not any(node.op_type == 'BatchNormalization' for node in graph.graph.node)
    before, after = (
        run(tmp_path / f'{name}.onnx', crops[0])['heatmaps']
        for name in ('before', 'after')
    )
    assert_same(after, before)


def test_an_outlier_does_not_widen_the_ranges(
    student: Student, crops: list[np.ndarray]
) -> None:
    graph = checked_graph(student.model, PLAIN).graph
    ranges = measure_ranges(graph, crops)
    outlier = measure_ranges(graph, [*crops, 1000 * crops[0]])
    low, high = ranges['input'].range_value
    assert low < 0 < high
    assert outlier['input'].range_value[1] < 1.1 * high


class TestSearch:
    @pytest.fixture(autouse=True)
    def few_parts(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(search, 'PARTS', 5)

    @pytest.fixture
    def small(self, mpii_root: Path, tmp_path: Path) -> Student:
        name = 'hourglass/hg4_128_mpii.py'
        config = reduced_config(name, mpii_root, tmp_path, stacks=1)
        return built(config, tmp_path / 'small.pth')

    def prepared(self, small: Student, crops: list[np.ndarray]) -> Search:
        checked = checked_graph(small.model, PLAIN)
        batch_norms_to_convolutions(checked.graph.graph)
        ranges = measure_ranges(checked.graph, crops)
        self.lines: list[str] = []
        return Search(checked.graph, ranges, checked.info, crops, self.lines.append)

    def test_layers_return_to_float32_until_few_keypoints_move(
        self, small: Student, crops: list[np.ndarray]
    ) -> None:
        prepared = self.prepared(small, crops)
        nodes = quantizable(prepared.graph.graph)
        _, kept, moved = prepared.find(1.0)
        assert kept == nodes and len(self.lines) == 1
        # Noise has no clear maxima, so some keypoints move immediately.
        assert moved > 0
        graph, kept, fewer = prepared.find(moved / 2)
        assert 0 < len(kept) < len(nodes)
        assert fewer <= moved / 2
        onnx.checker.check_model(graph, full_check=True)

    def test_it_gives_up_in_the_end(
        self, small: Student, crops: list[np.ndarray]
    ) -> None:
        with pytest.raises(
            UserError, match='of the keypoints move .* calibrate a trained network'
        ):
            self.prepared(small, crops).find(-1.0)


class TestData:
    def test_a_data_root_measures_the_change_of_the_score(
        self, student: Student, mpii_root: Path, tmp_path: Path
    ) -> None:
        options = ExportOptions(with_decode=True, image_order='rgb')
        report = export_int8(
            student.config,
            student.checkpoint,
            tmp_path / 'a.onnx',
            mpii_root,
            options,
            limit=1.0,
        )
        assert report.before['PCKh/Mean'] >= 0 and report.after['PCKh/Mean'] >= 0
        last = str(report).splitlines()[-1]
        assert last.startswith('PCKh/Mean on the test set: ')
        found = run(tmp_path / 'a.onnx', np.zeros((1, 64, 64, 3), np.uint8))
        assert list(found) == ['keypoints', 'scores']

    # Selecting twice would restore the order.
    @pytest.mark.parametrize('rows', [None, list(range(15, -1, -1))])
    def test_the_score_in_float32_is_that_of_mmpose(
        self, rows: list[int] | None, student: Student, mpii_root: Path, tmp_path: Path
    ) -> None:
        from mmengine.runner import Runner

        config = copy.deepcopy(student.config)
        config.model.test_cfg.output_keypoint_indices = rows
        arguments = (config, student.checkpoint, tmp_path / 'a.onnx', mpii_root)
        config = copy.deepcopy(config)
        config.load_from = student.checkpoint
        config.work_dir = str(tmp_path)
        config.model.test_cfg.flip_test = False
        expected = Runner.from_cfg(config).test()
        report = export_int8(*arguments, limit=1.0)
        for name, value in report.before.items():
            assert value == pytest.approx(expected[name], nan_ok=True)

    def test_a_folder_of_images_calibrates_without_a_score(
        self, student: Student, mpii_root: Path, tmp_path: Path
    ) -> None:
        folder = tmp_path / 'images'
        folder.mkdir()
        for path in sorted((mpii_root / 'images').iterdir())[:4]:
            shutil.copy(path, folder)
        arguments = (student.config, student.checkpoint, tmp_path / 'a.onnx', folder)
        lines: list[str] = []
        report = export_int8(*arguments, limit=1.0, log=lines.append)
        assert report.before is None
        assert str(report).endswith('the score is not measured without labels')
        assert lines[0] == f'calibrating on 4 people of {folder}'

    @pytest.mark.parametrize(
        ('files', 'message'),
        [
            ({}, 'annotations/mpii_train.json'),
            ({'a.jpg': b''}, 'fewer than 2 people'),
            ({'a.jpg': b'', 'b.jpg': b'no image'}, 'a.jpg" is empty'),
        ],
    )
    def test_unusable_folders_are_errors(
        self, files: dict, message: str, student: Student, tmp_path: Path
    ) -> None:
        folder = tmp_path / 'data'
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        good = np.zeros((8, 8, 3), np.uint8)
        if len(files) == 1:
            cv2.imwrite(str(folder / 'a.jpg'), good)
        arguments = (student.config, student.checkpoint, tmp_path / 'a.onnx', folder)
        with pytest.raises((UserError, FileNotFoundError), match=message):
            export_int8(*arguments)
        assert not (tmp_path / 'a.onnx').exists()

    def test_a_missing_folder_is_an_error(self, student: Student) -> None:
        with pytest.raises(UserError, match='^"nowhere" is not a folder of people'):
            export_int8(student.config, student.checkpoint, 'a.onnx', 'nowhere')

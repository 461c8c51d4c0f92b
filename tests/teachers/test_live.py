"""A teacher may differ in size, normalization, and joints, or an error says why."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from fpd_mmpose.teachers import live
from fpd_mmpose.teachers.live import InputAdapter
from fpd_mmpose.teachers.output_format import as_stages
from fpd_mmpose.teachers.recording import recorded_forward
from tests.helpers import ROOT
from tests.helpers.reduced import CODEC, reduced_config, reduced_teacher
from tests.helpers.refusals import refused
from tests.helpers.rounding import assert_same

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def build(teacher: dict, mpii_root: Path, tmp_path: Path, **changes):
    config = reduced_config('fpd/hg4_128_fpd_scratch_mpii.py', mpii_root, tmp_path)
    config.model.teacher = teacher
    config.model.update(changes)
    return MODELS.build(config.model)


def refusal(model) -> str:
    return refused(model.init_weights)


def small_resnet(tmp_path: Path, joints: int = 16, **codec) -> dict:
    """A stock MMPose network: another architecture, RGB input, one stage."""
    config = dict(
        type='TopdownPoseEstimator',
        data_preprocessor=dict(
            type='PoseDataPreprocessor', mean=MEAN, std=STD, bgr_to_rgb=True
        ),
        backbone=dict(type='ResNet', depth=18),
        head=dict(
            type='HeatmapHead',
            in_channels=512,
            out_channels=joints,
            deconv_out_channels=(16, 16, 16),
            deconv_kernel_sizes=(4, 4, 4),
            loss=dict(type='KeypointMSELoss', use_target_weight=True),
            decoder=dict(CODEC, **codec),
        ),
    )
    path = tmp_path / 'resnet.pth'
    torch.save(MODELS.build(config).state_dict(), path)
    return dict(config=config, checkpoint=str(path))


def pixels_for(model: torch.nn.Module, pixels: torch.Tensor) -> torch.Tensor:
    data = dict(inputs=list(pixels), data_samples=[])
    return model.data_preprocessor(data)['inputs']


class TestAnyHeatmapEstimatorTeaches:
    def test_a_stock_network_sees_the_same_pixels_in_its_own_normalization(
        self, mpii_root, tmp_path
    ):
        model = build(small_resnet(tmp_path), mpii_root, tmp_path)
        model.init_weights()
        teacher = model.teacher.model
        pixels = torch.randint(0, 256, (2, 3, 64, 64), dtype=torch.uint8)
        expected = teacher(pixels_for(teacher, pixels), None)
        got = model.teacher.teach(pixels_for(model, pixels)).values
        assert_same(got, expected)

    def test_equal_normalization_leaves_the_input_bit_identical(
        self, mpii_root, tmp_path
    ):
        model = build(reduced_teacher(tmp_path), mpii_root, tmp_path)
        adapter = InputAdapter(model.data_preprocessor, model.data_preprocessor)
        inputs = torch.randn(1, 3, 64, 64)
        assert adapter(inputs) is inputs

    def test_another_aspect_ratio_is_kept_with_a_warning(
        self, mpii_root, tmp_path, monkeypatch
    ):
        model = build(reduced_teacher(tmp_path), mpii_root, tmp_path)
        lines = []
        monkeypatch.setattr(live, 'print_log', lambda line, **_: lines.append(line))
        for size, found in (
            ((64, 128), None),
            ((128, 128), (64, 64)),
            ((64, 64), None),
        ):
            adapter = live.input_adapter(model.data_preprocessor, model, size)
            assert adapter.size == found
        assert lines == [
            "the teacher was trained for 64 x 64 pixels, and sees the student's "
            '64 x 128, which have another aspect ratio'
        ]

    def test_joint_map_picks_the_teachers_heatmaps(self, mpii_root, tmp_path):
        teacher = small_resnet(tmp_path, joints=17)
        joint_map = [*range(16, 0, -1)]
        model = build(dict(teacher, joint_map=joint_map), mpii_root, tmp_path)
        model.init_weights()
        inputs = torch.randn(1, 3, 64, 64)
        mapped = model.teacher.teach(inputs).values
        adapter = InputAdapter(
            model.data_preprocessor, model.teacher.model.data_preprocessor
        )
        whole = model.teacher.model(adapter(inputs), None)
        assert torch.equal(mapped, whole[:, joint_map])

    def test_only_networks_with_the_students_joints_are_validated(
        self, mpii_root, tmp_path
    ):
        teacher = reduced_teacher(tmp_path)
        model = build(teacher, mpii_root, tmp_path)
        assert model.teacher.network_to_validate(model) is model.teacher.model
        assert model.teacher.model is not None
        for joint_map in ([None, *range(15)], [*range(15, -1, -1)]):
            model = build(dict(teacher, joint_map=joint_map), mpii_root, tmp_path)
            assert model.teacher.network_to_validate(model) is None

    def test_larger_heatmaps_are_resized_to_the_students(self, mpii_root, tmp_path):
        teacher = small_resnet(tmp_path, heatmap_size=(32, 32))
        head = teacher['config']['head']
        head.update(
            deconv_out_channels=(16, 16, 16, 16), deconv_kernel_sizes=(4, 4, 4, 4)
        )
        torch.save(MODELS.build(teacher['config']).state_dict(), teacher['checkpoint'])
        model = build(teacher, mpii_root, tmp_path)
        model.init_weights()
        heatmaps = model.teacher.teach(torch.randn(1, 3, 64, 64)).values
        assert heatmaps.shape == (1, 16, 16, 16)

    def test_a_distilled_network_can_teach(self, mpii_root, tmp_path):
        own = reduced_config('fpd/hg4_128_fpd_mpii.py', mpii_root, tmp_path)
        path = tmp_path / 'distilled.pth'
        torch.save(MODELS.build(own.model).state_dict(), path)
        teacher = dict(config=dict(model=own.model), checkpoint=str(path))
        build(teacher, mpii_root, tmp_path).init_weights()

    def test_weights_of_the_reference_are_read(self, mpii_root, tmp_path):
        weights = ROOT / 'tests' / 'data' / 'hourglass_a.pth'
        teacher = reduced_config(
            'hourglass/hg8_256_mpii.py', mpii_root, tmp_path, stacks=2, features=32
        )
        model = build(
            dict(config=dict(model=teacher.model), checkpoint=str(weights)),
            mpii_root,
            tmp_path,
        )
        model.init_weights()
        stored = np.load(weights.with_suffix('.npz'))
        got = model.teacher.teach(torch.from_numpy(stored['input'])).values
        assert_same(got, stored['heatmaps'][-1])

    def test_config_by_path_name_or_dict(self, mpii_root, tmp_path, monkeypatch):
        # Not from the repository's root: the package's own configs are found.
        monkeypatch.chdir(tmp_path)
        small = build(reduced_teacher(tmp_path), mpii_root, tmp_path)
        small.init_weights()
        for config, first in (
            ('configs/hourglass/hg8_256_mpii.py', 'stem.0'),
            (
                'mmpose::body_2d_keypoint/topdown_heatmap/mpii/'
                'td-hm_res50_8xb64-210e_mpii-256x256.py',
                'conv1',
            ),
        ):
            teacher = dict(config=config, checkpoint=str(tmp_path / 'teacher.pth'))
            assert f'first backbone.{first}' in refusal(
                build(teacher, mpii_root, tmp_path)
            )


class TestErrorsOfOneLine:
    def test_weights_that_are_missing_or_unreadable(self, mpii_root, tmp_path):
        teacher = reduced_teacher(tmp_path)
        whole = Path(teacher['checkpoint']).read_bytes()
        for content, reason in (
            (None, 'does not exist'),
            (b'', 'not a readable PyTorch file'),
            (b'not weights', 'is not a PyTorch file'),
            (whole[: len(whole) // 2], 'may be truncated'),
        ):
            path = tmp_path / 'given.pth'
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
            model = build(dict(teacher, checkpoint=str(path)), mpii_root, tmp_path)
            message = refusal(model)
            assert message.startswith('model.teacher.checkpoint: ')
            assert str(path) in message and reason in message
            assert ('fpd train' in message) is (content is None)

    def test_weights_of_another_network(self, mpii_root, tmp_path):
        teacher = reduced_teacher(tmp_path)
        wider = reduced_config(
            'hourglass/hg8_256_mpii.py', mpii_root, tmp_path, stacks=3, features=32
        )
        message = refusal(
            build(dict(teacher, config=dict(model=wider.model)), mpii_root, tmp_path)
        )
        assert 'have another shape' in message
        assert '(6, 3, 7, 7) in the file, (8, 3, 7, 7) in the network' in message
        deeper = reduced_config(
            'hourglass/hg8_256_mpii.py', mpii_root, tmp_path, stacks=4, features=24
        )
        message = refusal(
            build(dict(teacher, config=dict(model=deeper.model)), mpii_root, tmp_path)
        )
        assert 'are missing (first backbone.stacks.2.merge_features' in message

    @pytest.mark.parametrize('value', [torch.nan, torch.inf])
    def test_weights_that_are_not_finite(self, mpii_root, tmp_path, value):
        teacher = reduced_teacher(tmp_path)
        weights = torch.load(teacher['checkpoint'])
        name = next(key for key, v in weights.items() if v.is_floating_point())
        weights[name].view(-1)[-1] = value
        torch.save(weights, teacher['checkpoint'])
        message = refusal(build(teacher, mpii_root, tmp_path))
        assert teacher['checkpoint'] in message
        assert f'NaN or infinite weights (first {name})' in message

    def test_config_that_is_missing_or_has_no_model(self, mpii_root, tmp_path):
        teacher = reduced_teacher(tmp_path)
        message = refusal(
            build(dict(teacher, config='no/such.py'), mpii_root, tmp_path)
        )
        assert 'model.teacher.config' in message and 'no/such.py' in message
        (tmp_path / 'empty.py').write_text('a = 1\n')
        message = refusal(
            build(dict(teacher, config=str(tmp_path / 'empty.py')), mpii_root, tmp_path)
        )
        assert 'has no `model`' in message

    def test_joints_that_cannot_be_matched(self, mpii_root, tmp_path):
        teacher = small_resnet(tmp_path, joints=17)
        message = refusal(build(teacher, mpii_root, tmp_path))
        assert 'has 17 joints and the student 16' in message
        for joint_map, reason in (
            ([0], 'one entry for each of the 16 joints of the student, got 1'),
            ([*range(2, 18)], '17, which is not a heatmap'),
            ([-1, *range(15)], '-1, which is not a heatmap'),
            ([0, *range(15)], 'uses a heatmap of the teacher twice'),
        ):
            model = build(dict(teacher, joint_map=joint_map), mpii_root, tmp_path)
            assert reason in refusal(model)

    def test_heatmaps_of_another_size_than_the_codecs(self, mpii_root, tmp_path):
        teacher = small_resnet(tmp_path)
        # Strides of the last stage that shrink the width alone.
        teacher['config']['backbone'].update(strides=(1, 2, 2, (2, 4)))
        message = refusal(build(teacher, mpii_root, tmp_path))
        assert 'are 8 x 16 for an input of 64 x 64 pixels' in message
        assert 'its codec has 16 x 16 for 64 x 64: correct heatmap_size' in message

    def test_a_head_without_heatmaps(self, mpii_root, tmp_path):
        teacher = small_resnet(tmp_path)
        teacher['config']['head'] = dict(
            type='RegressionHead', in_channels=512, num_joints=16
        )
        teacher['config']['neck'] = dict(type='GlobalAveragePooling')
        torch.save(MODELS.build(teacher['config']).state_dict(), teacher['checkpoint'])
        message = refusal(build(teacher, mpii_root, tmp_path))
        assert 'has no codec: set its decoder' in message

    def test_an_input_that_the_teacher_cannot_take(self, mpii_root, tmp_path):
        teacher = reduced_teacher(tmp_path)
        student = small_resnet(tmp_path)['config']
        codec = dict(CODEC, input_size=(96, 128), heatmap_size=(24, 32))
        student['head']['decoder'] = codec
        model = MODELS.build(dict(student, type='FPDDistiller', teacher=teacher))
        message = refusal(model)
        assert 'input of 96 x 128 pixels' in message and 'divisible by 64' in message


class TestOutputsOfHeads:
    def test_stages_of_tensors_and_sequences(self):
        one = torch.rand(1, 2, 8, 6)
        assert as_stages(one, 'x') == [one]
        assert len(as_stages((one, one), 'x')) == 2

    def test_simcc_vectors_are_one_stage_and_visibilities_are_left_out(self):
        x, y = torch.rand(1, 2, 8), torch.rand(1, 2, 6)
        assert as_stages((x, y), 'x') == [(x, y)]
        heatmaps, visible = torch.rand(1, 2, 8, 6), torch.rand(1, 2)
        assert as_stages((heatmaps, visible), 'x') == [heatmaps]
        assert as_stages(((x, y), visible), 'x') == [(x, y)]

    @pytest.mark.parametrize('output', [torch.rand(1, 2, 8), (), None, 'text'])
    def test_other_outputs_are_an_error(self, output):
        with pytest.raises(ValueError, match='the head of the teacher returns no'):
            as_stages(output, 'the teacher')

    def test_recording_leaves_the_head_as_it_was(self):
        head = torch.nn.Linear(2, 2)
        with recorded_forward(head) as outputs:
            result = head.forward(torch.ones(1, 2))
        assert outputs[0] is result
        assert 'forward' not in vars(head)
        with pytest.raises(RuntimeError), recorded_forward(head):
            raise RuntimeError
        assert 'forward' not in vars(head)

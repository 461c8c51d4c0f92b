"""A network of each kind that MMPose ships works, or is refused with a reason."""

import copy
from pathlib import Path

import pytest
import torch
from mmengine.config import Config, ConfigDict

from fpd_mmpose.models import FPDDistiller
from matrix.kinds import Entry, Kind, codec_of, config_names, kind_of, read
from matrix.people import batch, with_people
from matrix.tries import BREAKS, REFUSED, WORKS, Difference, Tries

TOPDOWN = 'body_2d_keypoint/topdown_heatmap/coco/'
#: One for each head and codec; dev/mmpose_matrix.py tries all backbones.
CONFIGS = [
    TOPDOWN + 'td-hm_mobilenetv2_8xb64-210e_coco-256x192.py',
    TOPDOWN + 'td-hm_res50_dark-8xb64-210e_coco-256x192.py',
    TOPDOWN + 'cspnext-tiny_udp_8xb256-210e_coco-256x192.py',
    TOPDOWN + 'td-hm_ViTPose-small-simple_8xb64-210e_coco-256x192.py',
    TOPDOWN + 'td-hm_hrnet-w32_udp-regress-8xb64-210e_coco-256x192.py',
    TOPDOWN + 'td-hm_rsn18_8xb32-210e_coco-256x192.py',
    TOPDOWN + 'td-hm_vipnas-mbv3_8xb64-210e_coco-256x192.py',
    TOPDOWN + 'td-hm-vis_res50_8xb64-210e_coco-aic-256x192-merge.py',
    'body_2d_keypoint/topdown_heatmap/mpii/td-hm_hourglass52_8xb64-210e_mpii-256x256.py',
    'body_2d_keypoint/simcc/coco/simcc_vipnas-mbv3_8xb64-210e_coco-256x192.py',
    'body_2d_keypoint/rtmpose/body8/rtmpose-t_8xb256-420e_body8-256x192.py',
    'wholebody_2d_keypoint/rtmpose/cocktail14/'
    'rtmw-m_8xb1024-270e_cocktail14-256x192.py',
]
MPII = 'body_2d_keypoint/topdown_heatmap/mpii/'
LITE = MPII + 'td-hm_litehrnet-18_8xb64-210e_mpii-256x256.py'
SIZES = ('input_size', 'heatmap_size', 'in_featuremap_size', 'img_size', 'out_shape')
#: Their features are not proportional to the input, or need a larger one.
FULL_SIZE = ('AlexNet', 'SCNet')


def family(name):
    return Entry(name, Kind(*'-----'), 0).family


def halved(config):
    """Copies a config with half of the width and height of the input."""

    def change(value):
        if isinstance(value, dict):
            return {
                name: _half(each) if name in SIZES else change(each)
                for name, each in value.items()
            }
        if isinstance(value, list | tuple):
            return type(value)(map(change, value))
        return value

    codec = codec_of(config)
    width, height = (codec[-1] if isinstance(codec, list) else codec)['input_size']
    if config.model.backbone.type in FULL_SIZE or width % 64 or height % 64:
        return config
    return Config(ConfigDict(change(config.to_dict())))


def _half(size):
    return tuple(number // 2 for number in size)


def try_roles(config, folder, *roles):
    return Tries(with_people(config, folder), folder).run(roles)


@pytest.mark.slow
@pytest.mark.parametrize('name', CONFIGS, ids=lambda name: Path(name).stem)
def test_every_kind_teaches_and_learns_or_is_refused(name, tmp_path):
    config = read(name)
    if config.model.backbone.type.startswith('mmpretrain.'):
        pytest.importorskip('mmpretrain')
    found = try_roles(halved(config), tmp_path, 'teacher', 'student')
    assert BREAKS not in {state for state, _ in found.values()}, found


@pytest.mark.slow
def test_a_network_works_in_every_role(tmp_path):
    config = halved(read(LITE))
    found = try_roles(config, tmp_path, 'teacher', 'student', 'stored', 'export')
    assert set(found.values()) == {(WORKS, '')}


class TestFaults:
    @pytest.fixture
    def tries(self, tmp_path):
        tries = Tries(with_people(halved(read(LITE)), tmp_path), tmp_path)
        tries._build_networks()
        return tries

    def test_of_a_loss_are_found(self, tries, monkeypatch):
        loss = FPDDistiller.loss

        def changed(self, *args, **kwargs):
            losses = loss(self, *args, **kwargs)
            return {**losses, 'pose': losses['pose'] * 1.001}

        monkeypatch.setattr(FPDDistiller, 'loss', changed)
        with pytest.raises(Difference, match='the logged pose is .* stock MMPose'):
            tries.student()

    def test_of_gradients_are_found(self, tries, monkeypatch):
        loss = FPDDistiller.loss

        def changed(self, *args, **kwargs):
            self.head.requires_grad_(False)
            return loss(self, *args, **kwargs)

        monkeypatch.setattr(FPDDistiller, 'loss', changed)
        with pytest.raises(Difference, match='other parameters have gradients'):
            tries.student()

    def test_of_a_teacher_are_found(self, tries, monkeypatch):
        weights = torch.load(tries.weights['teacher'], weights_only=True)
        plain = tries._plain

        def changed(name):
            model = plain(name)
            model.load_state_dict({k: v + 1 for k, v in weights.items()})
            return model

        monkeypatch.setattr(tries, '_plain', changed)
        with pytest.raises(Difference, match='does not compute what its network'):
            tries.teacher()

    def test_are_told_from_refusals(self, tmp_path):
        config = halved(read(LITE))
        config.model.head.out_channels = 0
        found = try_roles(config, tmp_path, 'teacher')
        assert found['teacher'][0] == BREAKS
        name = 'body_2d_keypoint/topdown_regression/mpii/'
        name += 'td-reg_res50_8xb64-210e_mpii-256x256.py'
        found = try_roles(halved(read(name)), tmp_path, 'teacher')
        state, reason = found['teacher']
        assert state == REFUSED and str(tmp_path) not in reason


class TestKinds:
    def test_ignore_what_is_not_tried(self):
        names = config_names()
        assert len(names) == 408 and not any(n.startswith('_base_') for n in names)
        families = [family(name) for name in names]
        assert families.count('top-down heatmap') == 278
        assert families.count('SimCC') == 59

    def test_tell_codecs_apart(self):
        config = read(LITE)
        kind = kind_of(config)
        assert kind == Kind(
            'TopdownPoseEstimator', 'HeatmapHead', 'MSRAHeatmap', 'LiteHRNet', ''
        )
        dark = copy.deepcopy(config)
        dark.model.head.decoder.unbiased = True
        assert kind_of(dark).codec == 'MSRAHeatmap(unbiased=True)'

    def test_have_no_weights_to_download(self):
        for name in CONFIGS:
            assert 'Pretrained' not in read(name).pretty_text, name


def test_people_have_the_joints_and_the_targets_of_the_config(tmp_path):
    config = with_people(halved(read(LITE)), tmp_path)
    samples = batch(config)['data_samples']
    assert [sample.gt_fields.heatmaps.shape for sample in samples] == [(16, 32, 32)] * 2
    assert samples[0].metainfo['flip_indices'][0] == 5

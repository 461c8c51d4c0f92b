"""The networks of the configs at full size."""

import re
from pathlib import Path

import mmpose
import pytest
import torch
import yaml
from mmengine.config import Config
from mmpose.models.pose_estimators.base import BasePoseEstimator
from mmpose.registry import MODELS
from torch import Tensor

from fpd_mmpose.config import config_root, load_config
from fpd_mmpose.reports import Complexity, count
from fpd_mmpose.teachers.output_format import as_stages
from tests.helpers.every_config import FPD, NAMES, STOCK
from zoo.facts import cached

COCO_MODELS = 'body_2d_keypoint/topdown_heatmap/coco'
#: Parameters and multiply-accumulates of a network for the data that it is trained on;
#: those of hourglasses for MPII and of HRNets at 256 pixels also as the reference has
#: them.
COSTS = {
    'hg8_256_mpii': (25_594_624, 28_094_496_768),
    'hg4_256_mpii': (13_018_816, 15_357_444_096),
    'hg4_128_mpii': (3_287_936, 3_907_256_320),
    'hg8_256_coco_256x192': (25_598_472, 21_082_669_056),
    'hg4_256_coco_256x192': (13_020_612, 11_523_588_096),
    'hg4_128_coco_256x192': (3_288_836, 2_933_194_752),
    'hrnet_w32_mpii': (28_536_080, 10_193_207_296),
    'hrnet_w48_mpii': (63_595_696, 20_922_236_928),
    'hrnet_w32_coco_256x192': (28_536_113, 7_645_003_776),
    'hrnet_w48_coco_256x192': (63_595_745, 15_691_825_152),
    'hrnet_w32_coco_384x288': (28_536_113, 17_201_258_496),
    'hrnet_w48_coco_384x288': (63_595_745, 35_306_606_592),
    'res50_mpii': (33_999_440, 7_234_125_824),
    'res101_mpii': (52_991_568, 12_082_741_248),
    'res152_mpii': (68_635_216, 16_931_356_672),
    'res50_coco_256x192': (33_999_697, 5_426_380_800),
    'res101_coco_256x192': (52_991_825, 9_062_842_368),
    'res152_coco_256x192': (68_635_473, 12_699_303_936),
    'res50_coco_384x288': (33_999_697, 12_209_356_800),
    'res101_coco_384x288': (52_991_825, 20_391_395_328),
    'res152_coco_384x288': (68_635_473, 28_573_433_856),
    'litehrnet30_coco_256x192': (1_763_717, 386_103_648),
}
STACKS = {'hg8_256': 8, 'hg4_256': 4, 'hg4_128': 4}


def count_parameters(model: BasePoseEstimator) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def built(config: Config) -> BasePoseEstimator:
    """The network without memory for its weights."""
    with torch.device('meta'):
        return MODELS.build(config.model)


@cached
def cost_of(config: Config) -> Complexity:
    model = built(config).to_empty(device='cpu')
    with torch.no_grad():
        for value in model.state_dict().values():
            value.zero_()
    return count(model, config.codec.input_size)


def stages(model: BasePoseEstimator, input_size: tuple[int, int]) -> list[Tensor]:
    width, height = input_size
    image = torch.zeros(1, 3, height, width, device='meta')
    return as_stages(model(image, None), 'the network')


@pytest.mark.parametrize('name', NAMES)
def test_parameters_and_multiplications(name):
    config, stem = load_config(config_root() / name), Path(name).stem
    cost = cost_of(config)
    network = re.sub(r'_fpd(_scratch|_unlabeled|_labelfree|_cross_skeleton)?', '', stem)
    assert (cost.params, cost.macs) == COSTS[network]


@pytest.mark.parametrize('name', NAMES)
def test_every_stage_gives_a_heatmap_for_each_joint(name):
    config = load_config(config_root() / name)
    heatmaps = stages(built(config), config.codec.input_size)
    assert len(heatmaps) == STACKS.get(Path(name).stem[:7], 1)
    width, height = config.codec.heatmap_size
    joints = 17 if '_coco_' in name else 16
    assert {stage.shape for stage in heatmaps} == {(1, joints, height, width)}


@pytest.mark.parametrize('name', FPD)
def test_teacher_fits_and_is_larger(name):
    config = load_config(config_root() / name)
    teacher_config = load_config(config.model.teacher.config)
    student, teacher = built(config), built(teacher_config)
    size = config.codec.input_size
    mine, theirs = (stages(network, size)[-1].shape for network in (student, teacher))
    # Joints of another skeleton are matched by name.
    other_skeleton = name.endswith('_cross_skeleton_mpii.py')
    assert (mine[1] != theirs[1]) == other_skeleton
    assert mine[2:] == theirs[2:]
    assert teacher_config.codec.sigma == config.codec.sigma
    assert count_parameters(teacher) > 1.8 * count_parameters(student)


@pytest.mark.parametrize(
    ('name', 'stock'),
    [
        ('hrnet/hrnet_w32_mpii.py', 'td-hm_hrnet-w32_8xb64-210e_coco-256x192'),
        ('hrnet/hrnet_w48_mpii.py', 'td-hm_hrnet-w48_8xb32-210e_coco-256x192'),
        ('hrnet/hrnet_w32_coco_384x288.py', 'td-hm_hrnet-w32_8xb64-210e_coco-384x288'),
        ('hrnet/hrnet_w48_coco_384x288.py', 'td-hm_hrnet-w48_8xb32-210e_coco-384x288'),
        ('resnet/res50_mpii.py', 'td-hm_res50_8xb64-210e_coco-256x192'),
        ('resnet/res101_mpii.py', 'td-hm_res101_8xb64-210e_coco-256x192'),
        ('resnet/res152_coco_384x288.py', 'td-hm_res152_8xb32-210e_coco-384x288'),
    ],
)
def test_backbone_starts_from_imagenet_as_in_mmpose(name, stock):
    backbone = load_config(config_root() / name).model.backbone
    expected = load_config(f'mmpose::{COCO_MODELS}/{stock}.py').model.backbone
    assert backbone.init_cfg == expected.init_cfg
    assert backbone.type == expected.type


def test_weights_of_mmposes_pair_are_the_published_ones():
    config = load_config(config_root() / STOCK)
    folder = Path(mmpose.__file__).parent / '.mim' / 'configs' / COCO_MODELS
    weights = {
        Path(model['Config']).name: model['Weights']
        for index in ('hrnet_coco.yml', 'litehrnet_coco.yml')
        for model in yaml.safe_load((folder / index).read_text())['Models']
    }
    teacher = config.model.teacher
    assert teacher.checkpoint == weights[teacher.config.split('/')[-1]]
    student = 'td-hm_litehrnet-30_8xb64-210e_coco-256x192.py'
    assert config.load_from == weights[student]

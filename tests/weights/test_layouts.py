"""The origin of a weight file is detected from its names."""

import pytest

from fpd_mmpose.weights.layouts import from_official, recognize, to_official

HRNET = ('conv1.weight', 'conv2.weight', 'stage4.2.branches.0.0.conv1.weight')
RESNET = ('conv1.weight', 'layer1.0.conv1.weight', 'layer4.0.conv1.weight')
HEAD = ('final_layer.weight', 'final_layer.bias')
KINDS = {
    'hourglass': ('conv1.weight', 'hg.0.hg.0.3.0.conv1.weight', 'score.0.weight'),
    'HRNet pose': (*HRNET, *HEAD),
    'SimpleBaseline': (*RESNET, 'deconv_layers.0.weight', *HEAD),
    # Its final_layer belongs to the classifier.
    'ImageNet HRNet': (*HRNET, 'final_layer.0.weight', 'classifier.weight'),
    'ImageNet ResNet': (*RESNET, 'fc.weight', 'fc.bias'),
    'this project': ('backbone.stem.0.weight', 'head.final_layer.weight'),
}


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('kind', KINDS)
def test_layouts_are_detected_from_names(kind, prefix):
    layout = recognize({prefix + name: 0 for name in KINDS[kind]})
    assert kind in layout.title


def test_only_foreign_pose_estimators_need_no_conversion():
    direct = [k for k, names in KINDS.items() if recognize(dict.fromkeys(names, 0))
              .is_foreign_pose]  # fmt: skip
    assert direct == ['hourglass', 'HRNet pose', 'SimpleBaseline']


@pytest.mark.parametrize(
    'names',
    [(), ('conv1.weight', 'fc.weight'), ('features.0.weight',), (0, 1), HEAD],
    ids=str,
)
def test_other_weights_are_not_recognized(names):
    assert recognize(dict.fromkeys(names, 0)) is None


def test_official_names_get_the_prefix_of_their_part():
    theirs = dict.fromkeys(('module.conv1.weight', 'deconv_layers.3.weight', *HEAD))
    assert list(from_official(theirs)) == [
        'backbone.conv1.weight',
        'head.deconv_layers.3.weight',
        'head.final_layer.weight',
        'head.final_layer.bias',
    ]


def test_weights_of_the_classifier_are_dropped():
    extra = ('incre_modules.0.0.conv1.weight', 'downsamp_modules.0.0.weight')
    extra += ('final_layer.0.weight', 'final_layer.1.bias', 'classifier.bias')
    extra += ('fc.weight', 'stage4.2.fuse_layers.1.0.0.0.weight')
    needed = (
        'stage4.2.fuse_layers.0.1.0.weight',
        'stage4.1.fuse_layers.1.0.0.0.weight',
    )
    assert list(from_official(dict.fromkeys(extra + needed))) == [
        f'backbone.{name}' for name in needed
    ]


def test_official_names_are_restored():
    theirs = {name: name for name in KINDS['SimpleBaseline']}
    assert to_official(from_official(theirs)) == theirs


def test_a_weight_without_an_official_name_is_an_error():
    with pytest.raises(ValueError, match='"neck.weight" is a weight of neither'):
        to_official({'neck.weight': 0})

"""Small networks as ONNX files, without the exporter."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import torch
from mmpose.apis import init_model
from onnx import TensorProto, helper
from torch import Tensor, nn

from fpd_mmpose.deploy import ModelInfo
from tests.helpers.reduced import reduced_config

JOINTS = ('left_hand', 'right_hand', 'head')
#: Of the made networks.
INFO = ModelInfo(
    joints=JOINTS,
    links=((0, 2), (1, 2)),
    flip_indices=(1, 0, 2),
    input_size=(32, 48),
    heatmap_size=(8, 12),
    channel_order='bgr',
    mean=(100.0, 110.0, 120.0),
    std=(50.0, 60.0, 70.0),
)


class _Heatmaps(nn.Module):
    """The network up to its heatmaps; optionally from images as they are."""

    def __init__(self, model: nn.Module, info: ModelInfo):
        super().__init__()
        self.model = model
        self.takes_images = info.image_order is not None
        self.swaps = info.image_order not in (None, info.channel_order)
        self.register_buffer('mean', torch.tensor(info.mean)[:, None, None])
        self.register_buffer('std', torch.tensor(info.std)[:, None, None])

    def forward(self, x: Tensor) -> Tensor:
        if self.takes_images:
            x = x.permute(0, 3, 1, 2).float()
            x = (x.flip(1) if self.swaps else x) - self.mean
            x = x / self.std
        heatmaps = self.model.head(self.model.extract_feat(x))
        return heatmaps[-1] if isinstance(heatmaps, list) else heatmaps


def stock_variant(config) -> None:
    """Has MMPose's own codec, crop and channel order, in place of the project's."""
    config.model.data_preprocessor.bgr_to_rgb = True
    codec = dict(config.model.head.decoder, type='MSRAHeatmap')
    config.model.head.decoder = codec
    for step in config.test_dataloader.dataset.pipeline:
        if step['type'] == 'FPDTopdownAffine':
            step['type'] = 'TopdownAffine'


def small_network(folder: Path, stock: bool = False) -> tuple[nn.Module, ModelInfo]:
    """A student with random weights, as MMPose runs it, and what describes it."""
    name = 'coco_256x192' if stock else 'mpii'
    config = reduced_config(
        f'hourglass/hg4_128_{name}.py', folder, folder, stacks=1, features=16
    )
    if stock:
        stock_variant(config)
    config.model.test_cfg.flip_test = False
    torch.manual_seed(3)
    model = init_model(config, device='cpu')
    meta, normalize = model.dataset_meta, config.model.data_preprocessor
    names = meta['keypoint_id2name']
    info = ModelInfo(
        joints=tuple(names[joint] for joint in range(len(names))),
        links=tuple(meta['skeleton_links']),
        flip_indices=tuple(meta['flip_indices']),
        input_size=tuple(config.model.head.decoder['input_size']),
        heatmap_size=tuple(config.model.head.decoder['heatmap_size']),
        channel_order='rgb' if stock else 'bgr',
        mean=tuple(normalize.mean),
        std=tuple(normalize.std),
        codec='MSRAHeatmap' if stock else 'FPDHeatmap',
        crop='TopdownAffine' if stock else 'FPDTopdownAffine',
    )
    return model, info


def write_small(model: nn.Module, info: ModelInfo, path: Path) -> Path:
    """Exports a small network with its description."""
    width, height = info.input_size
    sample = torch.zeros(1, 3, height, width)
    if info.image_order is not None:
        sample = torch.zeros(1, height, width, 3, dtype=torch.uint8)
    name = 'input' if info.image_order is None else 'image'
    torch.onnx.export(
        _Heatmaps(model, info).eval(),
        (sample,),
        path,
        opset_version=17,
        dynamo=False,
        input_names=[name],
        output_names=['heatmaps'],
        dynamic_axes={name: {0: 'batch'}, 'heatmaps': {0: 'batch'}},
    )
    file = onnx.load(path)
    helper.set_model_props(file, info.to_metadata())
    onnx.save(file, path)
    return path


def write_decoded(path: Path, **changes) -> Path:
    """A network that finds every joint at (8, 36) of the crop; it scores the gray."""
    info = replace(INFO, decoded=True, image_order='rgb', **changes)
    joints = len(JOINTS)
    corner = np.tile(np.float32([8, 36]), (joints, 1)).ravel().tolist()
    nodes = [
        helper.make_node('Cast', ['image'], ['gray'], to=TensorProto.FLOAT),
        helper.make_node('ReduceMean', ['gray'], ['scores'], axes=[1, 2], keepdims=0),
        helper.make_node('Unsqueeze', ['scores', 'last'], ['one']),
        helper.make_node('Mul', ['one', 'zero'], ['nothing']),
        helper.make_node('Add', ['nothing', 'corner'], ['keypoints']),
    ]
    values = [
        helper.make_tensor('last', TensorProto.INT64, [1], [2]),
        helper.make_tensor('zero', TensorProto.FLOAT, [1], [0.0]),
        helper.make_tensor('corner', TensorProto.FLOAT, [1, joints, 2], corner),
    ]
    width, height = INFO.input_size
    image = helper.make_tensor_value_info(
        'image', TensorProto.UINT8, ['batch', height, width, 3]
    )
    outputs = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ['batch', *shape])
        for name, shape in (('keypoints', (joints, 2)), ('scores', (joints,)))
    ]
    graph = helper.make_graph(nodes, 'decoded', [image], outputs, values)
    file = helper.make_model(
        graph, opset_imports=[helper.make_opsetid('', 17)], ir_version=8
    )
    helper.set_model_props(file, info.to_metadata())
    onnx.checker.check_model(file)
    onnx.save(file, path)
    return path

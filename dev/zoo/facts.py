"""Facts about configs, as fields of OpenMMLab's metafiles."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from fpd_mmpose.errors import UserError
from fpd_mmpose.reports import Complexity, count

#: Measures the network of a config on one image.
Measure = Callable[[Config], Complexity]
_DATASETS = {'mpii': 'MPII', 'coco': 'COCO', 'unlabeled': 'unlabeled images'}


def measure(config: Config) -> Complexity:
    """Counts the parameters and operations of a config's network, at its input size."""
    init_default_scope(config.get('default_scope', 'mmpose'))
    return count(MODELS.build(config.model), config.codec.input_size)


def cached(measure: Measure) -> Measure:
    """Measures each network once, as configs share them and counting takes seconds."""
    known: dict[str, Complexity] = {}

    def measure_once(config: Config) -> Complexity:
        model = config.model
        backbone = {k: v for k, v in model.backbone.items() if k != 'init_cfg'}
        parts = [backbone, model.get('neck'), model.head, config.codec.input_size]
        network = str(parts)
        if network not in known:
            known[network] = measure(config)
        return known[network]

    return measure_once


def metadata(config: Config, measure: Measure) -> dict[str, Any]:
    """Returns the fields of a model's ``Metadata``, in order."""
    width, height = config.codec.input_size
    return {
        'Architecture': [architecture(config.model.backbone)],
        'Training Data': _datasets(config.train_dataloader.dataset),
        'Test Data': _datasets(config.test_dataloader.dataset)[0],
        'Input Size': f'{height}x{width}',
        'Epochs': config.train_cfg.max_epochs,
        'Batch Size': config.auto_scale_lr.base_batch_size,
        'Starts From': _start(config),
        **cost(config, measure),
    }


def cost(config: Config, measure: Measure) -> dict[str, Any]:
    """Returns the fields of a network's cost; FLOPs are multiply-accumulates."""
    complexity = measure(config)
    return {
        'Parameters': complexity.params,
        'FLOPs': complexity.macs,
        'Reference GFLOPs': round(complexity.gflops_reference, 3),
    }


def architecture(backbone: ConfigDict) -> str:
    """Names a network, with the size of the types known here."""
    if backbone.type == 'StackedHourglass':
        stacks, features = backbone.num_stacks, backbone.num_features
        return f'Hourglass, {stacks} stacks of {features} features'
    if backbone.type == 'HRNet':
        return f'HRNet-W{backbone.extra.stage2.num_channels[0]}'
    if backbone.type == 'ResNet':
        return f'ResNet-{backbone.depth}'
    return backbone.type


def _start(config: Config) -> str:
    if config.load_from:
        return config.load_from
    return 'ImageNet' if config.model.backbone.get('init_cfg') else 'random weights'


def _datasets(dataset: ConfigDict) -> list[str]:
    parts = dataset.get('datasets', [dataset])
    roots = [Path(part.data_root).name for part in parts]
    return [_DATASETS.get(root, root) for root in roots]


def student_of(path: Path) -> str | Path:
    """Finds the config of the student that an FPD config adds its teacher to.

    It is the first base in another folder, or a name such as ``mmpose::...``.
    """
    base = path = path.resolve()
    while base.parent == path.parent:
        first = _first_base(base)
        if '::' in first:
            return first
        base = (base.parent / first).resolve()
    return base


def _first_base(path: Path) -> str:
    for node in ast.parse(path.read_text(encoding='utf-8')).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == '_base_':
            bases = ast.literal_eval(node.value)
            return bases if isinstance(bases, str) else bases[0]
    raise UserError(f'"{path}" has no `_base_`: expected the config of a student')

"""What a config says of itself, as metafiles have it."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.config import Config, ConfigDict
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS

from fpd_mmpose.reports import Complexity, count

#: Gives the cost of a config's network for one image.
Measure = Callable[[Config], Complexity]
DATA_SETS = {'mpii': 'MPII', 'coco': 'COCO', 'unlabeled': 'pictures without labels'}


def measure(config: Config) -> Complexity:
    """Builds the network of a config and counts its parameters and operations.

    Args:
        config (Config): With a codec, whose input size it is measured at.

    Returns:
        Complexity: For one image.
    """
    init_default_scope(config.get('default_scope', 'mmpose'))
    return count(MODELS.build(config.model), config.codec.input_size)


def once_a_network(measure: Measure) -> Measure:
    """Lets configs of the same network share its cost, which takes seconds to count.

    Args:
        measure (Measure): What to call for a new network.

    Returns:
        Measure: The same, with a memory.
    """
    known: dict[str, Complexity] = {}

    def remembered(config: Config) -> Complexity:
        model = config.model
        backbone = {k: v for k, v in model.backbone.items() if k != 'init_cfg'}
        parts = [backbone, model.get('neck'), model.head, config.codec.input_size]
        network = str(parts)
        if network not in known:
            known[network] = measure(config)
        return known[network]

    return remembered


def metadata(config: Config, measure: Measure) -> dict[str, Any]:
    """Describes a config.

    Args:
        config (Config): The config.
        measure (Measure): Gives its cost.

    Returns:
        dict[str, Any]: The fields of ``Metadata``, in order.
    """
    width, height = config.codec.input_size
    return {
        'Architecture': [architecture(config.model.backbone)],
        'Training Data': _data_sets(config.train_dataloader.dataset),
        'Test Data': _data_sets(config.test_dataloader.dataset)[0],
        'Input Size': f'{height}x{width}',
        'Epochs': config.train_cfg.max_epochs,
        'Batch Size': config.auto_scale_lr.base_batch_size,
        'Starts From': _start(config),
        **cost(config, measure),
    }


def cost(config: Config, measure: Measure) -> dict[str, Any]:
    """Gives what the network of a config costs.

    Args:
        config (Config): The config.
        measure (Measure): Counts it.

    Returns:
        dict[str, Any]: Fields of a metafile, whose FLOPs are multiply-accumulates.
    """
    complexity = measure(config)
    return {
        'Parameters': complexity.params,
        'FLOPs': complexity.macs,
        'Reference GFLOPs': round(complexity.gflops_reference, 3),
    }


def architecture(backbone: ConfigDict) -> str:
    """Names the network that a config builds.

    Args:
        backbone (ConfigDict): Of the model.

    Returns:
        str: With what sets it apart from others of its type, where that is known.
    """
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


def _data_sets(dataset: ConfigDict) -> list[str]:
    parts = dataset.get('datasets', [dataset])
    roots = [Path(part.data_root).name for part in parts]
    return [DATA_SETS.get(root, root) for root in roots]


def student_of(path: Path) -> str | Path:
    """Finds the config that an FPD config puts its teacher over.

    Args:
        path (Path): The FPD config.

    Returns:
        str | Path: The first base that is in another folder, or of another project.
    """
    base = path = path.resolve()
    while base.parent == path.parent:
        first = _first_base(base)
        if '::' in first:
            return first
        base = (base.parent / first).resolve()
    return base


def _first_base(path: Path) -> str:
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == '_base_':
            bases = ast.literal_eval(node.value)
            return bases if isinstance(bases, str) else bases[0]
    raise ValueError(f'"{path}" has no `_base_`: expected the config of a student')

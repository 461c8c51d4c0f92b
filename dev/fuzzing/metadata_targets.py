"""What a weight file says of its joints, which demos draw and flip tests swap."""

import copy
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from mmengine.registry import init_default_scope
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import MODELS

from fpd_mmpose.demos import PoseNetwork
from fpd_mmpose.demos.painter import Painter
from fuzzing.array_targets import saved
from fuzzing.harness import Subject, Target
from fuzzing.mutations import damaged_value
from tests.helpers.reduced import reduced_config


def _metadata(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    init_default_scope('mmpose')
    config = reduced_config('hourglass/hg4_128_mpii.py', folder, folder, 1, 8)
    weights = MODELS.build(config.model).state_dict()
    file = 'configs/_base_/datasets/mpii.py'
    meta: dict[str, Any] = dict(
        dataset_meta=parse_pose_metainfo(dict(from_file=file)), epoch=3, iter=12
    )
    valid = [saved(dict(state_dict=weights, meta=meta)), saved(weights)]
    image = np.zeros((30, 24, 3), np.uint8)

    def damage(rng: Random) -> bytes:
        changed = dict(meta, dataset_meta=damaged_value(rng, meta['dataset_meta']))
        if rng.random() < 0.05:
            changed = damaged_value(rng, meta)
        try:
            return saved(dict(state_dict=weights, meta=changed))
        except Exception:  # not everything can be saved
            return valid[1]

    def read() -> Any:
        network = PoseNetwork(copy.deepcopy(config), path, 'cpu')
        found = network(image)
        assert all(isinstance(joint, str) for joint in network.joints)
        return Painter(network, kpt_thr=0).skeletons(image, found).shape

    return Subject(path, valid, damage, read)


TARGETS = {'metadata': Target(_metadata, 100)}

"""What a weight file says of its joints, which demos draw and flip tests swap."""

from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from mmengine.runner.checkpoint import CheckpointLoader

from fpd_mmpose.demos.painter import Painter
from fuzzing.mutations import damaged_value
from fuzzing.subjects import Subject, Target
from fuzzing.web_targets import small_network
from fuzzing.weight_targets import saved


def _metadata(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    network = small_network(folder)
    painter = Painter(network, kpt_thr=0)
    own = network.model.dataset_meta
    meta: dict[str, Any] = dict(dataset_meta=own, epoch=3, iter=12)
    valid = saved(dict(state_dict={}, meta=meta))
    image = np.zeros((30, 24, 3), np.uint8)

    def damage(rng: Random) -> bytes:
        changed = dict(meta, dataset_meta=damaged_value(rng, own))
        if rng.random() < 0.05:
            changed = damaged_value(rng, meta)
        try:
            return saved(dict(state_dict={}, meta=changed))
        except Exception:  # not everything can be saved
            return valid

    def read() -> Any:
        content = CheckpointLoader.load_checkpoint(str(path), 'cpu')
        network.model.dataset_meta = content['meta'].get('dataset_meta') or own
        found = network(image)
        assert all(isinstance(joint, str) for joint in network.joints)
        painter._visualizer.set_dataset_meta(network.model.dataset_meta)
        return painter.skeletons(image, found).shape

    return Subject(path, [valid], damage, read)


TARGETS = {'metadata': Target(_metadata, 60)}

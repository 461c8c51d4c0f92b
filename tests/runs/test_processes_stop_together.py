"""If the loss of one process is not finite, all stop with the same message."""

import json
import os
from pathlib import Path

import pytest
import torch
import torch.distributed as dist
from mmengine.hooks import Hook

from tests.helpers.tiny import files, trained

pytestmark = [
    pytest.mark.untrained,
    pytest.mark.skipif(not hasattr(os, 'fork'), reason='needs fork'),
]


class AtBarrier(Hook):
    """Synchronizes the steps of all processes, as gradients do."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        dist.barrier()


def in_processes(folder: Path, second: dict, **both: object) -> list[str]:
    """Trains in two processes, with more settings in the second.

    Returns:
        The error of each, or ''.
    """
    children = []
    for rank in (0, 1):
        child = os.fork()
        if not child:
            try:
                _train(folder, rank, **both, **(second if rank else {}))
            finally:
                os._exit(0)
        children.append(child)
    for child in children:
        os.waitpid(child, 0)
    return [json.loads((folder / f'{rank}.json').read_text()) for rank in (0, 1)]


def _train(folder: Path, rank: int, **settings: object) -> None:
    dist.init_process_group('gloo', f'file://{folder}/store', rank=rank, world_size=2)
    message = ''
    try:
        trained(folder / 'run', epochs=2, custom_hooks=[AtBarrier()], **settings)
    except ValueError as error:
        message = str(error)
    (folder / f'{rank}.json').write_text(json.dumps(message))


def test_at_the_next_save(tmp_path):
    first, second = in_processes(tmp_path, dict(bad_steps=(3,)))
    assert first == second
    assert 'the loss is NaN or infinite in step 3' in first
    assert not files(tmp_path / 'run')


def test_or_skip_the_same_steps(tmp_path):
    skip = dict(checkpoint=dict(non_finite_loss='skip'))
    assert in_processes(tmp_path, dict(bad_steps=(3,)), **skip) == ['', '']
    state = torch.load(tmp_path / 'run' / 'epoch_2.pth')['optimizer']['state']
    # The process that saves had no bad batch of its own.
    assert {int(one['step']) for one in state.values()} == {6}

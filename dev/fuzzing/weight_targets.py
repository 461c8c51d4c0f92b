"""Training weights."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader

import fpd_mmpose
from fpd_mmpose.checks.weight_files import check_weights
from fpd_mmpose.errors import UserError
from fpd_mmpose.reports.finished_runs import read_checkpoint
from fpd_mmpose.runs.resuming import check_resumable, clean_message_hub
from fpd_mmpose.weights import read_state_dict, to_reference
from fuzzing.mutations import damaged_bytes, damaged_value
from fuzzing.subjects import Subject, Target

#: Tensors of a checkpoint where a reader looks at none of them.
_FEW = 12


def checkpoint(tensors: int | None = None) -> dict:
    """Makes what a training run saves of a small hourglass, or of its first tensors."""
    network = fpd_mmpose.StackedHourglass(num_stacks=1, num_features=4, num_joints=2)
    state = OrderedDict(
        (f'backbone.{name}', value)
        for name, value in [*network.state_dict().items()][:tensors]
    )
    first = next(iter(state.values()))
    history = HistoryBuffer([0.5, 0.25], [1, 1])
    return dict(
        meta=dict(
            epoch=3,
            iter=12,
            seed=0,
            cfg="load_from = 'a.pth'\nresume = False\n",
            experiment_name='run',
            dataset_meta=dict(dataset_name='mpii', sigmas=np.ones(16) / 9),
        ),
        state_dict=state,
        message_hub=dict(
            log_scalars={'train/loss': history},
            runtime_info={'iter': 12, 'epoch': 3, 'best_score': np.float64(0.5)},
            resumed_keys={'iter': True},
        ),
        optimizer=dict(state={0: dict(step=first, exp_avg=first)}, param_groups=[]),
    )


def strange_tensor(rng: Random) -> Any:
    """Makes a tensor, or nearly one, that hardly fits."""
    return rng.choice(
        [
            lambda: torch.zeros(3),
            lambda: torch.zeros(()),
            lambda: torch.zeros(10**9, 0),
            lambda: torch.zeros(1).expand(10**10),
            lambda: torch.zeros(10**5, 1, 1, 1),
            lambda: torch.zeros(2, 3, dtype=torch.int8),
            lambda: torch.zeros(2, dtype=torch.complex64),
            lambda: torch.full((2,), torch.nan),
            lambda: torch.zeros(4).to_sparse(),
            lambda: torch.zeros(4, device='meta'),
            lambda: np.zeros(3),
            lambda: np.float32(2),
            lambda: torch.nn.Parameter(torch.zeros(2)),
            lambda: torch.zeros(4, dtype=torch.bfloat16),
            lambda: [torch.zeros(2)],
        ]
    )()


def _damaged_state(rng: Random, state: dict) -> dict:
    changed = OrderedDict(state)
    for _ in range(rng.choice((1, 1, 3))):
        if not changed:
            break
        name = rng.choice([*changed])
        kind = rng.randrange(6)
        if kind == 0:
            del changed[name]
        elif kind == 1:
            number = rng.choice(('0', '7', '10', '1000000', '99999999999', '-1', 'x'))
            changed[str(name).replace('0', number, 1)] = changed[name]
        elif kind == 2:
            other = rng.choice((3, None, '', f'module.{name}', 'a\0b', (1, 2), b'x'))
            changed[other] = changed.pop(name)
        elif kind == 3:
            size = list(changed[name].shape) if hasattr(changed[name], 'shape') else []
            size = size + [2] if rng.random() < 0.5 else size[:-1]
            changed[name] = torch.zeros(size)
        else:
            changed[name] = strange_tensor(rng)
    return changed


def saved(content: Any, **options: Any) -> bytes:
    """Returns what torch saves."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def repacked(rng: Random, content: bytes) -> bytes:
    """Changes what is inside of a zip file, whose checksums stay right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        names = old.namelist()
        pickles = [name for name in names if name.endswith('data.pkl')]
        chosen = rng.choice([*pickles, *pickles, *pickles, *names])
        method = rng.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(buffer, 'w', method) as new:
            for name in names:
                data = old.read(name)
                if name == chosen:
                    data = damaged_bytes(rng, data)
                new.writestr(name, data)
    return buffer.getvalue()


def _weights_subject(path: Path, contents: list[dict], read: Callable) -> Subject:
    valid = [saved(content) for content in contents]
    old = [saved(content, _use_new_zipfile_serialization=False) for content in contents]

    def damage(rng: Random) -> bytes:
        kind = rng.random()
        if kind < 0.1:
            return damaged_bytes(rng, rng.choice(valid))
        if kind < 0.3:
            return damaged_bytes(rng, rng.choice(old))
        if kind < 0.6:
            return repacked(rng, rng.choice(valid))
        content = rng.choice(contents)
        if kind < 0.8 or 'state_dict' not in content:
            key = 'state_dict' if 'state_dict' in content else None
            state = _damaged_state(rng, content[key] if key else content)
            content = {**content, key: state} if key else state
        else:
            kept = content['state_dict']
            others = {k: v for k, v in content.items() if k != 'state_dict'}
            changed = damaged_value(rng, others)
            content = (
                {**changed, 'state_dict': kept} if type(changed) is dict else changed
            )
        try:
            return saved(content, _use_new_zipfile_serialization=rng.random() < 0.8)
        except Exception:  # not everything can be saved
            return damaged_bytes(rng, valid[0])

    return Subject(path, [*valid, *old], damage, read)


def _weights(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()

    def read() -> Any:
        return len(read_state_dict(str(path)))

    theirs = to_reference(ours['state_dict'])
    return _weights_subject(path, [ours, dict(ours['state_dict']), theirs], read)


def _load_from(folder: Path) -> Subject:
    """What mmengine's Runner reads with `load_from` and `resume`."""
    path = folder / 'epoch_3.pth'

    def read() -> Any:
        content = CheckpointLoader.load_checkpoint(str(path), 'cpu')
        check_resumable(content, str(path))
        clean_message_hub(content['message_hub'])

    return _weights_subject(path, [checkpoint(_FEW)], read)


def _convert(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()
    state = {
        name: value for name, value in ours['state_dict'].items() if 'back' in name
    }

    def read() -> Any:
        return len(fpd_mmpose.convert(path, folder / 'converted.pth'))

    theirs = to_reference(state)
    return _weights_subject(path, [ours, theirs], read)


def _report_checkpoint(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'

    def read() -> Any:
        from fpd_mmpose.reports.finished_runs import start_of

        found = read_checkpoint(path)
        assert isinstance(found.epoch, int | None), found.epoch
        assert isinstance(found.steps, int | None), found.steps
        start_of(found.config)
        return found.epoch, found.steps

    return _weights_subject(path, [checkpoint(_FEW)], read)


def _weight_folder(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()

    def read() -> Any:
        report = check_weights(folder)
        if report.problems:
            raise UserError(report.problems[0])

    return _weights_subject(path, [ours], read)


TARGETS = {
    'weights': Target(_weights, 40),
    'load_from': Target(_load_from, 10),
    'convert': Target(_convert, 80),
    'report_checkpoint': Target(_report_checkpoint, 10),
    'weight_folder': Target(_weight_folder, 40),
}

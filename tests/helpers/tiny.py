"""A run of the real Runner that takes a fraction of a second."""

import itertools
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.evaluator import BaseMetric
from mmengine.logging import MessageHub
from mmengine.model import BaseModel
from mmengine.registry import METRICS, MODELS
from mmengine.runner import Runner
from torch.utils.data import DataLoader

_counter = itertools.count()


@MODELS.register_module(force=True)
class TinyModel(BaseModel):
    """Has a batch norm, whose statistics NaN would stay in."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.Sequential(
            torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 1)
        )

    def forward(self, inputs, mode='tensor'):
        output = self.layers(inputs)
        if mode == 'loss':
            return dict(loss_fit=((output - inputs.sum(1, keepdim=True)) ** 2).mean())
        return [dict(output=value) for value in output]


@METRICS.register_module(force=True)
class ScriptedMetric(BaseMetric):
    """Gives the score that the test wants in each epoch."""

    default_prefix = 'test'

    def __init__(self, scores: dict[str, list[float]]):
        super().__init__()
        self.scores = scores

    def process(self, data_batch, data_samples):
        self.results += [0] * len(data_samples)

    def compute_metrics(self, results):
        epoch = MessageHub.get_current_instance().get_info('epoch')
        return {name: scores[epoch] for name, scores in self.scores.items()}


def data(steps: int, bad_steps: tuple[int, ...] = ()) -> DataLoader:
    """Batches of four; those of `bad_steps`, counted from 1, hold NaN."""
    inputs = torch.randn(4 * steps, 2, generator=torch.Generator().manual_seed(0))
    for step in bad_steps:
        inputs[4 * step - 1] = torch.nan
    return DataLoader([dict(inputs=one) for one in inputs], batch_size=4)


def tiny_runner(
    work_dir: Path,
    epochs: int = 1,
    scores: dict[str, list[float]] | None = None,
    bad_steps: tuple[int, ...] = (),
    checkpoint: dict[str, Any] | None = None,
    lr: float = 0.01,
    accumulative_counts: int = 1,
    **settings: Any,
) -> Runner:
    """Makes a run of 4 steps an epoch.

    Args:
        work_dir: Of the run.
        epochs: How many.
        scores: Of each validation metric, by epoch.
        bad_steps: Steps of each epoch whose data hold NaN, from 1.
        checkpoint: More arguments of `CheckpointHook`.
        lr: Learning rate of Adam.
        accumulative_counts: Steps for one update of the weights.
        **settings: Other arguments of the Runner.
    """
    scores = scores or dict(up=[1.0, 2.0, 3.0, 4.0, 5.0])
    name = f'tiny_{next(_counter)}'
    torch.manual_seed(0)
    return Runner(
        **dict(
            model=dict(type='TinyModel'),
            work_dir=str(work_dir),
            train_dataloader=data(4, bad_steps),
            val_dataloader=data(1),
            train_cfg=dict(by_epoch=True, max_epochs=epochs),
            val_cfg=dict(),
            val_evaluator=dict(type='ScriptedMetric', scores=scores),
            optim_wrapper=dict(
                optimizer=dict(type='Adam', lr=lr),
                accumulative_counts=accumulative_counts,
            ),
            param_scheduler=dict(type='MultiStepLR', milestones=[2]),
            default_hooks=dict(
                checkpoint=dict(
                    dict(
                        type='CheckpointHook',
                        interval=1,
                        max_keep_ckpts=2,
                        save_best='test/up',
                        rule='greater',
                    ),
                    **checkpoint or {},
                )
            ),
            default_scope='mmpose',
            experiment_name=name,
            visualizer=dict(type='Visualizer', name=name, vis_backends=[]),
            log_level='WARNING',
            randomness=dict(seed=0),
            cfg=Config(),
        )
        | settings
    )


def trained(work_dir: Path, *args: Any, **kwargs: Any) -> Runner:
    """Runs a :func:`tiny_runner`."""
    runner = tiny_runner(work_dir, *args, **kwargs)
    runner.train()
    return runner


def files(folder: Path) -> set[str]:
    """The weight files of a run."""
    return {path.name for path in folder.glob('[!.]*.pth')}


def edit(path: Path, **runtime_info: Any) -> None:
    """Changes what the message hub of a checkpoint says."""
    content = torch.load(path)
    content['message_hub']['runtime_info'].update(runtime_info)
    torch.save(content, path)

"""Loads weights into a network only if they belong to it."""

import functools
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from mmengine.hooks import EMAHook
from mmengine.logging import print_log
from mmengine.model import BaseTTAModel, PretrainedInit, is_model_wrapper
from mmengine.runner import checkpoint as stock
from torch import Tensor, nn

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.wrappers import without_wrappers

#: The file that mmengine's loader read last.
source_of_weights: ContextVar[str | None] = ContextVar('source', default=None)
_partial: ContextVar[bool] = ContextVar('partial', default=False)
_stock_load_state_dict = stock.load_state_dict
_COUNTER = 'num_batches_tracked'
_DIFFERING = re.compile(
    r'size mismatch for (\S+): copying a param with shape torch\.Size\((.*?)\) '
    r'from checkpoint, the shape in current model is torch\.Size\((.*?)\)'
)


def load_fitting(
    model: nn.Module, state_dict: dict[str, Tensor], weights: str, network: str
) -> None:
    """Loads weights that fit a network exactly; a failed load fills it in part.

    MMPose's hooks rename the weights of its older releases, and batch counters that old
    files lack are filled in. ``weights`` and ``network`` are names for the message.
    """
    _, problems = _load(model, state_dict)
    if problems:
        raise UserError(
            f'{weights} does not fit the network of {network}: {"; ".join(problems)}'
        )


@contextmanager
def partial_load() -> Iterator[None]:
    """Lets ``load_checkpoint`` and ``init_model`` load weights that fit in part.

    Inside this context, weights that fit are loaded and the others are counted in the
    log; it is still an error if none fits. ``init_cfg=dict(type='Pretrained', ...)``
    loads in this way.
    """
    token = _partial.set(True)
    try:
        yield
    finally:
        _partial.reset(token)


def check_fit_everywhere() -> None:
    """Makes mmengine reject weights that do not fit a pose estimator.

    Stock mmengine continues with random numbers for weights that a file lacks. This
    covers ``load_from``, ``resume``, tests, ``init_model``, and inferencers; other
    networks, such as detectors, load as before. Calling it again is harmless.
    """
    if stock.load_state_dict is _load_state_dict:
        return
    stock.load_state_dict = _load_state_dict
    initialize = PretrainedInit.__call__

    @functools.wraps(initialize)
    def initialize_in_part(self: PretrainedInit, module: nn.Module) -> None:
        with partial_load():
            initialize(self, module)

    PretrainedInit.__call__ = initialize_in_part
    resume_average = EMAHook.after_load_checkpoint

    @functools.wraps(resume_average)
    def resume_fitting_average(self: EMAHook, runner: Any, checkpoint: dict) -> None:
        if 'state_dict' not in checkpoint:
            checkpoint = dict(state_dict=checkpoint)
        try:
            resume_average(self, runner, checkpoint)
        except (KeyError, RuntimeError) as error:
            detail = ' '.join(str(error).split())[:200]
            raise UserError(
                f'"{source_of_weights.get()}" does not fit the averaged network of '
                f'EMAHook: {detail}'
            ) from error

    EMAHook.after_load_checkpoint = resume_fitting_average


def _load_state_dict(
    module: nn.Module,
    state_dict: dict[str, Tensor],
    strict: bool = False,
    logger: Any = None,
) -> None:
    """Replaces mmengine's function of this name, and checks pose estimators."""
    # Imported here: this module is imported while MMPose itself is.
    from mmpose.models.backbones.base_backbone import BaseBackbone
    from mmpose.models.pose_estimators.base import BasePoseEstimator

    model: Any = module
    while is_model_wrapper(model) or isinstance(model, BaseTTAModel):
        model = model.module
    if not isinstance(model, (BasePoseEstimator, BaseBackbone)) or any(
        is_model_wrapper(part) for part in model.modules()
    ):
        _stock_load_state_dict(module, state_dict, strict, logger)
        return
    source = source_of_weights.get()
    if state_dict.keys().isdisjoint(model.state_dict()):
        state_dict = without_wrappers(state_dict)
    loaded, problems = _load(model, state_dict)
    weights = f'"{source}"' if source else 'the state dict'
    is_whole = isinstance(model, BasePoseEstimator)
    if problems and (strict or not loaded or (is_whole and not _partial.get())):
        advice = (
            '; to start from those that fit, leave out load_from and set '
            f"model.init_cfg=dict(type='Pretrained', checkpoint='{source}')"
            if loaded and source
            else ''
        )
        raise UserError(
            f'{weights} does not fit the network ({_describe(model)}): '
            f'{"; ".join(problems)}{advice}'
        )
    print_log(
        f'{weights}: {loaded} weights are loaded into {_describe(model)}; '
        + ('; '.join(problems) or 'none is missing or unknown'),
        logger='current' if logger is None else logger,
        level=logging.WARNING if problems and is_whole else logging.INFO,
    )


def _describe(model: nn.Module) -> str:
    parts = (model, getattr(model, 'backbone', None), getattr(model, 'head', None))
    return ', '.join(type(part).__name__ for part in parts if part is not None)


def _load(model: nn.Module, state_dict: dict[str, Tensor]) -> tuple[int, list[str]]:
    """Loads what fits; returns the number of such weights, and the problems."""
    if not all(isinstance(name, str) for name in state_dict):
        raise UserError('the state dict has names that are not strings')
    found = []
    hook = model.register_load_state_dict_post_hook(
        lambda _, keys: found.append((keys.missing_keys, keys.unexpected_keys))
    )
    problems = []
    # Not strict, and in one call: MMPose's hooks rename the weights of older files.
    try:
        model.load_state_dict(state_dict, strict=False)
        differing = []
    except RuntimeError as error:
        differing = _DIFFERING.findall(str(error))
        others = [
            line.strip()
            for line in str(error).splitlines()[1:]
            if line.strip() and 'size mismatch for' not in line
        ]
        if others or not differing:
            problems.append((others or [str(error)])[0][:200])
    finally:
        hook.remove()
    missing, unknown = found[-1] if found else ([], [])
    missing = [name for name in missing if not name.endswith(_COUNTER)]
    # Early releases of MMPose saved the mean and std of their preprocessor.
    unknown = [name for name in unknown if not name.startswith('data_preprocessor.')]
    if differing:
        name, theirs, mine = differing[0]
        problems.append(
            f'{len(differing)} weights have another shape (first {name}: '
            f'{_shape(theirs)} in the file, {_shape(mine)} in the network)'
        )
    for names, what in ((missing, 'missing'), (unknown, 'unknown')):
        if names:
            problems.append(f'{len(names)} are {what} (first {names[0]})')
    own = [name for name in model.state_dict() if not name.endswith(_COUNTER)]
    return len(own) - len(missing) - len(differing), problems


def _shape(text: str) -> tuple[int, ...]:
    return tuple(int(size) for size in re.findall(r'\d+', text))

"""Data and settings that the tests share.

The stack is imported in functions: with xdist, where each process that runs tests
imports it, the one that hands them out need not.
"""

import gc
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.helpers import ROOT


def pytest_collection() -> None:
    import torch
    from mmengine.registry import init_default_scope

    import fpd_mmpose  # noqa: F401

    init_default_scope('mmpose')
    # On a GPU, the gradients of convolutions are otherwise summed in any order.
    torch.backends.cudnn.deterministic = True
    # A fork of a process whose PyTorch has used several threads waits for them forever.
    torch.set_num_threads(1)


def pytest_collection_finish() -> None:
    """Spares the garbage collector the stack's millions of objects."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope='session')
def fast_configs() -> Iterator[None]:
    """Leaves out what takes most of a small run and decides nothing in it.

    MMEngine breaks the lines of a config's text prettily, up to seven times a run,
    and reads all metafiles of MMPose for each config that inherits from it.
    """
    from mmengine.config import config, utils

    def as_it_is(text: str, **_: object) -> tuple[str, bool]:
        return text, True

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('yapf.yapflib.yapf_api.FormatCode', as_it_is)
        # OneDL's MMEngine imports it only when it is needed.
        patch.setattr(config, 'FormatCode', as_it_is, raising=False)
        patch.setattr(utils, 'load', cache(utils.load))
        patch.setattr(config, 'is_installed', cache(config.is_installed))
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--device',
        default='cuda',
        help='where the tests marked cuda run; cpu rehearses them without a GPU',
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    # First those that train in a fork, then the longest ones.
    order = ('untrained', 'process')
    items.sort(key=lambda item: [not item.get_closest_marker(name) for name in order])
    needing_gpu = [item for item in items if item.get_closest_marker('cuda')]
    if not needing_gpu or config.getoption('--device') == 'cpu':
        return
    import torch

    if not torch.cuda.is_available():
        for item in needing_gpu:
            item.add_marker(pytest.mark.skip(reason='needs a GPU'))


@pytest.fixture(scope='session')
def device(request: pytest.FixtureRequest) -> 'torch.device':  # noqa: F821
    """Where the tests marked cuda run."""
    import torch

    return torch.device(request.config.getoption('--device'))


@pytest.fixture(autouse=True)
def seed() -> None:
    import numpy as np
    import torch

    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(scope='session')
def shared() -> Path:
    """The reference's numbers and real data, where they are at hand."""
    folder = ROOT.parent / 'shared'
    if not (folder / 'reference').is_dir():
        pytest.skip('the folder shared is not beside the project')
    return folder


@pytest.fixture(scope='session')
def mpii_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of drawn people in MPII's layout."""
    from fpd_mmpose.synthetic import write_dataset

    root = tmp_path_factory.mktemp('mpii')
    write_dataset(root, num_train=12, num_val=6, seed=0)
    return root

"""Data and settings that the tests share."""

from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope

import fpd_mmpose  # noqa: F401
from fpd_mmpose.synthetic import write_dataset
from tests.helpers import ROOT

init_default_scope('mmpose')


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        '--device',
        default='cuda',
        help='where the tests marked cuda run; cpu rehearses them without a GPU',
    )


def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    if config.getoption('--device') == 'cpu' or torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker('cuda'):
            item.add_marker(pytest.mark.skip(reason='needs a GPU'))


@pytest.fixture(scope='session')
def device(request: pytest.FixtureRequest) -> torch.device:
    """Where the tests marked cuda run."""
    return torch.device(request.config.getoption('--device'))


@pytest.fixture(autouse=True)
def seed() -> None:
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
    root = tmp_path_factory.mktemp('mpii')
    write_dataset(root, num_train=12, num_val=6, seed=0, num_workers=1)
    return root

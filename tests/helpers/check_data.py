"""Data and configs for tests of the check."""

import json
from collections.abc import Callable
from pathlib import Path

from mmengine.config import Config

from fpd_mmpose.config import load_config, set_data_root

TRAIN = 'annotations/mpii_train.json'
VAL = 'annotations/mpii_val.json'
HEADS = 'annotations/mpii_gt_val.mat'


def config_of(root: Path, name: str = 'hourglass/hg4_128_mpii.py') -> Config:
    """Loads a config that reads the data in a folder."""
    config = load_config(name)
    set_data_root(config, root)
    return config


def edit(path: Path, change: Callable[[list[dict]], None]) -> None:
    """Changes the people of an annotation file."""
    people = json.loads(path.read_text())
    change(people)
    path.write_text(json.dumps(people))


def only(lines: list[str]) -> str:
    """Returns the only message."""
    (line,) = lines
    assert '\n' not in line
    return line


def image_of(root: Path, split: str, record: int) -> Path:
    """Returns the path of the image of a record."""
    people = json.loads((root / split).read_text())
    return root / 'images' / people[record]['image']

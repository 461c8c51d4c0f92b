"""Trains each network of the quick start once."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config
from mmengine.runner import Runner

from fpd_mmpose.config import load_config
from fpd_mmpose.files import replace_when_done, write_json
from fpd_mmpose.version import __version__


@dataclass(frozen=True)
class Stage:
    """A network to train, with the name of its files and its label in tables."""

    name: str
    label: str
    config: str


TEACHER = Stage('teacher', 'Teacher HG2-64', 'configs/quickstart/hg2_64_drawn.py')
START = Stage('start', 'Student, first half', 'configs/quickstart/hg1_32_drawn.py')
STUDENT = Stage('student', 'Student HG1-32', 'configs/quickstart/hg1_32_more_drawn.py')
FPD = Stage('fpd', 'FPD student HG1-32', 'configs/quickstart/hg1_32_fpd_drawn.py')
STAGES = (TEACHER, START, STUDENT, FPD)
#: Both students continue from the same first half.
COMPARED = (TEACHER, STUDENT, FPD)


def stage_config(stage: Stage, out: Path, epochs: int | None, seed: int) -> Config:
    """Loads the config of a stage for an output folder with the people in ``data``."""
    config = load_config(stage.config)
    config.work_dir = str(out / stage.name)
    config.randomness.seed = seed
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].dataset.data_root = str(out / 'data')
    if 'teacher' in config.model:
        config.model.teacher.checkpoint = str(weights_path(TEACHER, out))
    if config.load_from:
        config.load_from = str(weights_path(START, out))
    if epochs is not None:
        config.train_cfg.max_epochs = epochs
        config.param_scheduler[0].total_steps = epochs
    config.custom_hooks = [
        *config.get('custom_hooks', []),
        dict(type='ProgressHook', label=stage.label),
    ]
    config.log_level = 'ERROR'
    # Under one name, mmengine would share the visualizer, and write the scalars of all
    # runs to the folder of the first.
    config.visualizer.name = stage.name
    return config


def weights_path(stage: Stage, out: Path) -> Path:
    """Returns the path of a stage's checkpoint without optimizer state."""
    return out / f'{stage.name}.pth'


def train_stage(config: Config, stage: Stage, out: Path) -> bool:
    """Trains or resumes a network; returns False if it was trained already."""
    work_dir = Path(config.work_dir)
    stamp = work_dir / 'quickstart.json'
    state = _read_json(stamp)
    fingerprint = _fingerprint(config, out)
    same = state.get('fingerprint') == fingerprint
    weights = weights_path(stage, out)
    if same and state.get('done') and weights.is_file():
        return False
    if not same:
        (work_dir / 'last_checkpoint').unlink(missing_ok=True)
    work_dir.mkdir(parents=True, exist_ok=True)
    write_json(stamp, dict(fingerprint=fingerprint, done=False))
    if (work_dir / 'last_checkpoint').is_file():
        config.resume, config.load_from = True, None
    runner = Runner.from_cfg(config)
    runner.train()
    trained = torch.load(
        (work_dir / 'last_checkpoint').read_text(),
        map_location='cpu',
        weights_only=True,
    )
    kept = {key: trained[key] for key in ('meta', 'state_dict')}
    with replace_when_done(weights) as partial:
        torch.save(kept, partial)
    log = Path(runner.log_dir) / 'vis_data' / 'scalars.json'
    write_json(stamp, dict(fingerprint=fingerprint, done=True, log=str(log)))
    return True


def training_log(stage: Stage, out: Path) -> list[dict[str, Any]]:
    """Reads the scalars that a trained stage logged, by step or validation."""
    log = Path(_read_json(out / stage.name / 'quickstart.json')['log'])
    return [json.loads(line) for line in log.read_text().splitlines()]


def _fingerprint(config: Config, out: Path) -> str:
    """Hashes everything that the result depends on."""
    parts = [__version__, config.pretty_text, (out / 'data/dataset.json').read_text()]
    needed = {TEACHER: 'teacher' in config.model, START: config.load_from}
    for stage in (stage for stage, is_needed in needed.items() if is_needed):
        parts.append(_read_json(out / stage.name / 'quickstart.json')['fingerprint'])
    return hashlib.sha256('\n'.join(parts).encode()).hexdigest()


def _read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.is_file() else {}

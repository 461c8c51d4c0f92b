"""Compares students of a stored teacher with students of a live one."""

from pathlib import Path

from mmengine.config import Config

from fpd_mmpose.paths import load_config
from fpd_mmpose.studies.training import folder_name, train_and_score, train_for_steps
from fpd_mmpose.teacher_cache.command import write_cache

TEACHER = 'teacher'
PLAIN = 'plain student'
LIVE = 'FPD, live teacher'
STORED = 'FPD, stored teacher'
FLIPPED = 'FPD, stored teacher, flip test'
VARIANTS = (TEACHER, PLAIN, LIVE, STORED, FLIPPED)
# That of the MPII recipe: the quick start's is too mild to show the loss by warping.
_AUGMENTATION = dict(scale_factor=0.25, rotation_factor=30)


def run_variant(
    variant: str, root: Path, out: Path, seed: int, steps: int, teacher_steps: int
) -> dict[str, float]:
    """Trains a variant, or reads its scores, on data in MPII's layout.

    The teacher, which all seeds share, must come before the other variants.
    """
    if variant == TEACHER:
        config = _base_config('hg2_64_drawn.py', root, teacher_steps)
        return train_and_score(config, out / folder_name(variant), variant, 0)
    config = _base_config('hg1_32_drawn.py', root, steps)
    if variant != PLAIN:
        _distill(config, variant, out)
    folder = out / f'seed_{seed}' / folder_name(variant)
    return train_and_score(config, folder, variant, seed)


def _distill(config: Config, variant: str, out: Path) -> None:
    config.model.update(
        type='FPDDistiller',
        teacher=dict(
            config='configs/quickstart/hg2_64_drawn.py',
            checkpoint=str(out / folder_name(TEACHER) / 'last.pth'),
        ),
        distill_loss=dict(type='HeatmapDistillLoss', alpha=0.5),
    )
    if variant in (STORED, FLIPPED):
        path = out / f'{folder_name(variant)}.sqlite'
        write_cache(config, str(path), 32, flip=variant == FLIPPED)
        config.model.teacher.cache = str(path)


def _base_config(name: str, root: Path, steps: int) -> Config:
    """Reads a config of the quick start, and changes its data and its training."""
    config = load_config(f'configs/quickstart/{name}')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].dataset.data_root = str(root)
    for step in config.train_dataloader.dataset.pipeline:
        if step['type'] == 'RandomScaleRotation':
            step.update(_AUGMENTATION)
    train_for_steps(config, steps)
    return config

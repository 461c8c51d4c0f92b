"""Is a student of stored heatmaps as good as one of the live network?"""

from pathlib import Path

from mmengine.config import Config

from fpd_mmpose.paths import load_config
from fpd_mmpose.teacher_cache.command import write_cache

from .training import folder_name, train_and_score, train_for_steps

TEACHER = 'teacher'
PLAIN = 'plain student'
LIVE = 'FPD, live teacher'
STORED = 'FPD, stored teacher'
FLIPPED = 'FPD, stored teacher with --flip'
VARIANTS = (TEACHER, PLAIN, LIVE, STORED, FLIPPED)
#: As for MPII; the quick start's is too mild to show what the warping loses.
AUGMENTATION = dict(scale_factor=0.25, rotation_factor=30)


def run_variant(
    variant: str, root: Path, out: Path, seed: int, steps: int, teacher_steps: int
) -> dict[str, float]:
    """Trains one network, or finds its scores.

    Args:
        variant (str): One of :data:`VARIANTS`; the teacher before the others.
        root (Path): Data in MPII's layout.
        out (Path): Folder of the study. All seeds have one teacher.
        seed (int): Of the initial weights and the draws.
        steps (int): Optimizer steps of a student.
        teacher_steps (int): Of the teacher.

    Returns:
        dict[str, float]: Scores of the last weights on the validation people.
    """
    if variant == TEACHER:
        config = base_config('hg2_64_drawn.py', root, teacher_steps)
        return train_and_score(config, out / folder_name(variant), variant, 0)
    config = base_config('hg1_32_drawn.py', root, steps)
    if variant != PLAIN:
        distil(config, variant, out)
    folder = out / f'seed_{seed}' / folder_name(variant)
    return train_and_score(config, folder, variant, seed)


def distil(config: Config, variant: str, out: Path) -> None:
    """Gives a student its teacher, and stores its heatmaps where they are wanted.

    Args:
        config (Config): Of the student; changed in place.
        variant (str): One of :data:`VARIANTS`.
        out (Path): Folder of the study.
    """
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


def base_config(name: str, root: Path, steps: int) -> Config:
    """Reads a config of the quick start and moves it to other data.

    Args:
        name (str): Of the config.
        root (Path): Data in MPII's layout.
        steps (int): Optimizer steps.

    Returns:
        Config: Of the run.
    """
    config = load_config(f'configs/quickstart/{name}')
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        config[loader].dataset.data_root = str(root)
    for step in config.train_dataloader.dataset.pipeline:
        if step['type'] == 'RandomScaleRotation':
            step.update(AUGMENTATION)
    train_for_steps(config, steps)
    return config

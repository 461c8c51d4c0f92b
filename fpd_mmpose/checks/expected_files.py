"""Checks that the files of datasets, model, and metrics exist."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mmengine.config import Config

from fpd_mmpose.checks.best_score import check_best_score
from fpd_mmpose.checks.findings import Report, one_line
from fpd_mmpose.config import FILE_OPTIONS, load_config, metrics_of
from fpd_mmpose.errors import UserError
from fpd_mmpose.readers.annotations import in_either_layout, names_in_other_layout
from fpd_mmpose.weights.local_copies import local_copy

IMAGE_FOLDER = 'image folder'
PAGE = 'docs/howto/data.md'
_MPII_SITE = 'http://human-pose.mpi-inf.mpg.de'
_MPII_ARCHIVE = 'https://download.openmmlab.com/mmpose/datasets/mpii_annotations.tar'
_COCO_SITE = 'https://cocodataset.org/#download'
#: What the files are and where to get them, by a part of the dataset's type and by
#: option, and the documentation page if it is not ``PAGE``.
SOURCES = {
    'mpii': {
        'ann_file': f'MPII annotations as JSON: {_MPII_ARCHIVE}',
        'headbox_file': f'head boxes of MPII val: mpii_gt_val.mat in {_MPII_ARCHIVE}',
        'gt_file': f'ground truth of MPII val: mpii_gt_val.mat in {_MPII_ARCHIVE}',
        IMAGE_FOLDER: f'MPII images: mpii_human_pose_v1.tar.gz from {_MPII_SITE}',
    },
    'coco': {
        'ann_file': f'COCO annotations: annotations_trainval2017.zip from {_COCO_SITE}',
        'bbox_file': "person detections of val2017: HRNet's data folder",
        IMAGE_FOLDER: f'COCO images: train2017.zip or val2017.zip from {_COCO_SITE}',
    },
    'unlabeled': {
        'ann_file': 'tools/data/detect_people.py writes it',
        IMAGE_FOLDER: 'images or videos of people',
        'page': 'docs/howto/unlabeled_images.md',
    },
}


def check_files(title: str, settings: dict, report: Report) -> set[str]:
    """Reports where the files of a dataset are; returns the options of missing ones.

    The option of the images is ``IMAGE_FOLDER``.
    """
    missing = set()
    section = report.section(title)
    for option, path in _expected(settings):
        found = f'{path}{"" if path.exists() else "  MISSING"}'
        section[option] = f'{section[option]}, {found}' if option in section else found
        if not path.exists():
            missing.add(option)
            report.problems.append(
                f'{title}: {explain_missing(option, path, str(settings.get("type")))}'
            )
    return missing


def check_model_files(config: Config, report: Report) -> None:
    """Checks that the weights and the teacher's config exist."""
    named = list(_checkpoints(config.model, 'model'))
    if config.get('load_from'):
        named.insert(0, ('load_from', config.load_from))
    section = report.section('model') if named else {}
    for option, path in named:
        if '://' in path:
            copy = local_copy(path)
            section[option] = (
                f'{copy}  (in place of {path})'
                if copy
                else f'{path}  (a URL: not downloaded)'
            )
        elif Path(path).expanduser().is_file():
            section[option] = path
        else:
            section[option] = f'{path}  MISSING'
            report.problems.append(
                f'{option}: "{path}" does not exist (relative to {Path.cwd()}): train '
                'or download it first, or set the option to another file'
            )
    teacher = config.model.get('teacher')
    if isinstance(teacher, dict) and 'config' in teacher:
        try:
            load_config(teacher['config'])
        except Exception as error:  # of any type, because a config is code
            report.problems.append(f'model.teacher.config: {one_line(error)}')


def check_metrics(config: Config, report: Report) -> None:
    """Checks the files of the metrics, and that one computes the best score to save."""
    for split in ('val', 'test'):
        for metric in metrics_of(config, split):
            for option in ('ann_file', 'gt_file'):
                if not (name := metric.get(option)):
                    continue
                path = Path(in_either_layout(name))
                if not path.is_file():
                    report.problems.append(
                        f'{split}_evaluator: '
                        + explain_missing(option, path, str(metric.get('type')))
                    )
    try:
        check_best_score(config)
    except UserError as error:
        report.problems.append(str(error))


def explain_missing(option: str, path: Path, kind: str) -> str:
    """Says where a missing file should be and where to get it.

    ``kind`` is the type of the dataset or metric.
    """
    noun = 'the image folder' if option == IMAGE_FOLDER else f'`{option}`'
    line = f'{noun} "{path}" is missing'
    if others := names_in_other_layout(path):
        line += f', and so is "{others[0]}", its name in the other layout'
    sources = next((v for k, v in SOURCES.items() if k in kind.lower()), {})
    if source := sources.get(option):
        page = sources.get('page', PAGE)
        return f'{line}; put it there ({source}; see {page}), or set `data_root`'
    return f'{line}; put it there, or set the option to another file'


def _expected(settings: dict) -> list[tuple[str, Path]]:
    root = settings.get('data_root') or ''
    expected = []
    for option in FILE_OPTIONS:
        if not (name := settings.get(option)):
            continue
        path = Path(in_either_layout(Path(root) / name))
        # Files other than annotations may be relative to the working directory.
        if option != 'ann_file' and not path.exists():
            given = Path(in_either_layout(name))
            if given.exists() or given.is_relative_to(root or '/'):
                path = given
        expected.append((option, path))
    for prefix in (settings.get('data_prefix') or dict(img='')).values():
        folder = Path(in_either_layout(Path(root) / prefix))
        # UnlabeledPoseDataset reads only these parts of the folder.
        names = settings.get('images') or ''
        names = [names] if isinstance(names, str) else names
        expected += [(IMAGE_FOLDER, folder / name) for name in names]
    return expected


def _checkpoints(settings: Any, name: str) -> Iterator[tuple[str, str]]:
    """Finds every ``checkpoint`` except those of a teacher's own config."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            if key == 'checkpoint' and isinstance(value, str):
                yield f'{name}.checkpoint', value
            elif key != 'config':
                yield from _checkpoints(value, f'{name}.{key}')
    elif isinstance(settings, list | tuple):
        for index, value in enumerate(settings):
            yield from _checkpoints(value, f'{name}.{index}')

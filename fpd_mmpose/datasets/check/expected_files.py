"""Where the files of a dataset are expected, and from where one gets them."""

from pathlib import Path

from ..files import COCO_TWINS, MPII_TWINS, in_either_layout
from .report import Report
from .splits import FILE_OPTIONS

TWINS = (*MPII_TWINS, *COCO_TWINS)
PAGE = 'docs/data.md'
_MPII_SITE = 'http://human-pose.mpi-inf.mpg.de'
_MPII_ARCHIVE = 'https://download.openmmlab.com/mmpose/datasets/mpii_annotations.tar'
_COCO_SITE = 'https://cocodataset.org/#download'
#: By family of datasets and option: what the file is, and from where one gets it; and
#: the page that says more.
SOURCES = {
    'mpii': {
        'ann_file': f'MPII annotations as JSON: {_MPII_ARCHIVE}',
        'headbox_file': f'head boxes of MPII val: mpii_gt_val.mat of {_MPII_ARCHIVE}',
        'gt_file': f'ground truth of MPII val: mpii_gt_val.mat of {_MPII_ARCHIVE}',
        'image folder': f'MPII images: mpii_human_pose_v1.tar.gz of {_MPII_SITE}',
    },
    'coco': {
        'ann_file': f'COCO annotations: annotations_trainval2017.zip of {_COCO_SITE}',
        'bbox_file': "person detections of val2017: HRNet's data folder",
        'image folder': f'COCO images: train2017.zip or val2017.zip of {_COCO_SITE}',
    },
    'unlabeled': {
        'ann_file': 'tools/data/detect_people.py writes it',
        'image folder': 'images or videos of people',
        'page': 'docs/unlabeled_images.md',
    },
}


def check_files(title: str, settings: dict, report: Report) -> set[str]:
    """Notes where the files and folders of a dataset are, and which are missing.

    Args:
        title (str): Name of the dataset in the report.
        settings (dict): Its settings.
        report (Report): Gets a problem for each that is missing.

    Returns:
        set[str]: The options whose files are missing; ``'image folder'`` among them.
    """
    missing = set()
    for option, path in _expected(settings):
        figures = report.section(title)
        found = f'{path}{"" if path.exists() else "  MISSING"}'
        figures[option] = f'{figures[option]}, {found}' if option in figures else found
        if not path.exists():
            missing.add(option)
            report.problems.append(
                f'{title}: {explain_missing(option, path, str(settings.get("type")))}'
            )
    return missing


def explain_missing(option: str, path: Path, kind: str) -> str:
    """Says what is missing, where it belongs and from where one gets it.

    Args:
        option (str): The option that names it, ``'image folder'`` for that.
        path (Path): Where it is expected.
        kind (str): Type of the dataset or the metric.

    Returns:
        str: One line.
    """
    noun = 'the image folder' if option == 'image folder' else f'`{option}`'
    line = f'{noun} "{path}" is missing'
    if twin := _twin(path):
        line += f', and so is "{twin}", its name in the other layout'
    sources = next((v for k, v in SOURCES.items() if k in kind.lower()), {})
    if source := sources.get(option):
        page = sources.get('page', PAGE)
        return f'{line}; put it there ({source}; see {page}), or set `data_root`'
    return f'{line}; put it there, or set the option'


def _expected(settings: dict) -> list[tuple[str, Path]]:
    root = settings.get('data_root') or ''
    expected = []
    for option in FILE_OPTIONS:
        if not (name := settings.get(option)):
            continue
        path = Path(in_either_layout(Path(root) / name, TWINS))
        # Other than annotations, files may be named from the working directory.
        if option != 'ann_file' and not path.exists():
            given = Path(in_either_layout(name, TWINS))
            if given.exists() or given.is_relative_to(root or '/'):
                path = given
        expected.append((option, path))
    for prefix in (settings.get('data_prefix') or dict(img='')).values():
        folder = Path(in_either_layout(Path(root) / prefix, TWINS))
        # UnlabeledPoseDataset reads what this option names in the folder.
        names = settings.get('images') or ''
        names = [names] if isinstance(names, str) else names
        expected += [('image folder', folder / name) for name in names]
    return expected


def _twin(path: Path) -> Path | None:
    """Gives the path in the other layout, if it has another name there."""
    for mmpose, reference in TWINS:
        for name, other in ((reference, mmpose), (mmpose, reference)):
            depth = len(Path(name).parts)
            if path.parts[-depth:] == Path(name).parts:
                return Path(*path.parts[:-depth]) / other
    return None

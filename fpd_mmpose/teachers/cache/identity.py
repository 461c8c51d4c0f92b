"""What stored heatmaps depend on, so that stale ones are told by name."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mmengine.config import Config
from mmpose.registry import DATASETS

from fpd_mmpose.config import leaf_datasets
from fpd_mmpose.errors import UserError

#: Steps of a pipeline before any that is drawn by chance.
LOADING = ('LoadImage', 'FPDLoadImage')
BOX = ('GetBBoxCenterScale', 'RescaleBox')
CROP = ('TopdownAffine', 'FPDTopdownAffine')
#: Files that say who the people are.
PEOPLE_FILES = ('ann_file', 'bbox_file', 'ann_file_images')
#: Options of a data set that do not.
OTHER_OPTIONS = {
    'pipeline',
    'metainfo',
    'lazy_init',
    'serialize_data',
    'test_mode',
    'max_refetch',
    'headbox_file',
}
#: How to be rid of a difference.
ADVICE = 'run tools/cache_teacher.py again'


class Source(NamedTuple):
    """A data set whose people are looked at.

    Args:
        settings (dict): Its settings, without those of wrappers.
        steps (list[dict]): Its pipeline, with the steps that a wrapper adds.
    """

    settings: dict
    steps: list[dict]

    def describe(self) -> dict[str, Any]:
        """Says what its people depend on.

        Returns:
            dict: JSON values: ``name``, ``files`` with the SHA-256 of each, and the
            ``options`` of the data set.

        Raises:
            UserError: If a file is missing. One line.
        """
        # The data set knows where its files are; nothing is read yet.
        dataset = DATASETS.build(dict(self.settings, lazy_init=True, pipeline=[]))
        files = {}
        for option in PEOPLE_FILES:
            # An empty name is joined to that of the folder.
            if self.settings.get(option) and getattr(dataset, option, ''):
                files[option] = sha256_of(getattr(dataset, option))
        options = {
            name: value
            for name, value in self.settings.items()
            if name not in {*OTHER_OPTIONS, *PEOPLE_FILES}
        }
        name = self.settings.get('ann_file') or str(self.settings.get('images', ''))
        return dict(
            name=name or self.settings['type'],
            files=files,
            options=json.loads(json.dumps(options, default=str)),
        )


def sources_of(config: Config) -> list[Source]:
    """Finds the data sets that a run trains on.

    Args:
        config (Config): The config.

    Returns:
        list[Source]: The data sets.

    Raises:
        UserError: If it trains on none.
    """
    loader = config.get('train_dataloader')
    if not loader:
        raise UserError('the config has no train_dataloader: whose heatmaps?')
    outer = list(loader['dataset'].get('pipeline') or [])
    found = []
    for leaf in leaf_datasets(loader['dataset']):
        own = list(leaf.get('pipeline') or [])
        found.append(Source(leaf, own if leaf is loader['dataset'] else own + outer))
    return found


def crop_settings(sources: Sequence[Source]) -> dict[str, Any]:
    """Says which part of the picture a person's box is, before any augmentation.

    Args:
        sources (Sequence[Source]): Data sets with their pipelines.

    Returns:
        dict: JSON values: the steps for ``image`` and ``box``, and ``input size`` as
        width and height.

    Raises:
        UserError: If a pipeline crops no box, or they differ. One line.
    """
    found: list[dict] = []
    for source in sources:
        crops = [step for step in source.steps if step['type'] in CROP]
        if len(crops) != 1:
            raise UserError(
                f'the pipeline of {source.settings["type"]} needs one step of type '
                f'{CROP[-1]}, which crops the person; it has {len(crops)}'
            )
        steps = {
            'image': [dict(s) for s in source.steps if s['type'] in LOADING],
            'box': [dict(s) for s in source.steps if s['type'] in BOX],
            'input size': list(crops[0]['input_size']),
        }
        found.append(json.loads(json.dumps(steps)))
        if changed := difference(found[0], found[-1]):
            raise UserError(
                f'the pipelines of two training data sets differ, {changed}: one '
                'teacher cache cannot serve both'
            )
    return found[0]


def teacher_settings(config: Mapping, checkpoint: str) -> dict[str, Any]:
    """Says what the teacher is.

    Args:
        config (Mapping): Its config.
        checkpoint (str): Path or URL of its weights.

    Returns:
        dict: JSON values. A URL stands for its content.

    Raises:
        UserError: If the file is missing. One line.
    """
    model = json.dumps(config['model'], sort_keys=True, default=str)
    weights = checkpoint if '://' in checkpoint else sha256_of(checkpoint)
    return {
        'teacher weights': weights,
        'teacher config': hashlib.sha256(model.encode()).hexdigest(),
    }


def key_of(source: Mapping[str, Any]) -> str:
    """Shortens the description of a data set to what it is recognised by."""
    text = json.dumps([source['files'], source['options']], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def difference(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Names what differs.

    Args:
        stored (Mapping): What a file has.
        wanted (Mapping): What it should have; nothing else is compared.

    Returns:
        str: As it follows a comma; empty where nothing does.
    """
    return '; '.join(
        f'{name} differ'
        if name.endswith('weights') or len(str(value)) > 60
        else f'{name} was {stored.get(name)!r} and is {value!r}'
        for name, value in wanted.items()
        if stored.get(name) != value
    )


def source_difference(known: Sequence[Mapping], wanted: Mapping[str, Any]) -> str:
    """Says why the people of a data set are not among the stored ones.

    Args:
        known (Sequence[Mapping]): Data sets that are stored.
        wanted (Mapping): The description of another one.

    Returns:
        str: A clause.
    """
    name = wanted['name']
    for other in known:
        if other['files'] == wanted['files']:
            changed = difference(other['options'], wanted['options'])
            gone = set(other['options']) - set(wanted['options'])
            changed = changed or f'{", ".join(sorted(gone))} is no longer set'
            return f'data set "{name}" has changed options: {changed}'
    if any(other['name'] == name for other in known):
        return f'the data file "{name}" has changed since'
    return f'it has not the people of "{name}"'


def sha256_of(path: str | Path) -> str:
    """Hashes a file.

    Args:
        path (str | Path): The file.

    Returns:
        str: Hexadecimal.

    Raises:
        UserError: If it cannot be read. One line.
    """
    digest = hashlib.sha256()
    try:
        with Path(path).open('rb') as file:
            for block in iter(lambda: file.read(1 << 20), b''):
                digest.update(block)
    except OSError as error:
        raise UserError(f'"{path}" cannot be read: {error.strerror}') from error
    return digest.hexdigest()

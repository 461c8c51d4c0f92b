"""Describes what stored heatmaps depend on, so that stale ones are recognized."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from mmengine.config import Config
from mmpose.registry import DATASETS

from fpd_mmpose.config import leaf_datasets
from fpd_mmpose.errors import UserError, shown
from fpd_mmpose.files import sha256_of

#: The steps of a pipeline that come before any random one.
LOADING = ('LoadImage', 'FPDLoadImage')
BOX = ('GetBBoxCenterScale', 'RescaleBox')
CROP = ('TopdownAffine', 'FPDTopdownAffine')
#: Options that name the files of the people.
PEOPLE_FILES = ('ann_file', 'bbox_file', 'ann_file_images')
#: Options that do not change the people.
OTHER_OPTIONS = {
    'pipeline',
    'metainfo',
    'lazy_init',
    'serialize_data',
    'test_mode',
    'max_refetch',
    'headbox_file',
}
#: The advice that follows a difference.
ADVICE = 'run `fpd cache` again'


class TrainingSource(NamedTuple):
    """A training dataset without its wrappers, and the pipeline that they complete."""

    settings: dict
    steps: list[dict]

    def describe(self) -> dict[str, Any]:
        """Describes what its people depend on, in JSON values.

        These are its ``name``, the SHA-256 of its ``files``, and its ``options``.
        """
        # The dataset knows where its files are; nothing is read yet.
        dataset = DATASETS.build(dict(self.settings, lazy_init=True, pipeline=[]))
        files = {}
        for option in PEOPLE_FILES:
            # The dataset joins its folder to an empty name.
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

    def crop(self) -> dict:
        """Returns the only step of the pipeline that crops the person."""
        crops = [step for step in self.steps if step['type'] in CROP]
        if len(crops) != 1:
            raise UserError(
                f'the pipeline of {self.settings["type"]} needs one step of type '
                f'{CROP[-1]}, which crops the person, but has {len(crops)}'
            )
        return crops[0]


def sources_of(config: Config, split: str = 'train') -> list[TrainingSource]:
    """Finds the datasets of a split, by default those that a run trains on."""
    loader = config.get(f'{split}_dataloader')
    if not loader:
        raise UserError(
            f'the config has no {split}_dataloader, whose people the teacher would see'
        )
    outer = list(loader['dataset'].get('pipeline') or [])
    found = []
    for leaf in leaf_datasets(loader['dataset']):
        own = list(leaf.get('pipeline') or [])
        steps = own if leaf is loader['dataset'] else own + outer
        found.append(TrainingSource(leaf, steps))
    return found


def crop_settings(sources: Sequence[TrainingSource]) -> dict[str, Any]:
    """Describes how datasets crop a person before any augmentation, in JSON values.

    These are the pipeline's steps for the ``image`` and the ``box``, and the ``input
    size`` as width and height.
    """
    found: list[dict] = []
    for source in sources:
        steps = {
            'image': [dict(s) for s in source.steps if s['type'] in LOADING],
            'box': [dict(s) for s in source.steps if s['type'] in BOX],
            'input size': list(source.crop()['input_size']),
        }
        found.append(json.loads(json.dumps(steps)))
        if changed := difference(found[0], found[-1]):
            raise UserError(
                f'the pipelines of two training datasets differ ({changed}), so one '
                'teacher cache cannot serve both'
            )
    return found[0]


def teacher_settings(config: Mapping, checkpoint: str) -> dict[str, Any]:
    """Hashes the config and the weights of a teacher; a URL stands for itself."""
    model = json.dumps(config['model'], sort_keys=True, default=str)
    weights = checkpoint if '://' in checkpoint else sha256_of(checkpoint)
    return {
        'teacher weights': weights,
        'teacher config': hashlib.sha256(model.encode()).hexdigest(),
    }


def key_of(source: Mapping[str, Any]) -> str:
    """Hashes the description of a dataset."""
    text = json.dumps([source['files'], source['options']], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def difference(stored: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    """Describes how stored settings differ from wanted ones; empty if they do not."""
    return '; '.join(
        f'{name} differ'
        if name.endswith('weights') or len(str(value)) > 60
        else f'{name} was {shown(stored.get(name))} and is {value!r}'
        for name, value in wanted.items()
        if stored.get(name) != value
    )


def source_difference(known: Sequence[Mapping], wanted: Mapping[str, Any]) -> str:
    """Explains why the people of a dataset are not stored, from both descriptions."""
    name = wanted['name']
    for other in known:
        if other['files'] == wanted['files']:
            changed = difference(other['options'], wanted['options'])
            gone = set(other['options']) - set(wanted['options'])
            changed = changed or f'{", ".join(sorted(gone))} is no longer set'
            return f'dataset "{name}" has changed options: {changed}'
    if any(other['name'] == name for other in known):
        return f'the file "{name}" has changed since'
    return f'it does not have the people of "{name}"'

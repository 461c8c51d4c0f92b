"""Completes the metafiles from the configs next to them."""

import re
from pathlib import Path
from typing import Any

import yaml
from mmengine.config import Config

from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from zoo.facts import Measure, cost, metadata, student_of

METAFILE = 'metafile.yml'
INDEX = 'model-index.yml'
HEADER = (
    '# dev/update_tables.py writes Name, Config, In Collection, and Metadata of\n'
    '# each model from the configs, and keeps everything else. FLOPs are\n'
    '# multiply-accumulates; Reference GFLOPs are FLOPs / 1024^3.\n'
)
INDEX_HEADER = '# Written by dev/update_tables.py.\n'
#: The field that a result needs in addition to its source.
PROOF = {'published': 'Reference', 'measured': 'Command'}
# The field with the location of a model's released weights.
_PUBLISHED = 'Published Weights'

Entry = dict[str, Any]


class _Plain(yaml.SafeDumper):
    """Repeats shared values instead of using aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def dump(content: dict[str, Any]) -> str:
    """Formats a metafile as YAML."""
    return yaml.dump(content, Dumper=_Plain, sort_keys=False, width=88)


def read_models(root: Path) -> list[Entry]:
    """Reads the entries of all models, given the folder that contains ``configs``."""
    contents = (_read(path) for path in metafiles(root))
    return [entry for content in contents for entry in content['Models']]


def metafiles(root: Path) -> list[Path]:
    """Finds the metafiles in the folders of configs."""
    found = sorted((root / 'configs').glob(f'*/{METAFILE}'))
    if not found:
        raise UserError(f'"{root}" has no configs/*/{METAFILE}')
    return found


def completed(root: Path, measure: Measure) -> dict[Path, dict[str, Any]]:
    """Returns the content that each metafile should have."""
    contents = {path: _read(path) for path in metafiles(root)}
    names = {path: _configs(root, path.parent) for path in contents}
    # The present entry of each config.
    kept: dict[str, Entry] = {name: {} for found in names.values() for name in found}
    for path, content in contents.items():
        for entry in content['Models']:
            name = entry.get('Config')
            if name not in names[path] or kept[name]:
                reason = 'is listed twice' if name in names[path] else 'does not exist'
                raise UserError(f'"{path}": Config "{name}" {reason}: remove an entry')
            _check_results(path, entry)
            kept[name] = entry
    return {
        path: {
            'Collections': content['Collections'],
            'Models': [
                _entry(root, name, content['Collections'][0]['Name'], kept, measure)
                for name in names[path]
            ],
        }
        for path, content in contents.items()
    }


def _configs(root: Path, folder: Path) -> list[str]:
    """Lists the configs of a folder in natural order."""

    def parts(path: Path) -> list[tuple[int, str]]:
        found = re.findall(r'(\d+)|(\D+)', path.stem)
        return [(int(number or 0), text) for number, text in found]

    found = sorted(folder.glob('*.py'), key=parts)
    return [path.relative_to(root).as_posix() for path in found]


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        complete = content['Collections'][0]['Name'] and 'Models' in content
    except (yaml.YAMLError, TypeError, LookupError) as error:
        reason = ' '.join(str(error).split())
        raise UserError(f'"{path}" is not a metafile: {reason}') from error
    if not complete:
        raise UserError(f'"{path}" is not a metafile: it has no Models')
    content['Models'] = content['Models'] or []
    return content


def _check_results(path: Path, entry: Entry) -> None:
    for result in entry.get('Results', []):
        source = result.get('Source')
        if source not in PROOF or not result.get(PROOF[source]):
            raise UserError(
                f'"{path}": a result of "{entry["Config"]}" needs a Source that is '
                'published, with a Reference, or measured, with a Command'
            )


def _entry(
    root: Path, name: str, collection: str, kept: dict[str, Entry], measure: Measure
) -> Entry:
    config = load_config(root / name)
    facts = metadata(config, measure)
    if teacher := config.model.get('teacher'):
        sources = {
            'Teacher': (teacher.config, teacher.checkpoint),
            'Student': (_student(root, name, kept), config.load_from),
        }
        for part, (source, weights) in sources.items():
            facts[part] = _part(root, source, weights, kept, measure)
    entry = {
        'Name': Path(name).stem,
        'Config': name,
        'In Collection': collection,
        'Metadata': facts,
    }
    return entry | {k: v for k, v in kept[name].items() if k not in entry}


def _student(root: Path, name: str, kept: dict[str, Entry]) -> str:
    found = student_of(root / name)
    if isinstance(found, str):
        return found  # a config of another package
    student = found.relative_to(root.resolve()).as_posix()
    if student not in kept:
        raise UserError(
            f'"{root / name}": the first `_base_` must be the config of the student, '
            f'with an entry in a metafile, got "{student}"'
        )
    return student


def _part(
    root: Path,
    name: str,
    weights: str | None,
    kept: dict[str, Entry],
    measure: Measure,
) -> Entry:
    """Describes a teacher or student, with the weights and scores of its own entry."""
    config: Config = load_config(name if '::' in name else root / name)
    part = {'Config': name, **cost(config, measure)}
    own = kept.get(name, {})
    if weights:
        part['Weights'] = weights
        if _PUBLISHED in own:
            part[_PUBLISHED] = own[_PUBLISHED]
    if results := own.get('Results', []):
        part |= {key: results[0][key] for key in ('Dataset', 'Source', 'Metrics')}
    return part

"""Lists weight files, what they hold, and the packaged configs they are for."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mmengine.fileio import load

from fpd_mmpose.checks.findings import Report, count
from fpd_mmpose.config import config_root
from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.architectures import Architecture, architecture_of, sample_of
from fpd_mmpose.weights.checkpoint import read_checkpoint, rename, weights_of
from fpd_mmpose.weights.layouts import recognize
from fpd_mmpose.weights.local_copies import has_named_hash

WEIGHTS, TEST, TRAIN = 'weights', 'ready for fpd test', 'ready for fpd train'


class WeightReport(Report):
    """Findings about a folder of weight files."""

    @property
    def verdict(self) -> str:
        """The last line of the report."""
        if self.problems:
            return f'{count(self.problems, "problem")}: not every file can be used'
        files = count(list(self.sections[WEIGHTS]), 'weight file')
        return f'OK: {files} ({count(self.warnings, "warning")})'


@dataclass
class _Recipe:
    """A packaged config, that of its plain student, and the weight files it names."""

    config: str
    student: str
    needs: dict[str, str]


def check_weights(folder: str | Path) -> Report:
    """Reads the weight files of a folder, and finds the configs they are for."""
    folder = Path(folder)
    report = WeightReport(str(folder))
    recipes = {Path(recipe.config).stem: recipe for recipe in _recipes()}
    usable = set()
    # mmengine and this package write files under hidden names first.
    for path in sorted(folder.rglob('[!.]*.pth')):
        listed = report.section(WEIGHTS)
        name = str(path.relative_to(folder))
        try:
            network, listed[name] = _identify(path)
        except UserError as error:
            listed[name] = 'UNUSABLE'
            report.problems.append(str(error))
            continue
        usable.add(path.resolve())
        if has_named_hash(path) is False:
            report.warnings.append(
                f'"{path}": its SHA-256 is not the one in its name: it may be '
                'truncated, and is not used in place of a download'
            )
        if network is None:
            continue
        recipe = recipes.get(path.stem)
        if recipe and {recipe.config, recipe.student}.isdisjoint(network.configs):
            report.problems.append(
                f'"{path}" holds {listed[name]}, which is not the network of '
                f'{recipe.config}: replace or rename it'
            )
        else:
            for config in [recipe.config] if recipe else network.configs:
                report.section(TEST).setdefault(config, str(path))
    if WEIGHTS not in report.sections:
        raise UserError(f'"{folder}" has no weight files (*.pth)')
    for recipe in recipes.values():
        needed = recipe.needs.values()
        if needed and all(Path(path).resolve() in usable for path in needed):
            files = (f'{role} {path}' for role, path in recipe.needs.items())
            report.section(TRAIN)[recipe.config] = ', '.join(files)
    return report


def _identify(path: Path) -> tuple[Architecture | None, str]:
    """Reads an untrusted file; returns its network, if known, and what it holds."""
    source = str(path)
    weights = weights_of(read_checkpoint(source), source)
    layout = recognize(weights)
    if layout is None:
        return None, f'an unknown network ({sample_of(weights)})'
    try:
        network = architecture_of(rename(weights, layout, source))
    except UserError:
        return None, f'an unknown network ({layout.title})'
    joints = f'{network.joints} joints' if network.joints else 'a backbone alone'
    return network, f'{network.title}, {joints} ({layout.title})'


def _recipes() -> Iterator[_Recipe]:
    """Reads the metafiles, which is faster than the configs."""
    for path in sorted(config_root().glob('*/metafile.yml')):
        for model in load(path)['Models']:
            facts = model['Metadata']
            teacher = facts.get('Teacher', {})
            named = {
                'teacher': teacher.get('Weights', ''),
                'start': facts['Starts From'],
            }
            yield _Recipe(
                model['Config'],
                facts.get('Student', {}).get('Config', ''),
                {k: v for k, v in named.items() if v.startswith('checkpoints/')},
            )

"""Tables of the models, and the pages that contain them."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from fpd_mmpose.errors import UserError
from fpd_mmpose.markdown import markdown_table
from zoo.metafiles import PROOF, Entry

# The main metric of each dataset, and its name in the tables.
_MAIN = {'MPII': ('Mean', 'PCKh@0.5'), 'COCO': ('AP', 'AP')}
_MARKED = re.compile(r'(<!-- table: (\S+) -->\n).*?(<!-- end -->)', re.S)
_ROLES = ('teacher', 'plain student', 'FPD from scratch', 'FPD, warm-started')


def fill(page: str, name: str, models: Sequence[Entry]) -> str:
    """Updates the tables between the markers of a page, given its text and its name."""
    tables: dict[str, Callable[[Sequence[Entry]], str]] = {'recipes': _recipes}
    for data in _MAIN:
        tables[data.lower()] = partial(_all_models, data)
        tables[f'{data.lower()}-published'] = partial(_published_scores, data)
    found = {match[2] for match in _MARKED.finditer(page)}
    if not found or found - set(tables):
        raise UserError(
            f'"{name}" has {", ".join(sorted(found - set(tables))) or "no tables"} '
            'between its markers: expected `<!-- table: NAME -->` and `<!-- end -->`, '
            f'where NAME is one of {", ".join(tables)}'
        )
    return _MARKED.sub(lambda m: f'{m[1]}\n{tables[m[2]](models)}\n\n{m[3]}', page)


def _all_models(data: str, models: Sequence[Entry]) -> str:
    """Lists the models that are tested on a dataset."""
    chosen = [model for model in models if model['Metadata']['Test Data'] == data]
    chosen.sort(key=lambda model: 'Teacher' in model['Metadata'])  # distilled ones last
    metric, called = _MAIN[data]
    sources = [
        source
        for source in PROOF
        if any(_score(model, source, metric) for model in chosen)
    ]
    links = {model['Config']: _link(model) for model in models}
    headings = ['config', 'network', 'input', 'parameters', 'GMACs', 'GFLOPs']
    headings += ['batch', 'epochs', *(f'{called}, {source}' for source in sources)]
    headings += ['starts from', 'teacher']
    rows = []
    for model in chosen:
        facts = model['Metadata']
        teacher = facts.get('Teacher', {}).get('Config', '')
        rows.append(
            [
                links[model['Config']],
                facts['Architecture'][0],
                facts['Input Size'],
                f'{facts["Parameters"]:,}',
                f'{facts["FLOPs"] / 1e9:.3f}',
                f'{facts["Reference GFLOPs"]:.3f}',
                str(facts['Batch Size']),
                str(facts['Epochs']),
                *(_score(model, source, metric) for source in sources),
                Path(facts['Starts From']).stem,
                links.get(teacher, Path(teacher).stem),
            ]
        )
    return markdown_table(headings, rows, text=(0, 1, 2, -2, -1))


def _published_scores(data: str, models: Sequence[Entry]) -> str:
    """Lists all scores that the reference publishes for a dataset."""
    rows = []
    for model in _published(models):
        (result,) = _results(model, 'published')
        if result['Dataset'] == data:
            metrics = result['Metrics']
            rows.append([_link(model), *(f'{score:.3f}' for score in metrics.values())])
            headings = ['config', *metrics]
    return markdown_table(headings, rows)


def _recipes(models: Sequence[Entry]) -> str:
    """Lists the models with published scores."""
    headings = ['config', 'network', 'parameters', 'GFLOPs', 'data', 'published', '']
    rows = []
    for model in _published(models):
        facts = model['Metadata']
        data = facts['Test Data']
        metric, called = _MAIN[data]
        rows.append(
            [
                f'`{model["Config"]}`',
                facts['Architecture'][0],
                f'{facts["Parameters"]:,}',
                f'{facts["Reference GFLOPs"]:.3f}',
                f'{data} {facts["Input Size"]}',
                f'{_score(model, "published", metric)} {called}',
                _role(model, models),
            ]
        )
    return markdown_table(headings, rows, text=(0, 1, 4, 6))


def _published(models: Sequence[Entry]) -> list[Entry]:
    """Returns the models with published scores, by dataset and role."""
    found = [model for model in models if _results(model, 'published')]
    data = list(_MAIN)
    return sorted(
        found,
        key=lambda model: (
            data.index(model['Metadata']['Test Data']),
            _ROLES.index(_role(model, models)),
        ),
    )


def _role(model: Entry, models: Sequence[Entry]) -> str:
    facts = model['Metadata']
    if 'Teacher' in facts:
        return _ROLES[3 if 'Weights' in facts['Student'] else 2]
    teachers = (other['Metadata'].get('Teacher', {}) for other in models)
    taught = any(teacher.get('Config') == model['Config'] for teacher in teachers)
    return _ROLES[0 if taught else 1]


def _results(model: Entry, source: str) -> list[Entry]:
    results = model.get('Results', [])
    return [result for result in results if result['Source'] == source]


def _score(model: Entry, source: str, metric: str) -> str:
    return ', '.join(f'{r["Metrics"][metric]:.3f}' for r in _results(model, source))


def _link(model: Entry) -> str:
    return f'[{model["Name"]}](../../{model["Config"]})'

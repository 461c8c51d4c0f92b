"""Updates the metafiles, the model index, and the tables of the pages."""

from pathlib import Path

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from zoo.facts import Measure, cached, measure
from zoo.metafiles import HEADER, INDEX, INDEX_HEADER, completed, dump
from zoo.tables import fill

PAGES = ('README.md', 'docs/reference/model_zoo.md')


def update_tables(
    root: str | Path, check: bool = False, measure: Measure = measure
) -> list[str]:
    """Updates the files that are derived from the configs, and returns their names.

    ``root`` is the folder that contains ``configs`` and the pages. With ``check``,
    nothing is written.
    """
    root = Path(root)
    contents = completed(root, cached(measure))
    texts = {path: HEADER + dump(content) for path, content in contents.items()}
    imports = [path.relative_to(root).as_posix() for path in contents]
    texts[root / INDEX] = INDEX_HEADER + dump({'Import': imports})
    models = [model for content in contents.values() for model in content['Models']]
    for name in PAGES:
        page = root / name
        if not page.is_file():
            raise UserError(f'"{page}" does not exist: expected a page with tables')
        texts[page] = fill(page.read_text(encoding='utf-8'), name, models)
    stale = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text(encoding='utf-8') != text
    ]
    if not check:
        for path in stale:
            with replace_when_done(path) as file:
                file.write_text(texts[path], encoding='utf-8')
    return [path.relative_to(root).as_posix() for path in stale]

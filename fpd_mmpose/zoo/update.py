"""Brings the metafiles, the model index and the tables of the pages up to date."""

from pathlib import Path

from fpd_mmpose.atomic import replace_when_done

from .facts import Measure, measure, once_a_network
from .metafiles import HEADER, INDEX, INDEX_HEADER, completed, dump
from .tables import fill

PAGES = ('README.md', 'docs/model_zoo.md')


def update_tables(
    root: str | Path, check: bool = False, measure: Measure = measure
) -> list[str]:
    """Writes what follows from the configs.

    Args:
        root (str | Path): The folder that has ``configs`` and the pages.
        check (bool): Whether to write nothing.
        measure (Measure): Counts parameters and operations of a config's network.

    Returns:
        list[str]: The files that were not up to date.

    Raises:
        ValueError: If a file is not what it should be. One line.
    """
    root = Path(root)
    contents = completed(root, once_a_network(measure))
    texts = {path: HEADER + dump(content) for path, content in contents.items()}
    imports = [path.relative_to(root).as_posix() for path in contents]
    texts[root / INDEX] = INDEX_HEADER + dump({'Import': imports})
    models = [model for content in contents.values() for model in content['Models']]
    for name in PAGES:
        page = root / name
        if not page.is_file():
            raise ValueError(f'"{page}" does not exist: its tables are to be written')
        texts[page] = fill(page.read_text(), name, models)
    stale = [
        path
        for path, text in texts.items()
        if not path.is_file() or path.read_text() != text
    ]
    if not check:
        for path in stale:
            with replace_when_done(path) as file:
                file.write_text(texts[path])
    return [path.relative_to(root).as_posix() for path in stale]

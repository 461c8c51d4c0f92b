"""What the site needs beyond its pages: linked configs, and docstrings as Markdown."""

import re
from pathlib import Path
from typing import Any

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the configs, which the model zoo links, to the site."""
    root = Path(config.config_file_path).parent
    for path in sorted((root / 'configs').rglob('*.py')):
        name = path.relative_to(root).as_posix()
        files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Points links to configs, which are relative to the repository, to the site."""
    return markdown.replace('](../../configs/', '](../configs/')


class DocstringMarkdown(griffe.Extension):
    """Translates what Markdown or griffe do not know in our docstrings."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Translates the docstring of an object, in place."""
        if obj.docstring:
            obj.docstring.value = as_markdown(obj.docstring.value)


def as_markdown(docstring: str) -> str:
    """Turns Sphinx roles and formulas into code, and ``Example:`` into a section."""
    text = re.sub(r'^( *)Example:$', r'\1Examples:', docstring, flags=re.M)
    text = re.sub(r':[a-z]+:`~?([^`]+)`', r'`\1`', text)
    return re.sub(r'^( *)\.\. math:: (.+)$', r'\1`\2`', text, flags=re.M)

"""Finds and reads configs."""

from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

from fpd_mmpose.errors import UserError

_PACKAGE = Path(__file__).resolve().parent


def config_root() -> Path:
    """Returns the ``configs`` folder of the installed package or of the checkout."""
    installed = _PACKAGE / '.mim' / 'configs'
    return installed if installed.is_dir() else _PACKAGE.parent / 'configs'


def load_config(source: str | Path | dict) -> Config:
    """Finds and reads a config, which must have a ``model``.

    ``source`` is a path, relative to the working directory or to this package's
    ``configs`` folder; a name such as ``mmpose::body_2d_keypoint/...``; or the content
    of a config or of its ``model``.
    """
    if isinstance(source, dict):
        content = ConfigDict(source)
        config = Config(content if 'model' in content else dict(model=content))
    elif '::' in str(source):
        try:
            config = get_config(str(source))
        except Exception as error:
            raise UserError(f'config "{source}" cannot be read: {error}') from error
    else:
        config = Config.fromfile(_find(Path(source)))
    if 'type' not in config.get('model', {}):
        raise UserError(
            f'config "{source}" has no `model`: expected the config of a run or a model'
        )
    return config


def _find(path: Path) -> Path:
    packaged = config_root() / Path(*path.parts[path.parts[:1] == ('configs',) :])
    for candidate in (path.expanduser(), packaged):
        if candidate.is_file():
            return candidate
    raise UserError(
        f'config "{path}" does not exist: looked in {Path.cwd()} and {config_root()}'
    )

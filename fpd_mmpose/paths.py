"""Where the configs of this project are found."""

from pathlib import Path

from mmengine.config import Config, ConfigDict
from mmengine.hub import get_config

_PACKAGE = Path(__file__).resolve().parent


def config_root() -> Path:
    """The folder ``configs``: inside an installed package, or beside the sources.

    Returns:
        Path: An absolute folder.
    """
    installed = _PACKAGE / '.mim' / 'configs'
    return installed if installed.is_dir() else _PACKAGE.parent / 'configs'


def load_config(source: str | Path | dict) -> Config:
    """Finds and reads a config.

    Args:
        source (str | Path | dict): A path, tried from the working directory and then
            in this package's ``configs`` folder; a name such as
            ``mmpose::body_2d_keypoint/...``; a whole config, or that of a model.

    Returns:
        Config: With the key ``model``.

    Raises:
        ValueError: If it cannot be found or holds no model. One line.
    """
    if isinstance(source, dict):
        content = ConfigDict(source)
        config = Config(content if 'model' in content else dict(model=content))
    elif '::' in str(source):
        try:
            config = get_config(str(source))
        except Exception as error:
            raise ValueError(f'config "{source}" cannot be read: {error}') from error
    else:
        config = Config.fromfile(_find(Path(source)))
    if 'type' not in config.get('model', {}):
        raise ValueError(f'config "{source}" has no `model`')
    return config


def _find(path: Path) -> Path:
    packaged = config_root() / Path(*path.parts[path.parts[:1] == ('configs',) :])
    for candidate in (path.expanduser(), packaged):
        if candidate.is_file():
            return candidate
    raise ValueError(
        f'config "{path}" does not exist: looked in {Path.cwd()} and {config_root()}'
    )

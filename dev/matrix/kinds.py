"""The configs that MMPose ships, sorted into kinds of networks."""

import re
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import mmpose
import torch
from mmengine.config import Config, ConfigDict
from mmpose.registry import MODELS

from fpd_mmpose.teachers.joints import joints_of

ROOT = Path(mmpose.__file__).parent / '.mim' / 'configs'
#: The arguments of a codec that change what a head learns or how it is decoded.
DECISIVE = ('unbiased', 'heatmap_type', 'smoothing_type', 'use_dark')
#: The folders of configs that a student or a teacher can be expected to have.
FAMILIES = {
    'topdown_heatmap': 'top-down heatmap',
    'simcc': 'SimCC',
    'rtmpose': 'SimCC',
}


class Kind(NamedTuple):
    """What decides how a network is treated, besides its size and its joints."""

    estimator: str
    head: str
    codec: str
    backbone: str
    neck: str

    def __str__(self) -> str:
        return ' / '.join(part or '-' for part in self)


class Entry(NamedTuple):
    """A config, or why it cannot be read or built, in one line.

    ``cost`` is about proportional to the time that a try takes.
    """

    name: str
    kind: Kind
    cost: int
    fault: str = ''

    @property
    def family(self) -> str:
        """The family of its folder."""
        return FAMILIES.get(Path(self.name).parts[1], 'other')


def config_names() -> list[str]:
    """Lists every config that MMPose ships, except the parts of other configs."""
    names = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob('*.py'))
    return sorted(name for name in names if not name.startswith('_base_'))


def read(name: str) -> Config:
    """Reads a config of MMPose with its types as names, and without pretraining."""
    config = Config.fromfile(ROOT / name)
    content = _plain(config.to_dict())
    content['default_scope'] = 'mmpose'
    return Config(ConfigDict(content))


def survey(name: str) -> Entry:
    """Reads a config, and builds its network to see how large it is."""
    try:
        config = read(name)
    except Exception as error:
        unread = Kind(Path(name).parts[1], '', 'unreadable', '', '')
        return Entry(name, unread, 0, one_line(error))
    kind = kind_of(config)
    try:
        parameters = count_parameters(config)
    except Exception as error:
        return Entry(name, kind, 0, one_line(error))
    width, height = _input_size(config)
    return Entry(name, kind, parameters * width * height)


def kind_of(config: Mapping[str, Any]) -> Kind:
    """Finds what kind of network a config describes."""
    model = config['model']
    head = model.get('head') or {}
    return Kind(
        model['type'],
        head.get('type', ''),
        _describe_codec(codec_of(config)),
        (model.get('backbone') or {}).get('type', ''),
        (model.get('neck') or {}).get('type', ''),
    )


def codec_of(config: Mapping[str, Any]) -> Any:
    """Returns the codec of the head, which may be a list."""
    head = config['model'].get('head') or {}
    for place in (head, head.get('pose_cfg') or {}):
        if place.get('decoder'):
            return place['decoder']
    return config.get('codec') or {}


def representatives(entries: Iterable[Entry]) -> list[Entry]:
    """Takes the cheapest config of each kind, if possible one that can be built."""
    found: dict[Kind, Entry] = {}
    for entry in sorted(entries, key=lambda e: (bool(e.fault), e.cost, e.name)):
        found.setdefault(entry.kind, entry)
    return sorted(found.values(), key=lambda entry: entry.kind)


def count_parameters(config: Config) -> int:
    """Builds the network of a config, where possible without memory for its weights."""
    try:
        with torch.device('meta'):
            model = MODELS.build(config.model)
    except (RuntimeError, NotImplementedError):
        # A few networks compute numbers, such as drop rates, from tensors.
        model = MODELS.build(config.model)
    return sum(parameter.numel() for parameter in model.parameters())


def joint_count(config: Config) -> int:
    """Returns the number of joints that the head of a config has."""
    head = config.model.head
    count = head.get('out_channels') or (head.get('pose_cfg') or {}).get('out_channels')
    if count is None:
        count = head.get('num_joints') or head.get('num_keypoints')
    skeleton = joints_of(config)
    return count or (len(skeleton.names) if skeleton else 0)


def one_line(error: BaseException) -> str:
    """Returns the type of an error and its first line, without folders and advice."""
    line = (str(error).strip().splitlines() or [''])[0]
    if not line and error.__traceback__:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        line = f'{Path(frame.filename).name}, {frame.line}'
    line = without_folders(line).partition('. ')[0]
    return f'{type(error).__name__}: {line}'


def without_folders(text: str) -> str:
    """Shortens the absolute paths in a text to the names of the files."""
    return re.sub(r'(?<![\w.:/])/(?:[^\s"\'/]+/)+', '', text)


def _describe_codec(codec: Any) -> str:
    if isinstance(codec, list):
        return f'{len(codec)} x {_describe_codec(codec[-1])}'
    decisive = [f'{name}={codec[name]}' for name in DECISIVE if codec.get(name)]
    return codec.get('type', '') + (f'({", ".join(decisive)})' if decisive else '')


def _input_size(config: Mapping[str, Any]) -> tuple[int, int]:
    codec = codec_of(config)
    size = (codec[-1] if isinstance(codec, list) else codec).get('input_size') or (0, 0)
    return size if isinstance(size, list | tuple) else (size, size)


def _plain(value: Any) -> Any:
    """Copies settings with classes as names, and without weights to download."""
    if isinstance(value, Mapping):
        return dict(_plain_items(value))
    if isinstance(value, list | tuple):
        return type(value)(map(_plain, value))
    return value.__name__ if isinstance(value, type) else value


def _plain_items(settings: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if name in ('init_cfg', 'pretrained') and _downloads(value):
            continue
        yield name, _plain(value)


def _downloads(value: Any) -> bool:
    if isinstance(value, Mapping):
        return value.get('type') == 'Pretrained'
    return isinstance(value, str)

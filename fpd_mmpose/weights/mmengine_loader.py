"""Makes mmengine's checkpoint loader safe, and has it take other projects' files."""

import functools
import io
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mmengine.fileio import get_file_backend
from mmengine.logging import print_log
from mmengine.runner import checkpoint as stock

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.checkpoint import download, load_file, rename, why_unreadable
from fpd_mmpose.weights.fitting import check_fit_everywhere, source_of_weights
from fpd_mmpose.weights.layouts import recognise
from fpd_mmpose.weights.wrappers import without_runtime, without_wrappers

# Where a checkpoint of a pose estimator is used, these would name a file to read.
_PATHS = ('from_file', 'img', 'img_path')


def install() -> None:
    """Puts this package's reader behind ``load_from`` and all that loads like it.

    ``load_from``, ``resume``, ``tools/test.py``, ``init_model``, ``MMPoseInferencer``
    and ``init_cfg=dict(type='Pretrained', ...)`` then

    - run nothing that a file holds, wherever it comes from (path, http(s), S3, or a
      name such as ``torchvision://resnet50``), and never see the config text in it;
    - take pose weights of the reference, of official HRNet and of SimpleBaseline:
      their names become those of a pose estimator. So ``Pretrained`` on a backbone
      needs ``prefix='backbone.'`` for them, as it does for any pose estimator's
      checkpoint. Other names, ImageNet's included, pass unchanged, but for what
      wrappers such as ``torch.compile`` put before them;
    - refuse weights that are not those of the pose estimator, see
      :func:`fpd_mmpose.weights.fitting.check_fit_everywhere`.

    Files that cannot be read raise a :class:`UserError` of one line.

    Idempotent.
    """
    for prefixes, load in (
        ('', load_from_local),
        (('http://', 'https://'), load_from_http),
        ((r'(\S+\:)?s3://', r'(\S+\:)?petrel://'), load_from_ceph),
        (('modelzoo://', 'torchvision://'), load_from_torchvision),
        (('open-mmlab://', 'openmmlab://'), load_from_openmmlab),
        ('mmcls://', load_from_mmcls),
        ('pavi://', load_from_pavi),
    ):
        stock.CheckpointLoader.register_scheme(prefixes, _reading(load), force=True)
    check_fit_everywhere()


# --- Sources -----------------------------------------------------------------------

# mmengine logs "Loads checkpoint by local backend" from the names of these functions.


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Reads a path."""
    path = Path(filename).expanduser()
    if not path.is_file():
        raise UserError(f'"{filename}" does not exist (looked from {Path.cwd()})')
    return load_file(path, map_location)


def load_from_http(filename: str, map_location: Any = None) -> Any:
    """Reads an http(s) URL."""
    return download(filename, map_location)


def load_from_ceph(filename: str, map_location: Any = None) -> Any:
    """Reads an S3 URL through mmengine's file backend, which needs petrel_client."""
    backend = get_file_backend(filename, backend_args=dict(backend='petrel'))
    return load_file(io.BytesIO(backend.get(filename)), map_location)


def load_from_torchvision(filename: str, map_location: Any = None) -> Any:
    """Reads weights by torchvision's name."""
    return download(_listed(filename, stock.get_torchvision_models()), map_location)


def load_from_openmmlab(filename: str, map_location: Any = None) -> Any:
    """Reads weights by a name in OpenMMLab's list."""
    scheme, _, name = filename.partition('://')
    name = stock.get_deprecated_model_names().get(name, name)
    address = _listed(f'{scheme}://{name}', stock.get_external_models())
    if address.startswith(('http://', 'https://')):
        return download(address, map_location)
    return load_from_local(
        os.path.join(stock._get_mmengine_home(), address), map_location
    )


def load_from_mmcls(filename: str, map_location: Any = None) -> Any:
    """Reads a backbone by MMClassification's name."""
    address = _listed(filename, stock.get_mmcls_models())
    return stock._process_mmcls_checkpoint(download(address, map_location))


def load_from_pavi(filename: str, map_location: Any = None) -> Any:
    """Reads nothing: OpenMMLab's internal store is not supported."""
    raise UserError(
        f'"{filename}": pavi:// is not supported; download the file and give its path'
    )


def _listed(filename: str, addresses: dict[str, str]) -> str:
    _, _, name = filename.partition('://')
    if name not in addresses:
        raise UserError(f'"{filename}" is not a name that mmengine knows')
    return addresses[name]


# --- What comes out ----------------------------------------------------------------


def _reading(load: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(load)
    def load_and_convert(filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            checkpoint = load(filename, *args, **kwargs)
        except UserError:
            raise
        except Exception as error:
            raise UserError(why_unreadable(filename, error)) from error
        source_of_weights.set(filename)
        if not isinstance(checkpoint, dict):
            return checkpoint
        _drop_config(checkpoint, filename)
        return _convert(checkpoint, filename)

    return load_and_convert


def _drop_config(checkpoint: dict, filename: str) -> None:
    """Drops what mmengine or MMPose would parse as Python or read as a path."""
    meta = _part(checkpoint, 'meta', filename)
    # Runner.resume executes "config", inferencers without a config execute "cfg".
    meta.pop('config', None)
    meta.pop('cfg', None)
    dataset_meta = meta.get('dataset_meta')
    if isinstance(dataset_meta, dict):
        for key in _PATHS:
            dataset_meta.pop(key, None)
    hub = _part(checkpoint, 'message_hub', filename)
    # The running config is there already, and goes into the next checkpoint.
    _part(hub, 'runtime_info', filename).pop('cfg', None)


def _part(owner: dict, key: str, filename: str) -> dict:
    part = owner.get(key, {})
    if not isinstance(part, dict):
        raise UserError(
            f'"{filename}" is damaged: its "{key}" is a {type(part).__name__}'
        )
    return part


def _convert(checkpoint: dict, filename: str) -> dict:
    nested = isinstance(checkpoint.get('state_dict'), dict)
    state_dict = checkpoint['state_dict'] if nested else checkpoint
    layout = recognise(state_dict)
    if layout is not None and layout.is_foreign_pose:
        print_log(
            f'"{filename}" holds {layout.title}: their names become those of a pose '
            'estimator',
            logger='current',
        )
        return dict(state_dict=rename(state_dict, layout, filename))
    unwrapped = without_wrappers(state_dict, frameworks=False)
    if list(unwrapped) == list(state_dict):
        return checkpoint
    unwrapped = OrderedDict(unwrapped)
    if hasattr(state_dict, '_metadata'):
        # The versions of layers, by the names of their modules.
        unwrapped._metadata = OrderedDict(
            (without_runtime(f'{name}.').removesuffix('.'), entry)
            for name, entry in state_dict._metadata.items()
        )
    return {**checkpoint, 'state_dict': unwrapped} if nested else unwrapped


def require_config() -> None:
    """Makes mmengine's inferencers require a config instead of executing a file's."""
    from mmengine.infer import BaseInferencer

    init_model = BaseInferencer._init_model
    if hasattr(init_model, '__wrapped__'):
        return

    @functools.wraps(init_model)
    def init_model_of_config(
        self: Any, cfg: Any, weights: str | None, *args: Any, **kwargs: Any
    ) -> Any:
        if not cfg:
            raise UserError(
                f'"{weights}" needs a config beside it: give its path or name as '
                '`model` (the config text in a weight file is not executed)'
            )
        return init_model(self, cfg, weights, *args, **kwargs)

    BaseInferencer._init_model = init_model_of_config

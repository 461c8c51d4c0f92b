"""Makes mmengine's checkpoint loader safe, and lets it read other projects' files."""

import functools
import io
import os
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from mmengine.fileio import get_file_backend
from mmengine.logging import print_log
from mmengine.runner import checkpoint as stock

from fpd_mmpose.errors import UserError
from fpd_mmpose.weights.checkpoint import (
    download,
    existing,
    load_file,
    rename,
    why_unreadable,
)
from fpd_mmpose.weights.fitting import check_fit_everywhere, source_of_weights
from fpd_mmpose.weights.joint_metadata import sound_metainfo
from fpd_mmpose.weights.layouts import recognize
from fpd_mmpose.weights.wrappers import without_runtime, without_wrappers

# MMPose would read the files that these fields of a checkpoint name.
_PATHS = ('from_file', 'img', 'img_path')


def install() -> None:
    """Installs this package's reader for ``load_from`` and everything like it.

    ``load_from``, ``resume``, tests, ``init_model``, ``MMPoseInferencer``, and
    ``init_cfg=dict(type='Pretrained', ...)`` then

    - execute nothing that a file holds, whether it comes from a path, a URL, S3, or a
      name such as ``torchvision://resnet50``, and never parse the config text in it;
    - download nothing that is in ``checkpoints``, see
      :func:`fpd_mmpose.weights.local_copies.local_copy`;
    - accept pose weights of the reference, official HRNet, and SimpleBaseline. Their
      names become those of a pose estimator, so ``Pretrained`` on a backbone needs
      ``prefix='backbone.'`` for them. Other names, ImageNet's included, only lose the
      prefixes of wrappers such as ``torch.compile``;
    - reject weights that do not fit the pose estimator; see
      :func:`fpd_mmpose.weights.fitting.check_fit_everywhere`.

    Files that cannot be read raise :class:`UserError`. Calling it again is harmless.
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

# mmengine derives "Loads checkpoint by local backend" from these functions' names.


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Reads a path."""
    return load_file(existing(filename), map_location)


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
    """Rejects OpenMMLab's internal store."""
    raise UserError(
        f'"{filename}": pavi:// is not supported; download the file and give its path'
    )


def _listed(filename: str, addresses: dict[str, str]) -> str:
    _, _, name = filename.partition('://')
    if name not in addresses:
        raise UserError(f'"{filename}" is unknown to mmengine')
    return addresses[name]


# --- Content ----------------------------------------------------------------------


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
    """Drops fields that mmengine or MMPose would execute or read as paths."""
    meta = _part(checkpoint, 'meta', filename)
    # Runner.resume executes "config", inferencers without a config execute "cfg".
    meta.pop('config', None)
    meta.pop('cfg', None)
    dataset_meta = meta.pop('dataset_meta', None)
    if isinstance(dataset_meta, dict) and 'num_keypoints' in dataset_meta:
        dataset_meta = sound_metainfo(dataset_meta)
    if isinstance(dataset_meta, dict):  # a detector's has classes
        kept = {k: v for k, v in dataset_meta.items() if k not in _PATHS}
        meta['dataset_meta'] = kept
    hub = _part(checkpoint, 'message_hub', filename)
    # The next checkpoint gets the config that is running.
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
    layout = recognize(state_dict)
    if layout is not None and layout.is_foreign_pose:
        print_log(
            f'"{filename}" holds {layout.title}; they are renamed to those of a pose '
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
        vars(unwrapped)['_metadata'] = OrderedDict(
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
                f'"{weights}" needs a config: give its path or name as `model` (the '
                'config text in a weight file is never executed)'
            )
        return init_model(self, cfg, weights, *args, **kwargs)

    BaseInferencer._init_model = init_model_of_config

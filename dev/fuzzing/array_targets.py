"""MATLAB files, images, and training weights."""

import io
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from PIL import Image
from scipy.io import savemat

import fpd_mmpose
from fpd_mmpose.checks.images import Images, _check_image
from fpd_mmpose.checks.weight_files import check_weights
from fpd_mmpose.datasets.transforms import FPDLoadImage
from fpd_mmpose.demos.web.upload import read_upload
from fpd_mmpose.errors import UserError
from fpd_mmpose.inputs import read_image
from fpd_mmpose.readers.media import exif_orientation, image_size
from fpd_mmpose.readers.mpii_ground_truth import (
    read_head_sizes,
    read_mpii_ground_truth,
)
from fpd_mmpose.reports.finished_runs import read_checkpoint
from fpd_mmpose.runs.resuming import check_resumable, clean_message_hub
from fpd_mmpose.studies.run_record import PREDICTIONS, read_predictions
from fpd_mmpose.weights import read_state_dict, to_reference
from fuzzing.harness import Subject, Target
from fuzzing.mutations import damaged_bytes, damaged_value
from mpii_mat import read_mpii_mat
from tests.helpers import mpii_mat_data as mat_data

#: Tensors of a checkpoint where a reader looks at none of them.
_FEW = 12


def bytes_subject(path: Path, valid: list[bytes], read: Callable[[], Any]) -> Subject:
    """A reader of files whose bytes are damaged."""
    return Subject(path, valid, lambda rng: damaged_bytes(rng, rng.choice(valid)), read)


def _strange_array(rng: Random, array: np.ndarray) -> Any:
    """Changes the values, the type, or the shape of an array."""
    array = np.array(array)
    kind = rng.randrange(9)
    if kind == 0:
        return array.astype(rng.choice(['f4', 'i1', 'u8', 'c16', 'b1', 'U3', 'O']))
    if kind == 1:
        return array[..., : rng.randrange(array.shape[-1] + 1)]
    if kind == 2:
        return array.T
    if kind == 3:
        return array.ravel()
    if kind == 4:
        return np.zeros((0, 0))
    if kind == 5:
        return rng.choice(['text', {'a': 1}, 3.0, [None, 'x'], [[1, 2], [3]]])
    if array.size and array.dtype.kind == 'f':
        values = (np.nan, np.inf, -1.0, 1e300, 0.0)
        array.ravel()[rng.randrange(array.size)] = rng.choice(values)
    return array


def _mat_subject(
    path: Path, contents: dict[str, np.ndarray], read: Callable[[], Any]
) -> Subject:
    def written(arrays: dict, **options: Any) -> bytes:
        buffer = io.BytesIO()
        savemat(buffer, arrays, **options)
        return buffer.getvalue()

    valid = [
        written(contents),
        written(contents, do_compression=True),
    ]

    def damage(rng: Random) -> bytes:
        if rng.random() < 0.5:
            return damaged_bytes(rng, rng.choice(valid))
        arrays = dict(contents)
        name = rng.choice([*arrays])
        arrays[name] = _strange_array(rng, arrays[name])
        if rng.random() < 0.1:
            del arrays[name]
        try:
            return written(arrays, do_compression=rng.random() < 0.5)
        except Exception:  # SciPy cannot write everything
            return damaged_bytes(rng, valid[0])

    return Subject(path, valid, damage, read)


def _ground_truth(folder: Path) -> Subject:
    rng = np.random.default_rng(0)
    contents = {
        'pos_gt_src': rng.random((16, 2, 4)) * 100,
        'jnt_missing': np.zeros((16, 4), np.uint8),
        'headboxes_src': rng.random((2, 2, 4)) * 50,
    }
    path = folder / 'gt_valid.mat'

    def read() -> Any:
        truth = read_mpii_ground_truth(path)
        return read_head_sizes(path), truth.keypoints[truth.visible], truth.head_size

    return _mat_subject(path, contents, read)


def _predictions(folder: Path) -> Subject:
    contents = {'preds': np.random.default_rng(0).random((3, 16, 2)) * 100}
    return _mat_subject(
        folder / PREDICTIONS, contents, lambda: read_predictions(folder, 3)
    )


def _release(folder: Path) -> Subject:
    path = folder / 'release.mat'
    joints = {joint: (10 + joint, 20.5) for joint in range(16)}
    valid = []
    for single in (np.array([[1]]), mat_data.EMPTY):
        people = [mat_data.person(joints), mat_data.person(joints, scale=2)]
        images = [mat_data.image(f'{n}.jpg', people, n % 2, single) for n in range(3)]
        mat_data.write_release(path, images)
        valid.append(path.read_bytes())
    opened = io.BytesIO()
    from scipy.io import loadmat

    savemat(opened, {'RELEASE': loadmat(path)['RELEASE']})
    valid.append(opened.getvalue())

    def read() -> Any:
        found = read_mpii_mat(path)
        return [
            [person.center, person.scale, person.joints[person.labeled]]
            for person in found.people
        ]

    return bytes_subject(path, valid, read)


def _images(folder: Path, suffix: str, form: str) -> tuple[Path, list[bytes]]:
    path = folder / f'image{suffix}'
    picture = Image.fromarray(
        np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    valid = []
    for options in ({}, {'exif': exif}):
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        valid.append(buffer.getvalue())
    return path, valid


def _image(suffix: str, form: str) -> Callable[[Path], Subject]:
    def prepare(folder: Path) -> Subject:
        path, valid = _images(folder, suffix, form)
        load = FPDLoadImage()

        def read() -> Any:
            errors = []
            readers: tuple[Callable[[], Any], ...] = (
                lambda: read_image(path),
                lambda: image_size(path, apply_exif=True),
                lambda: load(dict(img_path=str(path), id=3)),
            )
            _check_image(str(path), True, {}, Images())
            for reader in readers:
                try:
                    reader()
                except UserError as error:
                    errors.append(error)
            assert exif_orientation(path) in range(1, 9)
            if errors:
                raise errors[0]

        return bytes_subject(path, valid, read)

    return prepare


def _upload(folder: Path) -> Subject:
    path, valid = _images(folder, '.png', 'PNG')
    valid += _images(folder, '.jpg', 'JPEG')[1]

    def read() -> Any:
        with path.open('rb') as file:
            return read_upload(file, path.name).shape

    return bytes_subject(path, valid, read)


def checkpoint(tensors: int | None = None) -> dict:
    """Makes what a training run saves of a small hourglass, or of its first tensors."""
    network = fpd_mmpose.StackedHourglass(num_stacks=1, num_features=4, num_joints=2)
    state = OrderedDict(
        (f'backbone.{name}', value)
        for name, value in [*network.state_dict().items()][:tensors]
    )
    first = next(iter(state.values()))
    history = HistoryBuffer([0.5, 0.25], [1, 1])
    return dict(
        meta=dict(
            epoch=3,
            iter=12,
            seed=0,
            cfg="load_from = 'a.pth'\nresume = False\n",
            experiment_name='run',
            dataset_meta=dict(dataset_name='mpii', sigmas=np.ones(16) / 9),
        ),
        state_dict=state,
        message_hub=dict(
            log_scalars={'train/loss': history},
            runtime_info={'iter': 12, 'epoch': 3, 'best_score': np.float64(0.5)},
            resumed_keys={'iter': True},
        ),
        optimizer=dict(state={0: dict(step=first, exp_avg=first)}, param_groups=[]),
    )


def strange_tensor(rng: Random) -> Any:
    """Makes a tensor, or nearly one, that hardly fits."""
    return rng.choice(
        [
            lambda: torch.zeros(3),
            lambda: torch.zeros(()),
            lambda: torch.zeros(10**9, 0),
            lambda: torch.zeros(1).expand(10**10),
            lambda: torch.zeros(10**5, 1, 1, 1),
            lambda: torch.zeros(2, 3, dtype=torch.int8),
            lambda: torch.zeros(2, dtype=torch.complex64),
            lambda: torch.full((2,), torch.nan),
            lambda: torch.zeros(4).to_sparse(),
            lambda: torch.zeros(4, device='meta'),
            lambda: np.zeros(3),
            lambda: np.float32(2),
            lambda: torch.nn.Parameter(torch.zeros(2)),
            lambda: torch.zeros(4, dtype=torch.bfloat16),
            lambda: [torch.zeros(2)],
        ]
    )()


def _damaged_state(rng: Random, state: dict) -> dict:
    changed = OrderedDict(state)
    for _ in range(rng.choice((1, 1, 3))):
        if not changed:
            break
        name = rng.choice([*changed])
        kind = rng.randrange(6)
        if kind == 0:
            del changed[name]
        elif kind == 1:
            number = rng.choice(('0', '7', '10', '1000000', '99999999999', '-1', 'x'))
            changed[str(name).replace('0', number, 1)] = changed[name]
        elif kind == 2:
            other = rng.choice((3, None, '', f'module.{name}', 'a\0b', (1, 2), b'x'))
            changed[other] = changed.pop(name)
        elif kind == 3:
            size = list(changed[name].shape) if hasattr(changed[name], 'shape') else []
            size = size + [2] if rng.random() < 0.5 else size[:-1]
            changed[name] = torch.zeros(size)
        else:
            changed[name] = strange_tensor(rng)
    return changed


def saved(content: Any, **options: Any) -> bytes:
    """Returns what torch saves."""
    buffer = io.BytesIO()
    torch.save(content, buffer, **options)
    return buffer.getvalue()


def repacked(rng: Random, content: bytes) -> bytes:
    """Changes what is inside of a zip file, whose checksums stay right."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old:
        names = old.namelist()
        pickles = [name for name in names if name.endswith('data.pkl')]
        chosen = rng.choice([*pickles, *pickles, *pickles, *names])
        method = rng.choice([zipfile.ZIP_STORED] * 4 + [zipfile.ZIP_DEFLATED])
        with zipfile.ZipFile(buffer, 'w', method) as new:
            for name in names:
                data = old.read(name)
                if name == chosen:
                    data = damaged_bytes(rng, data)
                new.writestr(name, data)
    return buffer.getvalue()


def _weights_subject(path: Path, contents: list[dict], read: Callable) -> Subject:
    valid = [saved(content) for content in contents]
    old = [saved(content, _use_new_zipfile_serialization=False) for content in contents]

    def damage(rng: Random) -> bytes:
        kind = rng.random()
        if kind < 0.1:
            return damaged_bytes(rng, rng.choice(valid))
        if kind < 0.3:
            return damaged_bytes(rng, rng.choice(old))
        if kind < 0.6:
            return repacked(rng, rng.choice(valid))
        content = rng.choice(contents)
        if kind < 0.8 or 'state_dict' not in content:
            key = 'state_dict' if 'state_dict' in content else None
            state = _damaged_state(rng, content[key] if key else content)
            content = {**content, key: state} if key else state
        else:
            kept = content['state_dict']
            others = {k: v for k, v in content.items() if k != 'state_dict'}
            changed = damaged_value(rng, others)
            content = (
                {**changed, 'state_dict': kept} if type(changed) is dict else changed
            )
        try:
            return saved(content, _use_new_zipfile_serialization=rng.random() < 0.8)
        except Exception:  # not everything can be saved
            return damaged_bytes(rng, valid[0])

    return Subject(path, [*valid, *old], damage, read)


def _weights(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()

    def read() -> Any:
        return len(read_state_dict(str(path)))

    theirs = to_reference(ours['state_dict'])
    return _weights_subject(path, [ours, dict(ours['state_dict']), theirs], read)


def _load_from(folder: Path) -> Subject:
    """What mmengine's Runner reads with `load_from` and `resume`."""
    path = folder / 'epoch_3.pth'

    def read() -> Any:
        content = CheckpointLoader.load_checkpoint(str(path), 'cpu')
        check_resumable(content, str(path))
        clean_message_hub(content['message_hub'])

    return _weights_subject(path, [checkpoint(_FEW)], read)


def _convert(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()
    state = {
        name: value for name, value in ours['state_dict'].items() if 'back' in name
    }

    def read() -> Any:
        return len(fpd_mmpose.convert(path, folder / 'converted.pth'))

    theirs = to_reference(state)
    return _weights_subject(path, [ours, theirs], read)


def _report_checkpoint(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'

    def read() -> Any:
        from fpd_mmpose.reports.finished_runs import start_of

        found = read_checkpoint(path)
        assert isinstance(found.epoch, int | None), found.epoch
        assert isinstance(found.steps, int | None), found.steps
        start_of(found.config)
        return found.epoch, found.steps

    return _weights_subject(path, [checkpoint(_FEW)], read)


def _weight_folder(folder: Path) -> Subject:
    path = folder / 'epoch_3.pth'
    ours = checkpoint()

    def read() -> Any:
        report = check_weights(folder)
        if report.problems:
            raise UserError(report.problems[0])

    return _weights_subject(path, [ours], read)


TARGETS = {
    'mpii_ground_truth': Target(_ground_truth, 2),
    'predictions': Target(_predictions, 2),
    'mpii_release': Target(_release, 4),
    'image_jpeg': Target(_image('.jpg', 'JPEG'), 2),
    'image_png': Target(_image('.png', 'PNG'), 2),
    'image_tiff': Target(_image('.tif', 'TIFF'), 2),
    'image_webp': Target(_image('.webp', 'WEBP'), 2),
    'image_bmp': Target(_image('.bmp', 'BMP'), 2),
    'upload': Target(_upload),
    'weights': Target(_weights, 40),
    'load_from': Target(_load_from, 10),
    'convert': Target(_convert, 80),
    'report_checkpoint': Target(_report_checkpoint, 10),
    'weight_folder': Target(_weight_folder, 40),
}

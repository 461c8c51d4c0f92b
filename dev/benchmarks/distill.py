"""Times training steps: distillation, plain training, and the reference's way."""

import copy
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope
from mmpose.registry import MODELS
from torch import Tensor, nn

from benchmarks.bfloat16 import keep_accuracy_on_device
from benchmarks.random_people import random_batch
from benchmarks.random_store import write_store
from benchmarks.timing import Timed, time_in_turn
from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.teachers.live import LiveTeacher
from fpd_mmpose.teachers.output_format import as_stages
from fpd_mmpose.teachers.speed.fast_network import FastNetwork

PLAIN, REFERENCE, FLOOR = 'plain student', 'FPD, as the reference', 'floor'
STORED = 'FPD, stored teacher'


@dataclass
class Settings:
    """What is measured, and how."""

    batch: int = 4
    device: str = 'cpu'
    precision: str = 'fp32'
    repeats: int = 7
    compile: str | None = None


def benchmark_distill(
    config: Config, settings: Settings, progress: Callable[[str], None] = print
) -> list[Timed]:
    """Times the variants in turn, and adds the floor.

    The floor is the fastest plain step plus the fastest forward pass of the teacher.
    Weights and people are random, which does not change the time.
    """
    if config.model.get('type') != 'FPDDistiller':
        raise UserError(
            f'config "{config.filename}" is not a distillation: its model is a '
            f'{config.model.get("type")}, not an FPDDistiller'
        )
    init_default_scope('mmpose')
    torch.manual_seed(0)
    device = torch.device(settings.device)
    with tempfile.TemporaryDirectory() as folder, _as_in_training(device):
        ways = _ways(config, settings, device, Path(folder))
        timed = time_in_turn(ways, settings.repeats, device, progress)
    torch.compiler.reset()  # or later runs in this process exceed a limit
    students = [one for one in timed if one.name.startswith(PLAIN)]
    teachers = [one for one in timed if one.name.startswith('teacher')]
    if not teachers or not any(one.name == PLAIN for one in timed):
        raise UserError(
            f'a batch of {settings.batch} people does not fit in the memory of the '
            'GPU: use a smaller one'
        )
    fastest = [min(group, key=lambda one: one.median) for group in (students, teachers)]
    rounds = zip(*(one.seconds for one in fastest), strict=True)
    floor = Timed(FLOOR, [sum(pair) for pair in rounds])
    return [*timed, floor]


@contextmanager
def _as_in_training(device: torch.device) -> Iterator[None]:
    """Lets cuDNN search for the fastest algorithms, as the released code does."""
    before = torch.backends.cudnn.benchmark
    torch.backends.cudnn.benchmark = device.type == 'cuda'
    try:
        yield
    finally:
        torch.backends.cudnn.benchmark = before


def _ways(
    config: Config, settings: Settings, device: torch.device, folder: Path
) -> Iterator[tuple[str, Callable[[], None]]]:
    batch = random_batch(config, settings.batch)
    if device.type == 'cuda':
        batch['inputs'] = [image.pin_memory() for image in batch['inputs']]
    ours = ('teacher', 'distill_loss', 'channels_last', 'compile')
    plain = {k: v for k, v in config.model.items() if k not in ours}
    plain['type'] = 'TopdownPoseEstimator'
    fast = {'channels_last': True}
    presets = ['exact', 'auto']
    if settings.compile:
        presets.append('max')
    if settings.compile == 'all':
        fast['compile'] = True

    weights = _random_weights(config, folder)
    exact = dict(config.model.teacher, checkpoint=weights, speed='exact')
    distiller = partial(_distiller, config, exact)

    student = MODELS.build(plain)
    if settings.precision == 'bf16':
        keep_accuracy_on_device(student.head)
    yield PLAIN, _step(student, config, batch, settings, device)
    yield (
        f'{PLAIN}, {", ".join(fast)}',
        _step(_without_teacher(distiller(**fast)), config, batch, settings, device),
    )
    model = distiller()
    _keep_graph(model.teacher, device)
    yield REFERENCE, _step(model, config, batch, settings, device)
    for speed in presets:
        options = {} if speed == 'exact' else fast
        model = _distiller(config, dict(exact, speed=speed), **options)
        name = ', '.join([f'FPD, speed={speed}', *options])
        yield name, _step(model, config, batch, settings, device)
    model = distiller()
    images = _images(model, batch, device)
    cache = folder / 'teacher.sqlite'
    model.teacher.model.to(device)
    write_store(cache, model.teacher, images, config.codec['input_size'])
    stored = dict(cache=str(cache), joint_map=exact.get('joint_map'))
    yield (
        ', '.join([STORED, *fast]),
        _step(_distiller(config, stored, **fast), config, batch, settings, device),
    )
    for speed in presets:
        teacher = FastNetwork(model.teacher.model, 'of the config', speed)
        yield f'teacher, speed={speed}', _forward(teacher, images)


def _random_weights(config: Config, folder: Path) -> str:
    """Writes random weights for the teacher, so that its own are not needed."""
    path = folder / 'teacher.pth'
    network = load_config(config.model.teacher.config).model
    torch.save(MODELS.build(network).state_dict(), path)
    return str(path)


def _distiller(config: Config, teacher: dict, **options: bool) -> FPDDistiller:
    settings = copy.deepcopy(config.model)
    settings.update(options)
    settings.teacher = teacher  # update() would merge it with that of the config
    model = MODELS.build(settings)
    model.teacher.prepare(model)
    return model


def _without_teacher(model: FPDDistiller) -> nn.Module:
    """Leaves only the head's loss of a distiller, in the student's formats."""

    def loss(inputs: Tensor, data_samples: list) -> dict:
        return model.head.loss(model._training_feats(inputs), data_samples)

    keep_accuracy_on_device(model.head)
    model.loss = loss
    return model


def _keep_graph(teacher: LiveTeacher, device: torch.device) -> None:
    """Lets autograd run through the teacher, as the released code does."""
    network = teacher.model.to(device).requires_grad_(True)
    adapter = teacher._adapter.to(device)
    teacher.start = lambda inputs, _: as_stages(
        network(adapter(inputs), None), 'the teacher'
    )[-1]
    teacher.finish = teacher._conversion


def _images(model: FPDDistiller, batch: dict, device: torch.device) -> Tensor:
    prepared = model.data_preprocessor.to(device)(batch, True)
    return model.teacher._adapter.to(device)(prepared['inputs'])


def _step(
    model: nn.Module,
    config: Config,
    batch: dict,
    settings: Settings,
    device: torch.device,
) -> Callable[[], None]:
    model.to(device).train()
    model.data_preprocessor._non_blocking = True  # the images are pinned
    wrapper = build_optim_wrapper(model, copy.deepcopy(config.optim_wrapper))

    def autocast():
        if settings.precision == 'fp32':
            return nullcontext()
        return torch.autocast(device.type, torch.bfloat16)

    def step() -> None:
        with autocast():
            data = model.data_preprocessor(batch, True)
            losses = model(**data, mode='loss')
        total, _ = model.parse_losses(losses)
        wrapper.update_params(total)

    return step


def _forward(teacher: FastNetwork, images: Tensor) -> Callable[[], None]:
    def forward() -> None:
        teacher.join(teacher(images))

    return forward

"""Distillation on a GPU has the numbers of the CPU and never waits for the GPU.

`pytest -m cuda --device cpu` rehearses these tests without a GPU.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import pytest
import torch
import torch.distributed as dist
from mmengine.config import Config
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.device_accuracy import accuracy_on_device
from fpd_mmpose.teachers.cache.maps import unpack_levels
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.speed.fast_network import TOLERANCE, FastNetwork, SpeedPlan
from tests.helpers.reduced import (
    reduced_config,
    reduced_distiller,
    reduced_teacher,
    run,
)
from tests.helpers.stored_maps import small_config, store_maps

pytestmark = pytest.mark.cuda
PLANS = [
    SpeedPlan('fp16', fold_bn=True),
    SpeedPlan('bf16', channels_last=True, stream=True),
    SpeedPlan('fp16', fold_bn=True, channels_last=True, compile=True, cuda_graph=True),
    SpeedPlan('fp16', fold_bn=True, compile=True, cuda_graph=True, stream=True),
]
KINDS = ['live', 'auto', 'stored', 'mixed']


@pytest.fixture
def full_float32() -> Iterator[None]:
    """Switches off TF32, so that the numbers can equal the CPU's."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@pytest.fixture
def rehearsed(device, monkeypatch) -> None:
    """Skips the compiler, which takes a minute, in a rehearsal."""
    if device.type == 'cpu':
        compiler = torch.compile
        monkeypatch.setattr(
            torch, 'compile', lambda f, **_: compiler(f, backend='eager')
        )


@pytest.fixture
def teacher(mpii_root, tmp_path) -> torch.nn.Module:
    config = reduced_config('hourglass/hg8_256_mpii.py', mpii_root, tmp_path)
    model = MODELS.build(config.model)
    with torch.no_grad():  # batch norms with statistics that folding could get wrong
        for _ in range(3):
            model(torch.randn(4, 3, 64, 64), None)
    return model.eval().requires_grad_(False)


def distance(got: torch.Tensor, wanted: torch.Tensor) -> float:
    """Measures the largest difference as a share of the highest peak."""
    got, wanted = got.cpu(), wanted.cpu()
    return ((got - wanted).abs().max() / wanted.abs().max()).item()


class TestTeacher:
    def test_exact_gives_what_the_cpu_gives(self, teacher, device, full_float32):
        images = torch.randn(4, 3, 64, 64)
        wanted = teacher(images, None)[-1]
        got = FastNetwork(copy.deepcopy(teacher), 'x')(images.to(device))
        assert got.device.type == device.type and got.dtype == torch.float32
        assert distance(got, wanted) < 1e-4

    @pytest.mark.parametrize('speed', ['exact', 'auto', 'max', *PLANS], ids=str)
    def test_every_speed_stays_within_the_tolerance(
        self, speed, teacher, device, rehearsed
    ):
        batches = [torch.randn(n, 3, 64, 64) for n in (4, 4, 4, 4, 3)]
        wanted = [teacher(images, None)[-1] for images in batches]
        fast = FastNetwork(teacher.to(device), 'x', speed)
        got = [fast.join(fast(images.to(device))) for images in batches]
        # Compared at the end: a replayed graph must not have overwritten the first.
        for one, other in zip(got, wanted, strict=True):
            assert one.dtype == torch.float32
            # Twice what 'auto' accepts: random networks this narrow round more.
            assert distance(one, other) < 2 * TOLERANCE
        if speed in ('auto', 'max'):
            assert fast.plan.stream == (device.type == 'cuda')

    def test_tf32_does_not_keep_batch_norms_from_being_folded(self, teacher, device):
        fast = FastNetwork(teacher.to(device), 'x')
        folded = fast._fold(torch.randn(2, 3, 64, 64, device=device))
        assert folded is not teacher
        assert next(folded.parameters()).device.type == device.type

    def test_copies_wait_for_a_teacher_on_a_stream_of_its_own(self, teacher, device):
        plan = SpeedPlan(stream=True)
        fast = FastNetwork(teacher.to(device), 'x', plan)
        for _ in range(20):
            images = torch.randn(8, 3, 64, 64, device=device)
            wanted = teacher(images, None)[-1]
            got = fast(images)
            del images  # its memory may be used again before the teacher has read it
            torch.full((8, 3, 64, 64), 9.0, device=device)
            assert distance(fast.join(got), wanted) < 1e-2


@OPTIM_WRAPPERS.register_module(force=True)
class Bfloat16OptimWrapper(OptimWrapper):
    """Autocast on any device: mmengine's AmpOptimWrapper is for accelerators only."""

    def __init__(self, device_type: str, **kwargs):
        super().__init__(**kwargs)
        self.device_type = device_type

    @contextmanager
    def optim_context(self, model):
        with (
            super().optim_context(model),
            torch.autocast(self.device_type, torch.bfloat16),
        ):
            yield


def mixed_precision(config: Config, device: torch.device) -> None:
    if device.type == 'cuda':
        config.optim_wrapper.update(
            type='AmpOptimWrapper', dtype='bfloat16', loss_scale=dict(enabled=False)
        )
    else:
        config.optim_wrapper.update(type='Bfloat16OptimWrapper', device_type='cpu')


def distillation(kind: str, mpii_root, tmp_path) -> Config:
    """A config whose batches do not wait for the GPU."""
    if kind == 'stored':
        config = small_config(mpii_root, tmp_path)
        config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
        store_maps(config, config.model.teacher.cache)
    elif kind == 'mixed':
        name = 'fpd/hg4_128_fpd_unlabeled_mpii.py'
        config = reduced_config(name, mpii_root, tmp_path / 'run', 1, 8)
        config.load_from = None
        config.model.teacher = reduced_teacher(tmp_path)
    else:
        config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
        config.model.teacher.speed = 'auto' if kind == 'auto' else 'exact'
    config.custom_hooks = []
    config.model.data_preprocessor.non_blocking = True
    config.train_dataloader.pin_memory = torch.cuda.is_available()
    return config


def runner_of(config: Config, device: torch.device) -> Runner:
    config = copy.deepcopy(config)
    config.experiment_name = config.visualizer.name = f'{config.work_dir}_{device.type}'
    torch.manual_seed(0)
    runner = Runner.from_cfg(config)
    runner.model.to(device).train()
    runner.model.init_weights()
    runner.optim_wrapper = runner.build_optim_wrapper(runner.optim_wrapper)
    return runner


def batch_of(config: Config) -> dict:
    np.random.seed(0)
    return next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))


@contextmanager
def no_synchronization(device: torch.device) -> Iterator[None]:
    if device.type != 'cuda':
        yield
        return
    torch.cuda.set_sync_debug_mode('error')
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode('default')


class TestStep:
    @pytest.mark.parametrize('kind', ['live', 'stored', 'mixed'])
    def test_losses_equal_those_of_the_cpu(
        self, kind, mpii_root, tmp_path, device, full_float32
    ):
        config = distillation(kind, mpii_root, tmp_path)
        batch = batch_of(config)
        losses = []
        for place in (torch.device('cpu'), device):
            runner = runner_of(config, place)
            data = runner.model.data_preprocessor(copy.deepcopy(batch), True)
            found = runner.model(**data, mode='loss')
            losses.append({name: value.item() for name, value in found.items()})
        assert losses[1] == pytest.approx(losses[0], rel=2e-3, abs=1e-6)

    @pytest.mark.parametrize('precision', ['fp32', 'bf16'])
    @pytest.mark.parametrize('kind', KINDS)
    def test_the_host_never_waits(self, kind, precision, mpii_root, tmp_path, device):
        config = distillation(kind, mpii_root, tmp_path)
        if precision == 'bf16':
            mixed_precision(config, device)
        runner = runner_of(config, device)
        # Interleaved, as a sampler of one's own may mix them.
        batch = batch_of(config)
        order = np.random.RandomState(0).permutation(len(batch['inputs']))
        batch = {name: [values[at] for at in order] for name, values in batch.items()}
        for number in range(5):
            # The first steps choose the plan and fill caches.
            with no_synchronization(device) if number > 2 else nullcontext():
                losses = runner.model.train_step(batch, runner.optim_wrapper)
        assert np.isfinite(losses['loss'].item())


class TestRunner:
    def finite(self, runner: Runner) -> None:
        assert np.isfinite(runner.message_hub.log_scalars['train/loss'].data[0]).all()

    @pytest.mark.parametrize('kind', KINDS)
    def test_mixed_precision(self, kind, mpii_root, tmp_path, device):
        config = distillation(kind, mpii_root, tmp_path)
        mixed_precision(config, device)
        self.finite(run(config))

    def test_plain_training_in_bfloat16(self, mpii_root, tmp_path, device):
        name = 'hourglass/hg4_128_mpii.py'
        config = reduced_config(name, mpii_root, tmp_path, 1, 8)
        mixed_precision(config, device)
        runner = Runner.from_cfg(config)
        with accuracy_on_device(runner.model.head):
            runner.train()
        self.finite(runner)
        accuracy = runner.message_hub.log_scalars['train/acc_pose'].data[0]
        assert np.isfinite(accuracy).all()

    def test_loss_scaling_and_ema(self, mpii_root, tmp_path, device):
        config = distillation('auto', mpii_root, tmp_path)
        if device.type == 'cuda':
            config.optim_wrapper.update(type='AmpOptimWrapper', loss_scale='dynamic')
        config.custom_hooks = [dict(type='EMAHook', momentum=0.1)]
        runner = run(config)
        self.finite(runner)
        saved = torch.load(tmp_path / 'run' / 'epoch_1.pth')
        assert not any('teacher' in name for name in saved['ema_state_dict'])

    def test_compiled_over_epochs_with_validations_between(
        self, mpii_root, tmp_path, device, rehearsed
    ):
        config = distillation('live', mpii_root, tmp_path)
        config.model.update(compile=True, channels_last=True)
        config.model.teacher.speed = 'max'
        config.train_dataloader.batch_size = 5  # 12 people: the last batch is shorter
        config.train_cfg.max_epochs = 2
        mixed_precision(config, device)
        runner = run(config)
        self.finite(runner)
        assert runner.model._backbone_in_training._compiled is not None
        assert runner.model.teacher._fast.plan.cuda_graph == (device.type == 'cuda')

    def test_distributed_on_one_gpu(self, mpii_root, tmp_path, device, monkeypatch):
        if device.type == 'cpu':
            pytest.skip('MMEngine chooses a GPU for each process')
        for name, value in dict(
            RANK='0', LOCAL_RANK='0', WORLD_SIZE='1', MASTER_ADDR='127.0.0.1'
        ).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv('MASTER_PORT', '29517')
        config = distillation('auto', mpii_root, tmp_path)
        config.launcher = 'pytorch'
        mixed_precision(config, device)
        try:
            runner = run(config)
            self.finite(runner)
            assert type(runner.model).__name__ == 'MMDistributedDataParallel'
        finally:
            if dist.is_initialized():
                dist.destroy_process_group()


def test_stored_heatmaps_equal_those_that_the_cpu_stores(
    mpii_root, tmp_path, device, full_float32
):
    config = small_config(mpii_root, tmp_path)
    levels = []
    for place in ('cpu', device.type):
        path = tmp_path / f'{len(levels)}.sqlite'
        store_maps(config, path, flip=True, device=place)
        store = HeatmapStore(path)
        numbers = [store.keys()[key] for key in sorted(store.keys())]
        shape = store.settings['shape']
        levels.append(
            np.stack([unpack_levels(one.maps, shape) for one in store.read(numbers)])
        )
    assert np.abs(levels[0].astype(int) - levels[1].astype(int)).max() <= 1


def test_panels_do_not_change_a_run_in_mixed_precision(mpii_root, tmp_path, device):
    states = []
    for hooks in ([dict(type='DistillVisualizationHook', num_people=2)], []):
        config = reduced_distiller(mpii_root, tmp_path, stacks=2, features=8)
        mixed_precision(config, device)
        config.custom_hooks = hooks
        config.work_dir = str(tmp_path / f'run_{len(hooks)}')
        states.append(run(config).model.state_dict())
    assert len(list(tmp_path.glob('run_1/*/vis_data/vis_image/*.png'))) == 1
    assert all(
        torch.equal(*pair)
        for pair in zip(*(state.values() for state in states), strict=True)
    )

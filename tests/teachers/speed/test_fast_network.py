"""The ways to run a teacher change its speed, not its heatmaps."""

import copy

import pytest
import torch
from mmengine.runner import Runner
from mmpose.registry import MODELS

from fpd_mmpose.teachers.speed import compiled as compiled_module
from fpd_mmpose.teachers.speed import fast_network as fast_teacher
from fpd_mmpose.teachers.speed.compiled import Compiled
from fpd_mmpose.teachers.speed.fast_network import TOLERANCE, FastNetwork, SpeedPlan
from tests.helpers.reduced import reduced_config, reduced_distiller
from tests.helpers.rounding import NETWORK, assert_same

CONFIGS = [
    'hourglass/hg8_256_mpii.py',
    'hrnet/hrnet_w48_mpii.py',
    'resnet/res152_mpii.py',
]


def network(name: str, mpii_root, tmp_path) -> torch.nn.Module:
    model = MODELS.build(reduced_config(name, mpii_root, tmp_path).model)
    with torch.no_grad():  # batch norms with statistics that folding could get wrong
        for _ in range(3):
            model(torch.randn(4, 3, 64, 64), None)
    return model.eval().requires_grad_(False)


def distance(got: torch.Tensor, wanted: torch.Tensor) -> float:
    """Measures the largest difference as a share of the highest peak."""
    return ((got - wanted).abs().max() / wanted.abs().max()).item()


@pytest.mark.parametrize('name', CONFIGS)
@pytest.mark.parametrize(
    ('plan', 'tolerance'),
    [
        (dict(), 0.0),
        (dict(fold_bn=True), NETWORK),
        (dict(channels_last=True), NETWORK),
        (dict(fold_bn=True, channels_last=True), NETWORK),
        # A layer keeps 8 bits: 100 of them are right to about sqrt(100) / 256.
        (dict(precision='bf16', fold_bn=True), 2 * TOLERANCE),
    ],
    ids=str,
)
def test_heatmaps_stay_within_the_tolerance(name, plan, tolerance, mpii_root, tmp_path):
    model = network(name, mpii_root, tmp_path)
    images = torch.randn(4, 3, 64, 64)
    before = copy.deepcopy(model.state_dict())
    output = model(images, None)
    wanted = output[-1] if isinstance(output, (list, tuple)) else output
    got = FastNetwork(model, 'x', SpeedPlan(**plan))(images)
    assert got.dtype == torch.float32
    assert distance(got, wanted) <= tolerance
    after = model.state_dict()
    assert after.keys() == before.keys()
    assert all(torch.equal(after[key], before[key]) for key in before)


def test_folding_leaves_no_batch_norm_behind_a_convolution(mpii_root, tmp_path):
    model = network('resnet/res152_mpii.py', mpii_root, tmp_path)
    folded = FastNetwork(model, 'x')._fold(torch.randn(1, 3, 64, 64))
    norms = [type(m).__name__ for m in folded.backbone.modules()]
    assert 'BatchNorm2d' not in norms
    assert any(isinstance(m, torch.nn.BatchNorm2d) for m in model.modules())


def test_weights_are_cast_once(mpii_root, tmp_path):
    model = network(CONFIGS[0], mpii_root, tmp_path)
    images = torch.randn(2, 3, 64, 64)
    with torch.no_grad(), torch.autocast('cpu', torch.bfloat16):
        wanted = model(images, None)[-1].float()
    teacher = FastNetwork(model, 'x', SpeedPlan('bf16'))
    assert torch.equal(teacher(images), wanted)
    cast = teacher._network(teacher.plan, images)
    kept = [name for name, one in cast.named_parameters() if one.dtype == torch.float32]
    assert kept and not any('conv' in name and 'bn' not in name for name in kept)
    assert all(one.dtype == torch.float32 for one in model.parameters())


def test_copies_of_the_network_are_ordinary_tensors(mpii_root, tmp_path):
    model = network(CONFIGS[0], mpii_root, tmp_path)
    plan = SpeedPlan('bf16', channels_last=True, fold_bn=True)
    with torch.inference_mode():
        copied = FastNetwork(model, 'x')._network(plan, torch.randn(2, 3, 64, 64))
    assert not any(one.is_inference() for one in copied.state_dict().values())
    assert not any(one.requires_grad for one in copied.parameters())


def test_folding_that_changes_heatmaps_is_undone(mpii_root, tmp_path, monkeypatch):
    class Reversed(torch.nn.Module):
        """Defines its layers in another order than it runs them."""

        def __init__(self):
            super().__init__()
            self.conv = torch.nn.Conv2d(3, 3, 1)
            self.norm = torch.nn.BatchNorm2d(3)

        def forward(self, images, _):
            return self.conv(self.norm(images))

    model = Reversed().eval()
    model.norm.running_mean.fill_(2)
    images = torch.randn(2, 3, 8, 8)
    fast = FastNetwork(model, 'odd', SpeedPlan(fold_bn=True))
    assert_same(fast(images), model(images, None))


def test_auto_takes_the_fastest_plan_within_the_tolerance(
    mpii_root, tmp_path, monkeypatch
):
    model = network(CONFIGS[0], mpii_root, tmp_path)
    fast, slow = SpeedPlan(fold_bn=True), SpeedPlan()
    wrong = SpeedPlan('bf16')
    monkeypatch.setattr(fast_teacher, 'candidates', lambda _: [slow, wrong, fast])
    seconds = iter([2.0, 1.0])
    monkeypatch.setattr(fast_teacher, '_seconds', lambda *_: next(seconds))
    monkeypatch.setattr(fast_teacher, 'TOLERANCE', 1e-4)
    teacher = FastNetwork(model, 'x', 'auto')
    teacher(torch.randn(2, 3, 64, 64))
    assert teacher.plan == fast


def test_the_students_autocast_does_not_reach_a_teacher_in_full_precision(
    mpii_root, tmp_path
):
    model = network(CONFIGS[0], mpii_root, tmp_path)
    images = torch.randn(2, 3, 64, 64)
    wanted = FastNetwork(model, 'x')(images)
    with torch.autocast('cpu', torch.bfloat16):
        got = FastNetwork(model, 'x')(images)
    assert torch.equal(got, wanted)


@pytest.mark.parametrize(
    ('speed', 'message'),
    [
        ('fast', "model.teacher.speed must be exact, auto, max or a dict .* 'fast'"),
        (dict(precison='bf16'), 'model.teacher.speed has no option "precison"'),
        (dict(precision='int8'), 'speed.precision must be one of fp32, bf16, fp16'),
        (dict(fold_bn=1), 'speed.fold_bn must be True or False, got 1'),
        (dict(cuda_graph=True), 'speed.cuda_graph needs compile=True'),
    ],
)
def test_errors_of_speed(speed, message, mpii_root, tmp_path):
    config = reduced_distiller(mpii_root, tmp_path)
    config.model.teacher.speed = speed
    with pytest.raises(ValueError, match=message):
        MODELS.build(config.model)


class TestCompiled:
    """Compiles for one shape, and does without compilation if it fails."""

    @pytest.fixture()
    def calls(self, monkeypatch) -> list:
        """Replaces the compiler, which takes a minute."""
        calls = []

        def compile(function, **options):
            def compiled(module, inputs):
                calls.append(inputs.shape[0])
                return function(module, inputs)

            return compiled

        monkeypatch.setattr(torch, 'compile', compile)
        return calls

    @staticmethod
    def run(module, inputs):
        return module(inputs)

    def test_batches_of_another_size_run_uncompiled(self, calls):
        compiled = Compiled(self.run, 'it')
        for size in (4, 4, 3, 4):
            compiled(torch.nn.Identity(), torch.zeros(size, 1))
        assert calls == [4, 4, 4]

    def test_a_copy_compiles_again(self, calls):
        compiled = Compiled(self.run, 'it')
        compiled(torch.nn.Identity(), torch.zeros(4, 1))
        copy.deepcopy(compiled)(torch.nn.Identity(), torch.zeros(2, 1))
        assert calls == [4, 2]

    def test_without_a_compiler_it_warns_once_and_runs(self, monkeypatch):
        def compile(function, **options):
            def compiled(module, inputs):
                raise RuntimeError('no compiler here\nand more')

            return compiled

        monkeypatch.setattr(torch, 'compile', compile)
        warnings = []
        monkeypatch.setattr(
            compiled_module, 'print_log', lambda text, **_: warnings.append(text)
        )
        compiled = Compiled(self.run, 'the student')
        for _ in range(2):
            assert compiled(torch.nn.Identity(), torch.ones(1, 1)).item() == 1
        assert warnings == [
            'the student runs uncompiled: torch.compile failed with RuntimeError: '
            'no compiler here'
        ]

    def test_a_failure_in_a_later_call_is_caught_too(self, monkeypatch):
        calls = []

        def compile(function, **options):
            def compiled(module, inputs):
                calls.append(1)
                if len(calls) == 2:
                    raise RuntimeError('operation not permitted while capturing')
                return function(module, inputs)

            return compiled

        monkeypatch.setattr(torch, 'compile', compile)
        compiled = Compiled(self.run, 'it')
        for _ in range(4):
            assert compiled(torch.nn.Identity(), torch.ones(1, 1)).item() == 1
        assert len(calls) == 2

    def test_an_hourglass_has_no_graph_break(self, mpii_root, tmp_path):
        model = network(CONFIGS[0], mpii_root, tmp_path).backbone
        traced = torch.compile(model, backend='eager', fullgraph=True)
        images = torch.randn(2, 3, 64, 64)
        for got, wanted in zip(traced(images), model(images), strict=True):
            assert_same(got, wanted)


@pytest.mark.parametrize('options', [dict(channels_last=True), dict(compile=True)])
def test_formats_of_the_student_change_neither_its_loss_nor_its_keys(
    options, mpii_root, tmp_path, monkeypatch
):
    stock_compile = torch.compile
    monkeypatch.setattr(
        torch, 'compile', lambda f, **_: stock_compile(f, backend='eager')
    )
    config = reduced_distiller(mpii_root, tmp_path)
    losses, keys = [], []
    for changes in ({}, options):
        config.model.update(changes)
        torch.manual_seed(0)
        runner = Runner.from_cfg(copy.deepcopy(config))
        runner.model.init_weights()
        batch = next(iter(Runner.build_dataloader(config.train_dataloader, seed=0)))
        with torch.no_grad():
            data = runner.model.data_preprocessor(batch, True)
            losses.append(runner.model.train()(**data, mode='loss')['loss_kpt'])
        keys.append(runner.model.state_dict().keys())
    # Batch norms over four values amplify differences of rounding.
    torch.testing.assert_close(losses[0], losses[1], rtol=2e-3, atol=1e-6)
    assert keys[0] == keys[1]

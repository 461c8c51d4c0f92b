"""Runs a frozen network as fast as the machine allows."""

import copy
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

import torch
from mmcv.cnn import fuse_conv_bn
from mmengine.logging import print_log
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.output_format import Output, as_stages, mapped
from fpd_mmpose.teachers.speed.compiled import Compiled

#: The choices of ``precision``.
DTYPES = {'fp32': torch.float32, 'bf16': torch.bfloat16, 'fp16': torch.float16}
#: The values of ``speed`` other than a plan.
PRESETS = ('exact', 'auto', 'max')
#: The largest difference of heatmaps that 'auto' and 'max' accept, as a share of the
#: teacher's highest value in full precision.
TOLERANCE = 0.03
_FOLD_TOLERANCE = 1e-4
_REPEATS = 2


@dataclass(frozen=True)
class SpeedPlan:
    """Options that change how fast a frozen network runs, not what it computes."""

    precision: str = 'fp32'  # or the type of autocast: 'bf16' or 'fp16'
    channels_last: bool = False  # the memory format
    fold_bn: bool = False  # folds batch norms into the convolutions before them
    compile: bool = False  # uses torch.compile
    cuda_graph: bool = False  # replays CUDA graphs; needs `compile`
    stream: bool = False  # runs in a CUDA stream of its own, beside the student

    @classmethod
    def parse(cls, value: Mapping[str, Any], option: str) -> 'SpeedPlan':
        """Checks the options of a config field, which ``option`` names in errors."""
        known = [field.name for field in fields(cls)]
        for name, given in value.items():
            if name not in known:
                raise UserError(
                    f'{option} has no option "{name}": there are {", ".join(known)}'
                )
            if name == 'precision':
                if given not in DTYPES:
                    raise UserError(
                        f'{option}.precision must be one of {", ".join(DTYPES)}, got '
                        f'{given!r}'
                    )
            elif not isinstance(given, bool):
                raise UserError(f'{option}.{name} must be True or False, got {given!r}')
        plan = cls(**value)
        if plan.cuda_graph and not plan.compile:
            raise UserError(f'{option}.cuda_graph needs compile=True')
        return plan

    def __str__(self) -> str:
        """Lists the precision and the options that are on."""
        switches = [name for name, on in asdict(self).items() if on is True]
        return ', '.join([self.precision, *switches])


def parse_speed(value: str | Mapping[str, Any]) -> str | SpeedPlan:
    """Checks ``model.teacher.speed``, a preset or the options of a plan."""
    if isinstance(value, Mapping):
        return SpeedPlan.parse(value, 'model.teacher.speed')
    if value not in PRESETS:
        raise UserError(
            f'model.teacher.speed must be {", ".join(PRESETS)} or a dict of options; '
            f'got {value!r}'
        )
    return value


class FastNetwork:
    """Runs a frozen network, which stays as it is, by a plan or by a preset.

    ``'exact'`` is float32 as PyTorch runs it. ``'auto'`` times the plans that suit the
    device on the first batch, and takes the fastest one whose heatmaps stay within
    :data:`TOLERANCE`. ``'max'`` does the same and compiles the network.
    """

    def __init__(
        self, model: nn.Module, name: str, speed: str | SpeedPlan = 'exact'
    ) -> None:
        self.model = model
        self.name = name
        self.speed = speed
        self.plan: SpeedPlan | None = None
        self._run: Callable[[Tensor], Output] | None = None
        self._stream: torch.cuda.Stream | None = None
        self._folded: nn.Module | None = None

    def __call__(self, inputs: Tensor) -> Output:
        """Computes the output of the last stage, in the images' type.

        With a stream of its own they may be unfinished: call :meth:`join` before use.
        """
        if next(self.model.parameters()).device != inputs.device:
            self.model.to(inputs.device)
            self._run = None
        with torch.inference_mode():
            run = self._run or self._choose(inputs)
            if self._stream is None:
                return run(inputs)
            self._stream.wait_stream(torch.cuda.current_stream(inputs.device))
            with torch.cuda.stream(self._stream):
                inputs.record_stream(self._stream)
                return run(inputs)

    def join(self, output: Output) -> Output:
        """Makes the current stream wait for an output, and returns it."""
        if self._stream is not None:
            for tensor in _tensors(output):
                current = torch.cuda.current_stream(tensor.device)
                current.wait_stream(self._stream)
                tensor.record_stream(current)
        return output

    def _choose(self, inputs: Tensor) -> Callable[[Tensor], Output]:
        if isinstance(self.speed, SpeedPlan):
            plan = self.speed
        elif self.speed == 'exact':
            plan = SpeedPlan()
        else:
            plan = self._fastest(inputs)
            cuda = inputs.is_cuda
            if self.speed == 'max':
                plan = replace(plan, compile=True, cuda_graph=cuda)
            plan = replace(plan, stream=cuda)
        self.plan = plan
        self._stream = (
            torch.cuda.Stream(inputs.device) if plan.stream and inputs.is_cuda else None
        )
        self._run = run = self._runner(plan, inputs)
        self._folded = None  # the runner holds what it needs
        return run

    def _fastest(self, inputs: Tensor) -> SpeedPlan:
        exact = None
        timed = []
        for plan in candidates(inputs.device):
            run = self._runner(plan, inputs)
            output = run(inputs)
            exact = output if exact is None else exact
            error = _difference(output, exact)
            if not error <= TOLERANCE:
                continue
            timed.append((_seconds(run, inputs), error, plan))
        seconds, error, plan = min(timed, key=lambda one: one[0])
        print_log(
            f'teacher {self.name} runs in {plan}: {seconds * 1000:.0f} ms for '
            f'{len(inputs)} images; heatmaps within {error:.2%} of the highest peak',
            logger='current',
        )
        return plan

    def _runner(self, plan: SpeedPlan, inputs: Tensor) -> Callable[[Tensor], Output]:
        model = self._network(plan, inputs)
        dtype = DTYPES[plan.precision]
        forward: Callable = last_output
        if plan.compile:
            options = {'mode': 'reduce-overhead'} if plan.cuda_graph else {}
            forward = Compiled(last_output, f'teacher {self.name}', **options)

        def run(images: Tensor) -> Output:
            if plan.channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            # The student's autocast must not reach a teacher in float32.
            with torch.autocast(
                images.device.type, dtype, enabled=dtype is not torch.float32
            ):
                output = forward(model, images)
            output = mapped(lambda one: one.to(images.dtype), output)
            # A replayed graph writes into the same memory.
            return mapped(Tensor.clone, output) if plan.cuda_graph else output

        return run

    def _network(self, plan: SpeedPlan, inputs: Tensor) -> nn.Module:
        """Copies the network in the formats of a plan."""
        # A compiler expects ordinary tensors, not those of inference mode.
        with torch.inference_mode(False), torch.no_grad():
            model = self._fold(inputs) if plan.fold_bn else self.model
            if plan.channels_last:
                model = copy.deepcopy(model)
                model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if plan.precision != 'fp32':
                # Otherwise autocast would cast these weights in every pass.
                model = copy.deepcopy(model)
                for module in model.modules():
                    if isinstance(module, (_ConvNd, nn.Linear)):
                        module.to(DTYPES[plan.precision])
        return model

    def _fold(self, inputs: Tensor) -> nn.Module:
        """Folds batch norms, once; MMCV may fail, as it pairs layers by their order."""
        if self._folded is not None:
            return self._folded
        # On the CPU: TF32, the default of cuDNN, rounds more than the check allows.
        image = inputs[:1].cpu()
        with torch.autocast('cpu', enabled=False):
            original = copy.deepcopy(self.model).cpu()
            expected = last_output(original, image)
            self._folded = fuse_conv_bn(original).requires_grad_(False)
            error = _difference(last_output(self._folded, image), expected)
        if not error <= _FOLD_TOLERANCE:
            print_log(
                f'teacher {self.name} keeps its batch norms, because folding them '
                f'changes its output by {error:.1e} of the highest value',
                logger='current',
                level=30,
            )
            self._folded = self.model
        self._folded.to(inputs.device)
        return self._folded


def candidates(device: torch.device) -> list[SpeedPlan]:
    """Lists the plans that ``'auto'`` tries on a device; the first is exact."""
    plans = [SpeedPlan(), SpeedPlan(fold_bn=True)]
    plans.append(SpeedPlan(fold_bn=True, channels_last=True))
    if device.type == 'cuda':
        half = ['fp16', 'bf16'] if torch.cuda.is_bf16_supported() else ['fp16']
        for precision in half:
            plans.append(SpeedPlan(precision, fold_bn=True))
            plans.append(SpeedPlan(precision, fold_bn=True, channels_last=True))
    elif torch.ops.mkldnn._is_mkldnn_bf16_supported():
        plans.append(SpeedPlan('bf16', fold_bn=True, channels_last=True))
    return plans


def last_output(model: nn.Module, inputs: Tensor) -> Output:
    """Computes the output of a teacher's last stage."""
    return as_stages(model(inputs, None), 'the teacher')[-1]


def _tensors(output: Output) -> tuple[Tensor, ...]:
    return output if isinstance(output, tuple) else (output,)


def _difference(output: Output, exact: Output) -> float:
    """Returns the largest difference, as a share of the highest absolute value."""
    pairs = list(zip(_tensors(output), _tensors(exact), strict=True))
    peak = torch.stack([one.abs().max() for _, one in pairs]).max().clamp(min=1e-12)
    difference = torch.stack([(a - b).abs().max() for a, b in pairs]).max()
    return (difference / peak).item()


def _seconds(run: Callable[[Tensor], Output], inputs: Tensor) -> float:
    """Times the shortest of a few runs; the caller has run it before."""
    taken = []
    for _ in range(_REPEATS):
        _synchronize(inputs.device)
        start = time.perf_counter()
        run(inputs)
        _synchronize(inputs.device)
        taken.append(time.perf_counter() - start)
    return min(taken)


def _synchronize(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)

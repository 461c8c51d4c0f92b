"""FPDDistiller is the student, with a teacher that stays outside of it."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModule
from mmengine.optim import OptimWrapper
from mmengine.registry import HOOKS, OPTIM_WRAPPERS
from mmengine.runner import Runner
from mmengine.structures import InstanceData, PixelData
from mmpose.apis import MMPoseInferencer, init_model
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

from fpd_mmpose.models import FPDDistiller
from fpd_mmpose.weights import read_state_dict
from tests.helpers import ROOT
from tests.helpers.reduced import CODEC, reduced_config, reduced_distiller, run
from tests.helpers.rounding import NETWORK, assert_same, rounding

DATA = ROOT / 'tests' / 'data'
WHOLE_IMAGE = dict(det_model='whole_image', device='cpu')


@MODELS.register_module(force=True)
class ReplayBackbone(BaseModule):
    """Returns stored heatmaps, so that losses can be compared with stored losses."""

    def __init__(self, path: str, key: str):
        super().__init__()
        self.heatmaps = torch.nn.Parameter(torch.from_numpy(np.load(path)[key]))

    def forward(self, inputs):
        return tuple(self.heatmaps)


def samples_with_targets(targets, weights) -> list[PoseDataSample]:
    samples = []
    for target, weight in zip(targets, weights, strict=True):
        sample = PoseDataSample()
        sample.gt_fields = PixelData(heatmaps=torch.as_tensor(target))
        sample.gt_instance_labels = InstanceData(
            keypoint_weights=torch.as_tensor(weight).reshape(1, -1)
        )
        samples.append(sample)
    return samples


def estimator(backbone: dict, stages: int, input_size=(64, 64), **kwargs) -> dict:
    heatmap_size = tuple(side // 4 for side in input_size)
    return (
        dict(
            type='TopdownPoseEstimator',
            data_preprocessor=dict(type='PoseDataPreprocessor'),
            backbone=backbone,
            head=dict(
                type='CPMHead',
                in_channels=16,
                out_channels=16,
                num_stages=stages,
                deconv_out_channels=None,
                final_layer=None,
                loss=dict(
                    type='KeypointMSELoss', use_target_weight=True, loss_weight=0.5
                ),
                decoder=dict(CODEC, input_size=input_size, heatmap_size=heatmap_size),
            ),
        )
        | kwargs
    )


def distiller(student: dict, teacher: dict, checkpoint: Path, alpha=0.5):
    return MODELS.build(
        dict(
            student,
            type='FPDDistiller',
            teacher=dict(config=teacher, checkpoint=str(checkpoint)),
            distill_loss=dict(type='HeatmapDistillLoss', alpha=alpha),
        )
    )


class TestNumbersOfTheReference:
    @pytest.mark.parametrize('alpha', [0.5, 0.25, 1.0, 0.0])
    def test_losses_and_their_gradient_at_every_stack(self, alpha, tmp_path):
        stored = np.load(DATA / 'fpd_loss.npz')
        size = (48, 64)
        replay = dict(type='ReplayBackbone', path=str(DATA / 'fpd_loss.npz'))
        teacher = estimator(dict(replay, key='teacher'), 1, size)
        student = estimator(dict(replay, key='student'), 4, size)
        torch.save(MODELS.build(teacher).state_dict(), tmp_path / 'teacher.pth')
        model = distiller(student, teacher, tmp_path / 'teacher.pth', alpha)

        samples = samples_with_targets(stored['target'], stored['target_weight'])
        losses = model.loss(torch.zeros(3, 3, 64, 48), samples)
        total, _ = model.parse_losses(losses)
        total.backward()

        pose, kd, expected = stored[f'alpha{alpha}']
        close = rounding(terms=stored['target'].size)
        assert losses['pose'].item() == pytest.approx(pose, rel=close)
        assert losses['kd'].item() == pytest.approx(kd, rel=close)
        assert total.item() == pytest.approx(expected, rel=close)
        gradient = model.backbone.heatmaps.grad.numpy()
        if f'grad{alpha}' in stored:
            assert_same(gradient, stored[f'grad{alpha}'], share=rounding(terms=10))
        blended = alpha * stored['teacher'][-1] + (1 - alpha) * stored['target']
        weight = stored['target_weight'][..., None]
        by_hand = weight * (stored['student'] - blended) / stored['target'].size
        assert_same(gradient, by_hand, share=rounding(terms=10))

    @pytest.fixture(scope='class')
    def two_steps(self, shared):
        """Runs the reference's two training steps in a given precision."""
        reference = shared / 'reference'
        steps = np.load(reference / 'fpd_steps.npz')

        def hourglass(file: str) -> tuple[dict, int]:
            weights = read_state_dict(str(reference / file))
            stacks = sum(name.endswith('.score.weight') for name in weights)
            features = weights['backbone.stem.0.weight'].shape[0] * 4
            return dict(
                type='StackedHourglass', num_stacks=stacks, num_features=features
            ), stacks

        def run_steps(dtype: torch.dtype) -> tuple[np.ndarray, dict]:
            model = distiller(
                estimator(*hourglass('step_student_init.pth')),
                estimator(*hourglass('step_teacher.pth')),
                reference / 'step_teacher.pth',
            )
            start = read_state_dict(str(reference / 'step_student_init.pth'))
            model.load_state_dict(start, strict=True)
            model.teacher.prepare(model)
            model.teacher.model.to(dtype)
            model.to(dtype).train()
            optimizer = torch.optim.Adam(model.parameters(), lr=2.5e-4)
            seen = []
            for inputs, targets, weights in zip(
                *(steps[k] for k in ('inputs', 'targets', 'target_weights')),
                strict=True,
            ):
                losses = model.loss(
                    torch.from_numpy(inputs).to(dtype),
                    samples_with_targets(
                        torch.from_numpy(targets).to(dtype),
                        torch.from_numpy(weights).to(dtype),
                    ),
                )
                total, _ = model.parse_losses(losses)
                optimizer.zero_grad()
                total.backward()
                optimizer.step()
                seen.append([losses['pose'].item(), losses['kd'].item(), total.item()])
            moved = {
                name: value.detach().double() - start[name].double()
                for name, value in model.named_parameters()
            }
            return np.array(seen), moved

        return steps['losses'], run_steps

    def test_the_first_training_step(self, two_steps):
        expected, run_steps = two_steps
        np.testing.assert_allclose(
            run_steps(torch.float32)[0][0], expected[0], rtol=NETWORK
        )

    @pytest.mark.parametrize('dtype', [torch.float32, torch.float64], ids=str)
    def test_the_second_step_as_far_as_rounding_lets_it(self, two_steps, shared, dtype):
        """Adam's first step is the learning rate times the sign of the gradient.

        Where a gradient is all rounding, so is its sign, and the weight moves either
        way. Whatever the precision, most of the move must be the reference's.
        """
        expected, run_steps = two_steps
        losses, moved = run_steps(dtype)
        np.testing.assert_allclose(losses[1], expected[1], rtol=1e-2)

        reference = shared / 'reference'
        start = read_state_dict(str(reference / 'step_student_init.pth'))
        after = read_state_dict(str(reference / 'step_student_after2.pth'))
        theirs = {name: after[name].double() - start[name].double() for name in moved}

        def distance(one: dict, other: dict) -> float:
            difference = sum(((one[n] - other[n]) ** 2).sum() for n in one)
            return float(difference / sum((v**2).sum() for v in other.values())) ** 0.5

        # 1 from no move at all, and from another one of the same size more.
        assert distance(moved, theirs) < 0.7
        close = np.mean(
            [((moved[n] - theirs[n]).abs() < 1e-4).double().mean() for n in moved]
        )
        assert close > 0.5


@pytest.fixture(scope='class')
def trained(mpii_root, tmp_path_factory):
    """A student distilled for an epoch by the Runner, and the teacher as it was."""
    folder = tmp_path_factory.mktemp('distilled')
    config = reduced_distiller(mpii_root, folder)
    runner = Runner.from_cfg(config)
    seen = {}
    teacher = runner.model.teacher
    finish = type(teacher).finish

    def spy(self, started):
        output = finish(self, started)
        seen.setdefault('training', []).append(self.model.training)
        seen.setdefault('needs_grad', []).append(output.values.requires_grad)
        return output

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(teacher), 'finish', spy)
        runner.train()
    return config, runner, seen


class TestTeacherStaysOutside:
    def test_its_weights_and_statistics_are_bit_identical_after_training(self, trained):
        config, runner, _ = trained
        before = torch.load(config.model.teacher.checkpoint, weights_only=True)
        after = runner.model.teacher.model.state_dict()
        assert after.keys() == before.keys()
        assert all(torch.equal(after[name].cpu(), before[name]) for name in before)

    def test_it_ran_in_eval_mode_and_still_is(self, trained):
        _, runner, seen = trained
        assert seen['training'] and not any(seen['training'])
        runner.model.train()
        assert not any(m.training for m in runner.model.teacher.model.modules())

    def test_none_of_its_tensors_ever_required_grad(self, trained):
        _, runner, seen = trained
        assert not any(seen['needs_grad'])
        parameters = list(runner.model.teacher.model.parameters())
        assert not any(p.requires_grad or p.grad is not None for p in parameters)

    def test_the_student_has_learned(self, trained):
        config, runner, _ = trained
        config = copy.deepcopy(config)
        torch.manual_seed(0)
        fresh = MODELS.build(config.model)
        assert not torch.equal(
            fresh.backbone.stem[0].weight, runner.model.backbone.stem[0].weight.cpu()
        )

    def test_parameters_optimizer_and_modules_are_the_students(self, trained):
        config, runner, _ = trained
        plain = copy.deepcopy(config.model)
        plain.update(type='TopdownPoseEstimator')
        plain.pop('teacher'), plain.pop('distill_loss')
        student = MODELS.build(plain)
        names = [name for name, _ in student.named_parameters()]
        assert [name for name, _ in runner.model.named_parameters()] == names
        groups = runner.optim_wrapper.param_groups
        assert sum(len(group['params']) for group in groups) == len(names)
        assert not any('teacher' in name for name, _ in runner.model.named_modules())


class TestCheckpointIsTheStudents:
    @pytest.fixture()
    def checkpoint(self, trained) -> str:
        return str(Path(trained[0].work_dir) / 'epoch_1.pth')

    @pytest.fixture()
    def plain(self, mpii_root, tmp_path):
        return reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path)

    def test_it_has_the_plain_students_keys_and_nothing_else(self, checkpoint, plain):
        saved = torch.load(checkpoint)['state_dict']
        assert list(saved) == list(MODELS.build(plain.model).state_dict())

    def test_it_loads_strictly_in_the_students_config(self, checkpoint, plain):
        saved = torch.load(checkpoint)['state_dict']
        MODELS.build(plain.model).load_state_dict(saved, strict=True)

    def test_it_serves_the_distillation_config_without_the_teachers_file(
        self, checkpoint, trained
    ):
        config = copy.deepcopy(trained[0])
        config.model.teacher.checkpoint = 'nowhere.pth'
        saved = torch.load(checkpoint)['state_dict']
        MODELS.build(config.model).load_state_dict(saved, strict=True)
        model = init_model(config, checkpoint, device='cpu')
        assert model.teacher.model is None

    def test_both_configs_predict_the_same_in_the_inferencer(
        self, checkpoint, trained, plain, mpii_root, tmp_path
    ):
        image = str(next((mpii_root / 'images').glob('*.jpg')))
        distilled = copy.deepcopy(trained[0])
        distilled.model.teacher.checkpoint = 'nowhere.pth'
        keypoints = []
        for name, config in (('plain', plain), ('distilled', distilled)):
            config.dump(tmp_path / f'{name}.py')
            inferencer = MMPoseInferencer(
                str(tmp_path / f'{name}.py'), checkpoint, **WHOLE_IMAGE
            )
            (result,) = inferencer(image)
            keypoints.append(result['predictions'][0][0]['keypoints'])
        assert np.shape(keypoints[0]) == (16, 2)
        assert keypoints[0] == keypoints[1]


@HOOKS.register_module(force=True)
class FixedStatisticsHook(Hook):
    """Keeps BN in eval mode, so that results do not depend on the batch size."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        for module in runner.model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.eval()


@OPTIM_WRAPPERS.register_module(force=True)
class CpuAmpOptimWrapper(OptimWrapper):
    """Autocast on the CPU: mmengine's AmpOptimWrapper is for accelerators only."""

    def optim_context(self, model):
        return torch.autocast('cpu', dtype=torch.float16)


class TestTrainsWith:
    def test_ema_of_the_student_alone(self, mpii_root, tmp_path, monkeypatch):
        config = reduced_distiller(mpii_root, tmp_path)
        config.custom_hooks = [dict(type='EMAHook', momentum=0.1)]
        validated = []
        predict = FPDDistiller.predict

        def spy(self, *args, **kwargs):
            validated.append(self.backbone.stem[0].weight.clone())
            return predict(self, *args, **kwargs)

        monkeypatch.setattr(FPDDistiller, 'predict', spy)
        runner = run(config)
        saved = torch.load(tmp_path / 'run' / 'epoch_1.pth', map_location='cpu')
        (hook,) = [h for h in runner.hooks if type(h).__name__ == 'EMAHook']
        averaged = hook.ema_model.module
        assert averaged.teacher is runner.model.teacher
        name = 'backbone.stem.0.weight'
        last = runner.model.state_dict()[name].cpu()
        assert not torch.equal(saved['state_dict'][name], last)
        assert torch.equal(saved['ema_state_dict'][f'module.{name}'], last)
        mean = averaged.state_dict()[name].cpu()
        assert validated and all(torch.equal(one.cpu(), mean) for one in validated)

        plain = reduced_config('hourglass/hg4_128_mpii.py', mpii_root, tmp_path)
        student = MODELS.build(plain.model)
        student.load_state_dict(saved['state_dict'], strict=True)
        assert torch.equal(student.state_dict()[name], mean)
        names = {f'module.{each}' for each in student.state_dict()}
        assert saved['ema_state_dict'].keys() - names == {'steps'}
        before = torch.load(config.model.teacher.checkpoint)
        after = runner.model.teacher.model.state_dict()
        assert all(torch.equal(after[each].cpu(), before[each]) for each in before)

    def test_mixed_precision(self, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        config.optim_wrapper.type = 'CpuAmpOptimWrapper'
        runner = run(config)
        history = runner.message_hub.log_scalars
        assert np.isfinite(history['train/loss'].data[0]).all()

    def test_gradient_accumulation_as_with_the_larger_batch(self, mpii_root, tmp_path):
        weights = []
        for batch, counts in ((4, 1), (2, 2)):
            folder = tmp_path / str(batch)
            folder.mkdir()
            config = reduced_distiller(mpii_root, folder)
            config.train_dataloader.update(batch_size=batch)
            config.train_dataloader.sampler.shuffle = False
            config.custom_hooks = [dict(type='FixedStatisticsHook')]
            config.optim_wrapper.update(accumulative_counts=counts)
            config.optim_wrapper.optimizer = dict(type='SGD', lr=0.1)
            weights.append(run(config).model.state_dict())
        for name in weights[0]:
            torch.testing.assert_close(*(w[name] for w in weights), msg=name)

    def test_resume_which_ends_as_an_unbroken_run(self, mpii_root, tmp_path):
        whole, halves = tmp_path / 'whole', tmp_path / 'halves'
        whole.mkdir(), halves.mkdir()

        def train(folder: Path, epochs: int, resume: bool = False) -> Runner:
            config = reduced_distiller(mpii_root, folder, epochs=epochs)
            config.resume = resume
            # mmengine does not restore the state of NumPy's generator.
            pipeline = config.train_dataloader.dataset.pipeline
            pipeline[:] = [t for t in pipeline if 'Random' not in t['type']]
            return run(config)

        expected = train(whole, epochs=2).model.state_dict()
        train(halves, epochs=1)
        runner = train(halves, epochs=2, resume=True)
        assert runner.epoch == 2
        for name, value in runner.model.state_dict().items():
            assert torch.equal(value, expected[name]), name


class TestTermsAreBalanced:
    def test_the_distillation_term_takes_the_weight_of_the_heads_loss(
        self, mpii_root, tmp_path
    ):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.head.loss.loss_weight = 3.0
        assert MODELS.build(config.model).distill_loss.loss_weight == 3.0

    def test_unless_its_config_names_one(self, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.distill_loss.loss_weight = 0.25
        assert MODELS.build(config.model).distill_loss.loss_weight == 0.25


class TestWithoutGroundTruth:
    def build(self, mpii_root, tmp_path, alpha):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.distill_loss.alpha = alpha
        return MODELS.build(config.model)

    def test_alpha_1_needs_none(self, mpii_root, tmp_path):
        model = self.build(mpii_root, tmp_path, alpha=1)
        inputs = torch.randn(2, 3, 64, 64)
        losses = model.loss(inputs, [PoseDataSample(), PoseDataSample()])
        target = model.teacher.teach(inputs).values
        stages = model.backbone(inputs)
        by_hand = sum(0.5 * ((s - target) ** 2).mean() for s in stages)
        assert losses['loss_kd'].item() == pytest.approx(by_hand.item(), rel=NETWORK)
        assert 'pose' not in losses

    def test_alpha_below_1_needs_it(self, mpii_root, tmp_path):
        model = self.build(mpii_root, tmp_path, alpha=0.5)
        labeled = PoseDataSample(
            gt_instances=InstanceData(keypoints=torch.zeros(1, 16, 2))
        )
        with pytest.raises(ValueError, match='has keypoints, but not the targets'):
            model.loss(torch.randn(2, 3, 64, 64), [labeled] * 2)


class TestErrorsBeforeTraining:
    @pytest.mark.parametrize('alpha', [-0.1, 1.5, float('nan'), 'half'])
    def test_alpha_out_of_range(self, alpha, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.distill_loss.alpha = alpha
        with pytest.raises(ValueError, match='alpha must be'):
            Runner.from_cfg(config)

    @pytest.mark.parametrize('key', ['config', 'checkpoint'])
    def test_teacher_without_config_or_checkpoint(self, key, mpii_root, tmp_path):
        config = reduced_distiller(mpii_root, tmp_path)
        del config.model.teacher[key]
        with pytest.raises(ValueError, match=f'model.teacher needs {key}'):
            Runner.from_cfg(config)

    def test_unusable_teacher_stops_the_runner_before_the_first_batch(
        self, mpii_root, tmp_path
    ):
        config = reduced_distiller(mpii_root, tmp_path)
        config.model.teacher.checkpoint = 'nowhere.pth'
        runner = Runner.from_cfg(config)
        with pytest.raises(ValueError, match='"nowhere.pth" does not exist') as error:
            runner.train()
        assert '\n' not in str(error.value)
        assert runner.iter == 0

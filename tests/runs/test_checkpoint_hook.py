"""Checkpoints are written atomically, belong to their run, and are finite."""

import hashlib
import math
import shutil
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import CheckpointHook as StockCheckpointHook
from mmengine.registry import HOOKS, DefaultScope

from fpd_mmpose.runs import CheckpointHook
from tests.helpers.reduced import reduced_config
from tests.helpers.tiny import edit, files, tiny_runner, trained


def hash_of(folder: Path) -> dict[str, str]:
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.iterdir()
        if path.is_file()
    }


class TestItReplacesMMEnginesHook:
    @pytest.mark.parametrize('scope', ['mmpose', 'mmengine'])
    @pytest.mark.parametrize('name', ['CheckpointHook', 'mmengine.CheckpointHook'])
    def test_under_its_name(self, name, scope):
        with DefaultScope.overwrite_default_scope(scope):
            assert type(HOOKS.build(dict(type=name, interval=1))) is CheckpointHook

    def test_in_the_configs(self, mpii_root, tmp_path):
        config: Config = reduced_config(
            'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 1, 8
        )
        hook = HOOKS.build(config.default_hooks.checkpoint)
        assert type(hook) is CheckpointHook and isinstance(hook, StockCheckpointHook)


class TestAnUndisturbedRun:
    def test_it_keeps_what_mmengines_hook_keeps(self, tmp_path):
        trained(tmp_path, epochs=4, scores=dict(up=[1.0, 3.0, 2.0, 2.5]))
        assert files(tmp_path) == {
            'epoch_3.pth',
            'epoch_4.pth',
            'best_test_up_epoch_2.pth',
        }
        last = tmp_path / 'epoch_4.pth'
        assert (tmp_path / 'last_checkpoint').read_text() == str(last)
        info = torch.load(last)['message_hub']['runtime_info']
        assert info['best_score'] == 3.0 and info['keep_ckpt_ids'] == [3, 4]

    def test_several_metrics(self, tmp_path):
        scores = dict(up=[1.0, 2.0, 3.0], down=[3.0, 2.0, 4.0])
        both = dict(save_best=['test/up', 'test/down'], rule=['greater', 'less'])
        trained(tmp_path, epochs=3, scores=scores, checkpoint=both)
        best = {name for name in files(tmp_path) if name.startswith('best')}
        assert best == {'best_test_up_epoch_3.pth', 'best_test_down_epoch_2.pth'}

    def test_one_name_for_all_checkpoints(self, tmp_path):
        trained(
            tmp_path,
            epochs=3,
            checkpoint=dict(filename_tmpl='last.pth', max_keep_ckpts=1, save_best=None),
        )
        assert files(tmp_path) == {'last.pth'}

    def test_iterations(self, tmp_path):
        trained(
            tmp_path,
            epochs=1,
            checkpoint=dict(by_epoch=False, interval=1, save_best=None),
        )
        assert files(tmp_path) == {'iter_3.pth', 'iter_4.pth'}

    def test_published_files(self, tmp_path):
        trained(tmp_path, checkpoint=dict(published_keys=['meta', 'state_dict']))
        assert len(files(tmp_path)) == 4


class TestACopiedRun:
    def test_the_original_stays_as_it_is(self, tmp_path):
        original, copy = tmp_path / 'original', tmp_path / 'copy'
        trained(original, epochs=2)
        shutil.copytree(original, copy)
        before = hash_of(original)
        runner = trained(copy, epochs=3, resume=True)
        assert runner.epoch == 3
        assert hash_of(original) == before
        assert files(copy) == {'epoch_2.pth', 'epoch_3.pth', 'best_test_up_epoch_3.pth'}
        assert (copy / 'last_checkpoint').read_text() == str(copy / 'epoch_3.pth')


class TestRecordsOfOtherFiles:
    @pytest.fixture
    def victim(self, tmp_path) -> Path:
        path = tmp_path / 'other' / 'best_test_up_epoch_9.pth'
        path.parent.mkdir()
        path.write_text('precious')
        return path

    @pytest.fixture
    def run(self, tmp_path) -> Path:
        folder = tmp_path / 'run'
        trained(folder, epochs=1)
        return folder

    def test_a_best_checkpoint_elsewhere_is_not_removed(self, run, victim):
        edit(run / 'epoch_1.pth', best_ckpt=str(victim))
        trained(run, epochs=2, resume=True)
        assert victim.read_text() == 'precious'

    @pytest.mark.parametrize('name', ['notes.txt', 'student.pth', '../other.pth'])
    def test_nor_another_file_of_this_folder(self, run, name):
        path = run / name
        path.write_text('precious')
        edit(run / 'epoch_1.pth', best_ckpt=str(path))
        trained(run, epochs=2, resume=True)
        assert path.read_text() == 'precious'

    def test_nor_that_of_another_metric(self, run, victim):
        both = dict(save_best=['test/up', 'test/same'], rule='greater')
        scores = dict(up=[1.0, 2.0], same=[1.0, 2.0])
        key = 'best_ckpt_test/up'
        edit(run / 'epoch_1.pth', **{key: str(victim)})
        trained(run, epochs=2, resume=True, scores=scores, checkpoint=both)
        assert victim.exists()

    @pytest.mark.parametrize(
        'wrong', [3, None, ['a'], {'a': 1}, 'a\0b', '', '..', torch.ones(2), b'best']
    )
    def test_wrong_types_are_ignored(self, run, wrong):
        names = ('best_ckpt', 'best_score', 'keep_ckpt_ids', 'last_ckpt')
        edit(run / 'epoch_1.pth', **dict.fromkeys(names, wrong))
        runner = trained(run, epochs=2, resume=True)
        assert runner.message_hub.get_info('best_score') >= 2
        assert {'epoch_1.pth', 'epoch_2.pth'} <= files(run)

    def test_a_best_score_of_nan_does_not_stay(self, run):
        edit(run / 'epoch_1.pth', best_score=math.nan)
        runner = trained(run, epochs=2, resume=True)
        assert runner.message_hub.get_info('best_score') == 2.0

    @pytest.mark.parametrize(
        'ids', [['../x'], [True], [10**30, 5], [-1], [1.0], [1, 1, 1]]
    )
    def test_ids_are_numbers_of_earlier_checkpoints(self, run, ids):
        kept = {'epoch_5.pth', 'epoch_-1.pth'}
        for name in kept:
            (run / name).write_text('precious')
        edit(run / 'epoch_1.pth', keep_ckpt_ids=ids)
        trained(run, epochs=2, resume=True)
        assert kept | {'epoch_1.pth', 'epoch_2.pth'} <= files(run)

    def test_ids_beyond_the_limit_are_removed_after_a_new_checkpoint(self, tmp_path):
        trained(tmp_path, epochs=3, checkpoint=dict(max_keep_ckpts=3))
        runner = tiny_runner(
            tmp_path, epochs=4, resume=True, checkpoint=dict(max_keep_ckpts=1)
        )
        hook = next(h for h in runner.hooks if isinstance(h, CheckpointHook))
        there = []
        hook.before_train_epoch = lambda runner: there.append(files(tmp_path))
        runner.train()
        assert {'epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth'} <= there[0]
        assert files(tmp_path) == {'epoch_4.pth', 'best_test_up_epoch_4.pth'}

    def test_ids_within_the_limit_stay(self, tmp_path):
        keep_three = dict(max_keep_ckpts=3, save_best=None)
        trained(tmp_path, epochs=2, checkpoint=keep_three)
        trained(tmp_path, epochs=3, resume=True, checkpoint=keep_three)
        assert files(tmp_path) == {'epoch_1.pth', 'epoch_2.pth', 'epoch_3.pth'}

    @pytest.mark.parametrize(
        'names', [3, [3], ['epoch_5.pth', '../x', 'notes.txt', 'last']]
    )
    def test_only_older_checkpoints_are_outdated(self, run, names):
        for name in ('epoch_5.pth', 'notes.txt', 'last'):
            (run / name).write_text('precious')
        edit(run / 'epoch_1.pth', outdated_ckpts=names)
        trained(run, epochs=2, resume=True)
        there = {path.name for path in run.iterdir()}
        assert {'epoch_5.pth', 'notes.txt', 'last', 'epoch_1.pth'} <= there

    def test_a_separate_folder_of_checkpoints(self, tmp_path):
        run, out = tmp_path / 'run', dict(out_dir=str(tmp_path / 'out'))
        trained(run, epochs=1, checkpoint=out)
        runner = trained(run, epochs=2, resume=True, checkpoint=out)
        assert runner.epoch == 2 and not files(run)
        assert files(tmp_path / 'out' / 'run') == {
            'epoch_1.pth', 'epoch_2.pth', 'best_test_up_epoch_2.pth',
        }  # fmt: skip


class TestNumbersThatAreNotFinite:
    def test_a_loss_stops_the_run_before_anything_is_saved(self, tmp_path):
        trained(tmp_path, epochs=1)
        before = hash_of(tmp_path)
        with pytest.raises(ValueError) as info:
            trained(tmp_path, epochs=3, resume=True, bad_steps=(2,))
        (line,) = str(info.value).splitlines()
        assert 'loss is NaN or infinite in step 6' in line
        assert str(tmp_path / 'epoch_1.pth') in line
        assert before.items() <= hash_of(tmp_path).items()

    def test_a_run_that_counts_iterations(self, tmp_path):
        by_step = dict(by_epoch=False, interval=1, save_best=None)
        with pytest.raises(ValueError, match='step 3'):
            trained(tmp_path, bad_steps=(3,), checkpoint=by_step)
        assert files(tmp_path) == {'iter_1.pth', 'iter_2.pth'}

    def test_without_mmengines_log(self, tmp_path):
        runner = tiny_runner(tmp_path, bad_steps=(3,))
        runner._hooks = [
            hook for hook in runner.hooks if type(hook).__name__ != 'RuntimeInfoHook'
        ]
        with pytest.raises(ValueError, match='step 3'):
            runner.train()

    def test_weights_spoiled_by_the_last_step_are_not_saved(self, tmp_path):
        runner = tiny_runner(tmp_path)
        hook = next(h for h in runner.hooks if isinstance(h, CheckpointHook))

        def spoil(runner):
            runner.model.layers[1].running_var.fill_(torch.inf)

        hook.before_train_epoch = spoil
        with pytest.raises(ValueError, match='layers.1.running_var'):
            runner.train()
        assert not files(tmp_path)

    def test_load_from_with_nan_is_an_error(self, tmp_path):
        model = tiny_runner(tmp_path).model
        weights = model.state_dict()
        weights['layers.0.bias'][1] = torch.nan
        torch.save(weights, tmp_path / 'nan.bin')
        with pytest.raises(ValueError, match='layers.0.bias.*nan.bin'):
            trained(tmp_path, load_from=str(tmp_path / 'nan.bin'))

    def test_nor_can_it_hold_infinite_statistics(self, tmp_path):
        state = tiny_runner(tmp_path / 'other').model.state_dict()
        state['layers.1.running_var'][2] = torch.inf
        torch.save(state, tmp_path / 'student.pth')
        with pytest.raises(ValueError, match='first layers.1.running_var'):
            trained(tmp_path / 'run', load_from=str(tmp_path / 'student.pth'))

    def test_a_constant_may_be_infinite(self, tmp_path):
        runner = tiny_runner(tmp_path)
        runner.model.register_buffer('mask', torch.tensor([0, -torch.inf]))
        runner.train()
        assert 'epoch_1.pth' in files(tmp_path)

    @pytest.mark.parametrize('score', [math.nan, math.inf, -math.inf])
    def test_such_a_score_is_never_the_best(self, tmp_path, score):
        runner = trained(tmp_path, epochs=2, scores=dict(up=[score, 1.0]))
        assert runner.message_hub.get_info('best_score') == 1.0
        assert 'best_test_up_epoch_2.pth' in files(tmp_path)
        assert 'best_test_up_epoch_1.pth' not in files(tmp_path)


class TestSkippingSteps:
    SKIP = dict(non_finite_loss='skip')

    @pytest.mark.parametrize('counts', [1, 2])
    def test_the_weights_stay_finite_and_the_rest_is_learned(self, tmp_path, counts):
        runner = trained(
            tmp_path,
            bad_steps=(2,),
            checkpoint=self.SKIP,
            accumulative_counts=counts,
        )
        state = torch.load(tmp_path / 'epoch_1.pth')
        assert all(v.isfinite().all() for v in state['state_dict'].values())
        steps = {int(s['step']) for s in state['optimizer']['state'].values()}
        assert steps == {3 if counts == 1 else 1}
        assert runner.iter == 4

    def test_too_many_stop_the_run(self, tmp_path):
        skip = dict(self.SKIP, max_skipped_steps=1)
        with pytest.raises(ValueError, match='step 3, after 1 skipped'):
            trained(tmp_path, bad_steps=(1, 3), checkpoint=skip)
        assert not files(tmp_path)

    def test_other_actions_are_errors(self):
        with pytest.raises(ValueError, match="'stop' or 'skip', got 'ignore'"):
            CheckpointHook(non_finite_loss='ignore')

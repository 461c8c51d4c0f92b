"""The run on a GPU machine, rehearsed on the CPU, and what it carries and returns."""

import importlib.util
import json
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
import torch

from fpd_mmpose.datasets import FPDMpiiDataset
from tests.helpers import ROOT


def script(name: str) -> ModuleType:
    """A file of dev/gpu, as a module."""
    sys.path.insert(0, str(ROOT / 'dev/gpu'))
    spec = importlib.util.spec_from_file_location(name, ROOT / f'dev/gpu/{name}.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


class TestRun:
    @pytest.mark.slow
    def test_all_but_the_tests_are_rehearsed(self, tmp_path):
        out, work = tmp_path / 'out', tmp_path / 'work'
        code = script('run').main(
            ['--cpu', '--parts', '2,3,4', '--seconds', '900', '--out', str(out)]
            + ['--work', str(work)]
        )
        summary = json.loads((work / 'reports/summary.json').read_text())
        assert summary['passed'] and code == 0, summary
        weights = {'fpd.pth', 'plain.pth', 'teacher.pth'}
        assert {path.name for path in out.iterdir()} == weights | {'results.tar.gz'}
        with tarfile.open(out / 'results.tar.gz') as packed:
            names = set(packed.getnames())
        assert {
            'summary.json', 'benchmark/grid.json', 'benchmark/conclusions.json',
            'input/input.json', 'input/input.png', 'training/training.json',
            'training/training.png', 'training/log.txt',
        } <= names  # fmt: skip
        assert not any(name.endswith('.pth') for name in names)
        training = json.loads((work / 'reports/training/training.json').read_text())
        runs = training['runs']
        assert list(runs) == ['teacher', 'plain', 'fpd']
        assert runs['fpd']['steps'] == runs['plain']['steps']
        for run in runs.values():
            assert max(map(int, run['scores'])) == run['steps']

    def test_only_the_teacher_has_all_labels(self, mpii_root, tmp_path):
        recipes = script('recipes')
        root = Path(shutil.copytree(mpii_root, tmp_path / 'people'))
        recipe = recipes.Recipe(root, 'cuda', tmp_path, lr=1e-3, labels=4)
        loaders = {}
        for name in ('teacher', 'plain', 'fpd'):
            config = recipe.config(name, 20, 2, tmp_path / name)
            assert config.train_cfg.max_iters == 20 and config.load_from is None
            loaders[name] = config.train_dataloader
        people = {name: loader.dataset for name, loader in loaders.items()}
        assert people['teacher'].ann_file == 'annotations/mpii_train.json'
        labeled, unlabeled = people['fpd'].datasets
        assert labeled.ann_file == people['plain'].ann_file
        assert len(json.loads((root / labeled.ann_file).read_text())) == 4
        others = json.loads((root / unlabeled.ann_file).read_text())
        assert len(others['annotations']) == 12 - 4
        assert loaders['fpd'].batch_sampler.source_ratio == (1, 3)
        for part in (people['teacher'], people['plain'], labeled):
            encoders = [step.encoder for step in part.pipeline if 'encoder' in step]
            assert [one.sigma for one in encoders] == [recipes.SIGMA]

    def part(self, *codes: str, seconds: int = 60):
        run = script('run')
        commands = [([sys.executable, '-c', code], {}) for code in codes]
        return run, run.Part('part', seconds, commands)

    def test_a_part_that_fails_is_reported_with_its_log(self, tmp_path):
        run, part = self.part('print("before"); raise SystemExit(3)', 'print("after")')
        outcome = run._run(part, tmp_path, time.monotonic() + 60)
        assert outcome.state == 'failed with exit status 3'
        assert (tmp_path / 'log.txt').read_text() == 'before\n'
        assert (tmp_path / 'log1.txt').read_text() == 'after\n'

    def test_a_late_part_is_ended_with_all_its_processes(self, tmp_path):
        beat = tmp_path / 'beat'
        child = (
            f'import time\nwhile 1: open({str(beat)!r}, "a").write("."); time.sleep(.1)'
        )
        parent = (
            'import subprocess, sys, time\n'
            f'subprocess.Popen([sys.executable, "-c", {child!r}]); time.sleep(99)'
        )
        run, part = self.part(parent, seconds=4)
        outcome = run._run(part, tmp_path, time.monotonic() + 60)
        assert outcome.state == 'late' and outcome.seconds < 30
        before = beat.stat().st_size if beat.exists() else 0
        time.sleep(0.5)
        assert (beat.stat().st_size if beat.exists() else 0) == before

    def test_no_part_outlasts_the_whole_run(self, tmp_path):
        run, part = self.part('import time; time.sleep(99)')
        start = time.monotonic()
        assert run._run(part, tmp_path, start + 1).state == 'late'
        assert time.monotonic() - start < 30


class TestWeights:
    @pytest.fixture
    def trained(self, tmp_path) -> Path:
        folder = tmp_path / 'trained'
        folder.mkdir()
        for name, layers in (('fpd', 1), ('plain', 1), ('teacher', 6)):
            state = {}
            for layer in range(layers):
                state[f'{layer}.weight'] = torch.randn(64, 64, 3, 3)
                state[f'{layer}.bn.running_var'] = torch.full((64,), 1e-9)
                state[f'{layer}.bn.num_batches_tracked'] = torch.tensor(layer)
            torch.save(dict(state_dict=state), folder / f'{name}.pth')
        (tmp_path / 'out').mkdir()
        return folder

    def test_large_networks_come_in_pieces_that_make_them_whole(
        self, trained, tmp_path
    ):
        results, out = script('results'), tmp_path / 'out'
        results.save_weights(trained, out, 8, 2**20, 200_000)
        pieces = sorted(out.glob('teacher_*of3.pth'))
        assert len(pieces) == 3
        assert all(path.stat().st_size <= 200_000 for path in out.iterdir())
        results.join(pieces, tmp_path / 'whole.pth')
        whole = torch.load(tmp_path / 'whole.pth')['state_dict']
        stored = torch.load(trained / 'teacher.pth')['state_dict']
        assert list(whole) == list(stored)
        for name, value in stored.items():
            assert whole[name].dtype == value.dtype
            tolerance = 1e-3 if value.ndim > 1 else 0
            small = 1e-6 if value.ndim > 1 else 0  # where half precision is coarse
            torch.testing.assert_close(whole[name], value, rtol=tolerance, atol=small)

    @pytest.mark.parametrize('limits', [(6, 2**20), (8, 600_000)])
    def test_what_has_no_room_is_left_out_whole_and_named(
        self, limits, trained, tmp_path
    ):
        lines = script('results').save_weights(
            trained, tmp_path / 'out', *limits, 100_000
        )
        left_out = [line.split(':')[0] for line in lines if 'left out' in line]
        names = {path.name for path in (tmp_path / 'out').iterdir()}
        assert left_out == ['teacher']
        assert names == {'fpd.pth', 'plain.pth'}


class TestPack:
    def pack(self, mpii_root, folder, *options) -> Path:
        script('pack').main([str(folder), str(mpii_root), str(mpii_root), *options])
        with zipfile.ZipFile(folder / 'people.zip') as archive:
            archive.extractall(folder / 'unpacked')
        return folder / 'unpacked'

    def test_packed_people_are_a_data_set(self, mpii_root, tmp_path, capsys):
        root = self.pack(mpii_root, tmp_path, '--pixels', '60')
        assert 'JPEG quality 75, 24 of 24 people' in capsys.readouterr().out
        train = FPDMpiiDataset(str(root / 'annotations/mpii_train.json'))
        original = FPDMpiiDataset(str(mpii_root / 'annotations/mpii_train.json'))
        assert len(train) == 2 * len(original) == 24
        for number in (0, 5, 17):
            one, other = train[number], original[number % 12]
            image = cv2.imread(str(root / 'images' / Path(one['img_path']).name))
            stored = cv2.imread(
                str(mpii_root / 'images' / Path(other['img_path']).name)
            )
            factor = image.shape[0] / stored.shape[0]
            assert 0 < factor <= 1
            visible = other['keypoints_visible'][0] > 0
            np.testing.assert_allclose(
                one['keypoints'][0][visible] + 0.5,
                (other['keypoints'][0][visible] + 0.5) * factor,
                atol=1.5,
            )
        for name in ('mpii_val.json', 'mpii_gt_val.mat'):
            stored = (mpii_root / 'annotations' / name).read_bytes()
            assert (root / 'annotations' / name).read_bytes() == stored

    def test_too_many_people_are_left_out_evenly(self, mpii_root, tmp_path, capsys):
        pack = script('pack')
        tree = pack._size(pack.ROOT / name for name in pack._tracked())
        whole = sum(map(len, pack._validation(mpii_root).values()))
        limit = tree + whole + pack.MARGIN + 20_000
        root = self.pack(mpii_root, tmp_path, '--limit', str(limit))
        people = json.loads((root / 'annotations/mpii_train.json').read_text())
        assert 1 < len(people) < 24
        assert f'{len(people)} of 24 people' in capsys.readouterr().out
        numbers = [person['image'] for person in people]
        assert numbers[0].startswith('0') and numbers[-1].startswith('1')
        assert (tmp_path / 'people.zip').stat().st_size + tree <= limit

    def test_no_room_is_one_line(self, mpii_root, tmp_path):
        with pytest.raises(SystemExit, match='leave no room for training people'):
            self.pack(mpii_root, tmp_path, '--limit', '1000000')


class TestGrid:
    def cell(self, precision: str, batch: int = 32, **medians: float) -> dict:
        names = dict(
            plain='plain student, channels_last',
            reference='FPD, as the reference',
            live='FPD, speed=auto, channels_last',
            stored='FPD, stored teacher, channels_last',
            floor='floor',
        )
        ways = [
            dict(name=names[key], seconds=[value], memory_bytes=0)
            for key, value in medians.items()
        ]
        settings = dict(batch=batch, precision=precision, compile=None)
        return dict(config='configs/fpd/x.py', settings=settings, ways=ways)

    def test_targets_compare_with_the_reference_in_float32(self):
        slow = dict(plain=0.1, reference=0.8, live=0.3, stored=0.1, floor=0.3)
        fast = dict(plain=0.05, reference=0.6, live=0.1, stored=0.055, floor=0.09)
        lines = script('benchmark').conclusions(
            [self.cell('fp32', **slow), self.cell('bf16', **fast)]
        )
        assert [line.removeprefix('x, batch 32, bf16: ') for line in lines[2:]] == [
            '"FPD, speed=auto, channels_last" 100.0 ms, 1.11 x the floor (target 1.15)',
            "8.0 x as fast as the reference's way in fp32 (target 4)",
            'the stored teacher takes 1.10 x the plain step (target 1.10)',
        ]

    def test_a_cell_where_only_the_reference_does_not_fit_is_reported(self):
        cell = self.cell('bf16', 128, plain=0.1, live=0.2, stored=0.1, floor=0.2)
        assert len(script('benchmark').conclusions([cell])) == 2


@pytest.mark.parametrize('name', ['run.sh', 'wheels.sh'])
def test_scripts_parse(name):
    subprocess.run(['bash', '-n', ROOT / 'dev/gpu' / name], check=True)

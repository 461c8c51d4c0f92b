"""Stored heatmaps teach what the network that made them teaches."""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS

from fpd_mmpose.config import leaf_datasets
from fpd_mmpose.teachers.cache.maps import pack_maps
from fpd_mmpose.teachers.cache.store import HeatmapStore
from fpd_mmpose.teachers.cache.training_instances import teacher_warp
from tests.helpers.heads import simcc
from tests.helpers.reduced import reduced_config, reduced_teacher, run
from tests.helpers.refusals import refused
from tests.helpers.stored_maps import augment, small_config, store_maps


@pytest.fixture
def config(mpii_root, tmp_path) -> Config:
    return small_config(mpii_root, tmp_path)


@pytest.fixture
def cached(config, tmp_path) -> Config:
    """The same config with a file of the teacher's heatmaps."""
    config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
    store_maps(config, config.model.teacher.cache)
    return config


def losses(runner: Runner) -> np.ndarray:
    return runner.message_hub.get_scalar('train/loss').data[0]


def refusal(config: Config) -> str:
    return refused(Runner.from_cfg(config).train)


def batch_of(config: Config, student, numbers) -> tuple[torch.Tensor, list]:
    dataset = DATASETS.build(config.train_dataloader.dataset)
    batch = pseudo_collate([dataset[number] for number in numbers])
    data = student.data_preprocessor(batch, training=True)
    return data['inputs'], data['data_samples']


class TestTraining:
    def test_the_loss_equals_that_of_the_live_network(self, config, tmp_path):
        live = run(copy.deepcopy(config))
        path = str(tmp_path / 'cache.sqlite')
        store_maps(config, path)
        config.model.teacher = dict(cache=path)
        config.experiment_name = config.visualizer.name = 'stored_as_live'
        stored = run(config)
        np.testing.assert_allclose(losses(stored), losses(live), rtol=2e-3)

    def test_the_checkpoint_is_the_students_alone(self, cached, mpii_root, tmp_path):
        augment(cached, scale=0.25, rotation=30, flip=0.5)
        runner = run(cached)
        assert not hasattr(runner.model.teacher, 'model')
        saved = torch.load(Path(cached.work_dir) / 'epoch_1.pth')['state_dict']
        plain = reduced_config(
            'hourglass/hg4_128_mpii.py', mpii_root, tmp_path, 1, 8
        ).model
        assert set(saved) == set(MODELS.build(plain).state_dict())

    def test_the_teachers_files_are_not_needed(self, cached):
        Path(cached.model.teacher.checkpoint).unlink()
        run(cached)

    def test_labeled_and_unlabeled_people(self, mpii_root, tmp_path):
        config = reduced_config(
            'fpd/hg4_128_fpd_unlabeled_mpii.py', mpii_root, tmp_path / 'run', 1, 8
        )
        config.load_from, config.custom_hooks = None, []
        config.model.teacher = reduced_teacher(tmp_path)
        path = str(tmp_path / 'cache.sqlite')
        store_maps(config, path)
        config.model.teacher.cache = path
        runner = run(config)
        assert {'train/kd', 'train/kd_unlabeled'} <= set(runner.message_hub.log_scalars)

    def test_there_is_no_network_to_validate_first(self, cached):
        cached.custom_hooks = [dict(type='ValidateBeforeTrainingHook')]
        found = set(run(cached).message_hub.log_scalars)
        assert 'before_training/student/PCKh/Mean' in found
        assert 'before_training/teacher/PCKh/Mean' not in found


class TestHeatmaps:
    def test_they_are_where_the_joints_of_an_augmented_sample_are(
        self, cached, mpii_root
    ):
        path = cached.model.teacher.cache
        put_peaks_on_the_joints(path, mpii_root)
        augment(cached, scale=0.25, rotation=30, flip=0.5)
        student = MODELS.build(cached.model)
        student.teacher.prepare(student)
        checked = flipped = 0
        for _ in range(4):
            inputs, samples = batch_of(cached, student, range(12))
            found = student.teacher.teach(inputs, samples).values
            targets = torch.stack([one.gt_fields.heatmaps for one in samples])
            visible = torch.cat(
                [one.gt_instance_labels.keypoint_weights for one in samples]
            )
            flipped += sum(one.flip for one in samples)
            for maps, target in zip(
                found[visible > 0], targets[visible > 0], strict=True
            ):
                row, column = divmod(int(target.argmax()), 16)
                if not (2 < row < 13 and 2 < column < 13):
                    continue
                y, x = divmod(int(maps.argmax()), 16)
                # The target's peak is rounded to a pixel.
                assert abs(y - row) <= 1 and abs(x - column) <= 1
                checked += 1
        assert checked > 200 and 10 < flipped < 38

    def test_a_joint_map_picks_and_swaps_them(self, cached, mpii_root):
        given = [5, 4, None, 2, 1, 0, *range(6, 16)]
        augment(cached, scale=0, rotation=0, flip=1.0)
        plain = MODELS.build(cached.model)
        cached.model.teacher.joint_map = given
        mapped = MODELS.build(cached.model)
        maps = []
        for student in (plain, mapped):
            student.teacher.prepare(student)
            inputs, samples = batch_of(cached, student, range(3))
            maps.append(student.teacher.teach(inputs, samples).values)
        for joint, source in enumerate(given):
            if source is None:
                assert not maps[1][:, joint].any()
            else:
                assert torch.equal(maps[1][:, joint], maps[0][:, source])
        assert mapped.teacher.has_joint(torch.device('cpu')).tolist() == [
            float(source is not None) for source in given
        ]

    def test_simcc_vectors_are_stored_as_heatmaps(self, config, tmp_path):
        network = simcc((64, 64), joints=16)
        torch.save(MODELS.build(network).state_dict(), tmp_path / 'simcc.pth')
        teacher = dict(config=network, checkpoint=str(tmp_path / 'simcc.pth'))
        path = str(tmp_path / 'simcc.sqlite')
        config.model.teacher = teacher
        store_maps(config, path)
        taught = []
        for settings in (teacher, dict(cache=path)):
            config.model.teacher = settings
            student = MODELS.build(config.model)
            student.teacher.prepare(student)
            inputs, samples = batch_of(config, student, range(4))
            taught.append(student.teacher.teach(inputs, samples).values)
        live, stored = taught
        assert live.shape == stored.shape == (4, 16, 16, 16)
        # Of the lossy storage.
        assert (live - stored).abs().max() < 0.01 * live.max()

    def test_no_gradient_and_usable_in_training(self, cached):
        student = MODELS.build(cached.model)
        student.init_weights()
        inputs, samples = batch_of(cached, student, range(2))
        loss, _ = student.parse_losses(student.loss(inputs, samples))
        loss.backward()
        assert not student.teacher.teach(inputs, samples).values.requires_grad


def put_peaks_on_the_joints(path: str, mpii_root: Path) -> None:
    """Replaces the stored heatmaps by correct ones."""
    store = HeatmapStore(path, write=True)
    settings = store.settings
    dataset = DATASETS.build(
        dict(type='FPDMpiiDataset', data_root=str(mpii_root), pipeline=[])
        | dict(ann_file='annotations/mpii_train.json', data_prefix=dict(img='images/'))
    )
    boxes = {
        (key.image, round(json.loads(key.box)[0], 1)): number
        for key, number in store.keys().items()
    }
    y, x = np.mgrid[: settings['shape'][2], : settings['shape'][3]]
    for index in range(len(dataset)):
        info = dataset.get_data_info(index)
        place = info['img_path'], round(float(info['bbox'][0, 0]), 1)
        person = store.read([boxes[place]])[0]
        maps = []
        for zoom in settings['zooms']:
            warp = teacher_warp(
                person.center, person.scale, zoom, settings['input size']
            )
            joints = info['keypoints'][0] @ warp[:, :2].T + warp[:, 2]
            across, down = (joints / 4).T[:, :, None, None]
            maps.append(np.exp(-((x - across) ** 2 + (y - down) ** 2) / 4))
        packed = pack_maps(np.stack(maps).astype(np.float32))
        store._connection.execute(
            'UPDATE people SET step = ?, zero = ?, maps = ? WHERE id = ?',
            (*packed, boxes[place]),
        )


class TestStaleFilesStopTheRunBeforeTraining:
    def test_missing(self, config, tmp_path):
        config.model.teacher.cache = str(tmp_path / 'none.sqlite')
        assert 'none.sqlite" does not exist: run `fpd cache`' in refusal(config)

    def test_of_other_weights(self, cached):
        weights = torch.load(cached.model.teacher.checkpoint)
        torch.save(dict(weights, more=torch.ones(1)), cached.model.teacher.checkpoint)
        assert 'teacher weights differ; run `fpd cache` again' in refusal(cached)

    def test_of_another_network(self, cached):
        cached.model.teacher.config.model.test_cfg = dict(flip_test=False)
        assert 'teacher config differ' in refusal(cached)

    def test_of_another_box(self, cached):
        cached.train_dataloader.dataset.pipeline[1].padding = 1.5
        assert 'box' in refusal(cached)

    def test_of_another_annotation_file(self, cached, mpii_root, tmp_path):
        moved = tmp_path / 'moved'
        shutil.copytree(mpii_root, moved)
        cached.train_dataloader.dataset.data_root = str(moved)
        assert 'has changed options: data_root' in refusal(cached)
        cached.train_dataloader.dataset.data_root = str(mpii_root)
        path = moved / 'annotations/mpii_train.json'
        people = json.loads(path.read_text())
        people[0]['scale'] *= 1.1
        path.write_text(json.dumps(people))
        cached.train_dataloader.dataset.ann_file = str(path)
        cached.experiment_name = cached.visualizer.name = 'another_data_file'
        assert 'does not have the people of' in refusal(cached)

    def test_of_an_annotation_file_that_has_changed(self, config, mpii_root, tmp_path):
        root = tmp_path / 'own'
        shutil.copytree(mpii_root, root)
        config.train_dataloader.dataset.data_root = str(root)
        config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
        store_maps(config, config.model.teacher.cache)
        path = root / 'annotations/mpii_train.json'
        people = json.loads(path.read_text())
        people[0]['scale'] *= 1.1
        path.write_text(json.dumps(people))
        message = refusal(config)
        assert 'the file "annotations/mpii_train.json" has changed' in message
        # Storing again adds only the person whose box has changed.
        store_maps(config, config.model.teacher.cache)
        assert HeatmapStore(config.model.teacher.cache).size()[0] == 13
        config.experiment_name = config.visualizer.name = 'stored_again'
        run(config)

    def test_unfinished(self, config, tmp_path):
        config.model.teacher.cache = str(tmp_path / 'cache.sqlite')
        store_maps(config, config.model.teacher.cache)
        store = HeatmapStore(config.model.teacher.cache, write=True)
        for key, (about, _) in store.sources().items():
            store.add_source(key, about, finished=False)
        message = refusal(config)
        assert 'some people of "annotations/mpii_train.json" are missing' in message


class TestErrorsOfSamples:
    def test_without_the_transform_of_the_crop(self, cached):
        for dataset in leaf_datasets(cached.train_dataloader.dataset):
            dataset.pipeline[-1].type = 'PackPoseInputs'
        message = refusal(cached)
        assert 'FPDPackPoseInputs' in message and '"warp_mat"' in message

    def test_of_a_person_who_is_not_stored(self, cached):
        student = MODELS.build(cached.model)
        student.teacher.prepare(student)
        inputs, samples = batch_of(cached, student, range(1))
        samples[0].gt_instances.bboxes += 1
        with pytest.raises(ValueError, match=r'has no person in box \[.*again'):
            student.teacher.teach(inputs, samples)

    def test_mirrored_after_the_crop(self, cached):
        pipeline = cached.train_dataloader.dataset.pipeline
        augment(cached, scale=0, rotation=0, flip=1.0)
        places = [step['type'] for step in pipeline]
        flip = pipeline.pop(places.index('RandomFlip'))
        pipeline.insert(places.index('FPDTopdownAffine'), flip)
        assert 'needs RandomFlip before the crop' in refusal(cached)

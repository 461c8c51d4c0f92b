"""Detection with a small RTMDet of random weights."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path
from urllib.error import URLError

import cv2
import numpy as np
import pytest
import torch
from mmdet.apis import inference_detector, init_detector
from mmdet.evaluation import get_classes
from mmengine.registry import DefaultScope

from fpd_mmpose.cli import main as fpd
from fpd_mmpose.detection import PersonDetector, Selection, detect_people
from fpd_mmpose.detection.detector import person_label
from tests.helpers import ROOT
from tests.helpers.detection_data import without_run
from tests.helpers.forked import Forked
from tests.helpers.refusals import refused
from tests.helpers.small_detector import CONFIG, save_weights

COMMAND = ROOT / 'tools' / 'data' / 'detect_people.py'


@pytest.fixture(scope='module')
def config(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp('detector') / 'rtmdet_small.py'
    path.write_text(CONFIG)
    return str(path)


@pytest.fixture(scope='module')
def weights(config, tmp_path_factory) -> str:
    return save_weights(config, tmp_path_factory.mktemp('weights') / 'rtmdet_small.pth')


@pytest.fixture(scope='module')
def photos(tmp_path_factory) -> Path:
    """Noise, of several sizes."""
    folder = tmp_path_factory.mktemp('photos')
    generator = np.random.default_rng(0)
    for number in range(30):
        size = (60 + 10 * (number % 4), 130 - 20 * (number % 3), 3)
        noise = generator.integers(0, 256, size, dtype=np.uint8)
        cv2.imwrite(str(folder / f'{number:02}.png'), noise)
    return folder


def test_it_detects_the_people_that_mmdet_detects(config, weights, photos):
    images = [cv2.imread(str(path)) for path in sorted(photos.iterdir())]
    found = PersonDetector(config, weights, 'cpu')(images)

    assert DefaultScope.get_current_instance().scope_name == 'mmpose'
    with DefaultScope.overwrite_default_scope('mmdet'):
        model = init_detector(config, weights, device='cpu')
        results = [r.pred_instances for r in inference_detector(model, images)]
    assert sum(map(len, found)) > len(images)
    for boxes, stock in zip(found, results, strict=True):
        people = stock[stock.labels == 1]
        np.testing.assert_allclose(boxes[:, :4], people.bboxes, atol=1e-3)
        np.testing.assert_allclose(boxes[:, 4], people.scores, atol=1e-5)


@pytest.mark.slow
def test_the_command_continues_after_a_sigkill(
    config, weights, photos, tmp_path, tmp_path_factory
):
    out = tmp_path / 'people.json'
    part = tmp_path / 'people.json.part'
    main = partial(fpd, command='detect')
    command = [str(photos), str(out), '--config', config, '--weights', weights]
    command += ['--device', 'cpu', '--batch-size', '1', '--score-thr', '0']
    printed = tmp_path_factory.mktemp('printed')

    first = Forked(main, command, output=printed)
    first.start()
    # A header and two images at least.
    while not part.exists() or part.read_bytes().count(b'\n') < 3:
        assert first.is_alive(), 'it ended before it could be killed'
        time.sleep(0.005)
    first.kill()
    assert first.finished().exitcode == -signal.SIGKILL
    assert not out.exists()
    done = part.read_bytes().count(b'\n') - 1
    assert 2 <= done < 30

    second = Forked(main, command, output=printed)
    second.start()
    assert second.finished().exitcode == 0, second.stderr
    assert f'{done} images are already in "{part}"' in second.stdout
    content = json.loads(out.read_text())
    assert list(tmp_path.iterdir()) == [out]
    assert content['annotations']
    assert content['info']['command'].startswith('fpd detect ')
    whole = detect_people(
        photos,
        tmp_path / 'whole.json',
        PersonDetector(config, weights, 'cpu'),
        Selection(score_thr=0),
        batch_size=1,
    )
    assert without_run(content) == without_run(whole)


# --- Errors --------------------------------------------------------------------------


def error_of(*args: str | None) -> str:
    image = np.zeros((40, 40, 3), np.uint8)
    return refused(lambda: PersonDetector(*args)([image]))


def test_missing_files_and_models(config, weights, tmp_path):
    assert 'none.pth" does not exist' in error_of(config, str(tmp_path / 'none.pth'))
    assert 'none.py" does not exist' in error_of(str(tmp_path / 'none.py'), weights)
    assert 'does not name weights: pass them with --det-checkpoint' in error_of(config)
    assert 'rtmdet-zero in mmdet; pass' in error_of('rtmdet-zero', weights)


def test_a_missing_device(config, weights):
    assert 'device "cuda:99"' in error_of(config, weights, 'cuda:99')


def test_weights_of_another_network(config, tmp_path):
    wider = tmp_path / 'wider.py'
    wider.write_text(CONFIG.replace('num_classes=3', 'num_classes=4'))
    weights = save_weights(str(wider), tmp_path / 'wider.pth')
    assert 'match its config (mismatches: 6,' in error_of(config, weights)

    content = torch.load(weights)
    del content['state_dict']['backbone.stem.0.conv.weight']
    torch.save(content, weights)
    message = error_of(str(wider), weights)
    assert '(mismatches: 1, the first is backbone.stem.0' in message


def test_weights_that_are_truncated_or_contain_code(config, weights, tmp_path):
    spoiled = tmp_path / 'spoiled.pth'
    spoiled.write_bytes(Path(weights).read_bytes()[:5000])
    assert 'spoiled.pth" is not a readable PyTorch file' in error_of(
        config, str(spoiled)
    )
    torch.save(dict(state_dict={}, hook=os.system), spoiled)
    assert 'spoiled.pth" is refused' in error_of(config, str(spoiled))


@pytest.mark.parametrize(
    'name, file',
    [(None, 'rtmdet_m_8xb32-100e_coco-obj365-person'), ('rtmdet-t', 'rtmdet_tiny')],
)
def test_an_offline_error_names_the_file_to_download(monkeypatch, name, file):
    def fail(url, *args, **kwargs):
        raise URLError('no network')

    monkeypatch.setattr(torch.hub, 'download_url_to_file', fail)
    message = error_of(name)
    assert f'/{file}' in message and 'no network' in message
    assert '; download it and pass the file with --det-checkpoint (in' in message


@pytest.mark.parametrize(
    'classes, label',
    [
        (get_classes('coco'), 0),
        (('cat', 'Person'), 1),
        (('pedestrian',), 0),
        ('person', 0),
    ],
)
def test_person_label(classes, label):
    assert person_label(classes) == label


def test_a_detector_without_a_class_for_people(config, tmp_path):
    weights = save_weights(config, tmp_path / 'animals.pth', ('dog', 'cow', 'cat'))
    assert 'no class "person" (it has dog, cow, cat)' in error_of(config, weights)

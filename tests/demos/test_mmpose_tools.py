"""MMPose's own inferencer and demo scripts work with the project's files."""

import runpy
import sys
from pathlib import Path

import cv2
import mmpose
import numpy as np
import pytest
from mmpose.apis import MMPoseInferencer, inference_topdown, init_model

from fpd_mmpose.weights.conversion import convert
from tests.helpers import ROOT
from tests.helpers.reduced import reduced_config, reduced_distiller, run

REFERENCE = ROOT / 'tests/data/hourglass_a.pth'


def keypoints_of_both(config: str, weights: str, image_file: Path) -> list[np.ndarray]:
    """Returns the keypoints of the inferencer, and those of `inference_topdown`."""
    inferencer = MMPoseInferencer(
        pose2d=config,
        pose2d_weights=weights,
        det_model='whole_image',
        device='cpu',
    )
    ((person,),) = next(inferencer(str(image_file)))['predictions']
    model = init_model(config, weights, device='cpu')
    sample = inference_topdown(model, str(image_file))[0].pred_instances
    return [np.array(person['keypoints']), sample.keypoints[0]]


def test_the_inferencer_loads_a_checkpoint_of_a_distillation(
    mpii_root, tmp_path, image_file
):
    config = reduced_distiller(mpii_root, tmp_path, stacks=1, features=8)
    run(config)
    # Inference does not need the teacher's file.
    Path(config.model.teacher.checkpoint).unlink()
    config.dump(tmp_path / 'distillation.py')
    weights = str(tmp_path / 'run/epoch_1.pth')
    found, expected = keypoints_of_both(
        str(tmp_path / 'distillation.py'), weights, image_file
    )
    assert expected.shape == (16, 2)
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize('converted', [False, True], ids=['released', 'converted'])
def test_the_inferencer_loads_weights_of_the_released_code(
    converted, tmp_path, image_file
):
    config = reduced_config('hourglass/hg4_128_mpii.py', tmp_path, tmp_path, 2, 32)
    config.dump(tmp_path / 'of_reference.py')
    weights = str(REFERENCE)
    if converted:
        weights = str(tmp_path / 'ours.pth')
        convert(REFERENCE, weights)
    found, expected = keypoints_of_both(
        str(tmp_path / 'of_reference.py'), weights, image_file
    )
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_the_demo_script_of_mmpose_runs_a_distillation(
    files, image_file, tmp_path, monkeypatch
):
    config = (Path(files['student'])).read_text()
    config = config.replace(files['teacher_weights'], 'missing.pth')
    (tmp_path / 'distillation.py').write_text(config)
    script = Path(mmpose.__file__).parent / '.mim/demo/image_demo.py'
    command = [
        'image_demo.py',
        str(image_file),
        str(tmp_path / 'distillation.py'),
        files['student_weights'],
        '--device=cpu',
        '--draw-heatmap',
        f'--out-file={tmp_path / "out.png"}',
    ]
    monkeypatch.setattr(sys, 'argv', command)
    runpy.run_path(str(script), run_name='__main__')
    # The heatmaps are below the people.
    assert cv2.imread(str(tmp_path / 'out.png')).shape == (240, 90, 3)

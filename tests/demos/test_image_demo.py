"""Pictures of what networks find in images."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np

from fpd_mmpose.demos import SideBySide, run_image_demo
from fpd_mmpose.demos.painter import CAPTION
from tests.helpers.refusals import refused


def test_one_image_gives_a_picture_and_its_keypoints(student, picture, tmp_path):
    out, table = tmp_path / 'new/out.png', tmp_path / 'out.json'
    returned = run_image_demo(
        picture, SideBySide([student], kpt_thr=0), out_file=out, json_file=table
    )
    drawn, image = cv2.imread(str(out)), cv2.imread(str(picture))
    assert drawn.shape == image.shape and (drawn != image).any()
    content = json.loads(table.read_text())
    assert content == returned
    assert content['networks'][0]['joints'] == student.joints
    (record,) = content['images']
    assert (record['name'], record['width'], record['height']) == (
        'person.png',
        90,
        120,
    )
    assert record['boxes'] == [[0, 0, 90, 120]]
    found = student(image).people
    np.testing.assert_allclose(
        record['student']['keypoints'], found.keypoints, atol=1e-3
    )
    np.testing.assert_allclose(
        record['student']['scores'], found.keypoint_scores, atol=1e-5
    )


def test_the_teacher_is_beside_the_student(student, teacher, picture, tmp_path):
    out = tmp_path / 'out.png'
    demo = SideBySide([student, teacher], kpt_thr=0, draw_heatmap=True)
    (record,) = run_image_demo(picture, demo, out_file=out)['images']
    assert cv2.imread(str(out)).shape == (CAPTION + 2 * 120, 2 * 90, 3)
    assert record['teacher']['keypoints'] != record['student']['keypoints']


def test_joints_with_low_scores_are_not_drawn(student, picture, tmp_path):
    out = tmp_path / 'out.png'
    run_image_demo(picture, SideBySide([student], kpt_thr=1e6), out_file=out)
    np.testing.assert_array_equal(cv2.imread(str(out)), cv2.imread(str(picture)))


def test_a_folder_keeps_its_names_and_leaves_out_what_cannot_be_read(
    student, picture, tmp_path, capsys
):
    folder = tmp_path / 'in'
    (folder / 'deeper').mkdir(parents=True)
    shutil.copy(picture, folder / 'a.png')
    cv2.imwrite(str(folder / 'deeper/b.tif'), cv2.imread(str(picture)))
    (folder / 'empty.jpg').touch()
    (folder / 'text.png').write_text('no picture')
    found = run_image_demo(folder, SideBySide([student]), out_dir=tmp_path / 'out')
    assert found['unreadable'] == ['empty.jpg', 'text.png']
    assert 'left out: ' in capsys.readouterr().err
    written = (path for path in (tmp_path / 'out').rglob('*') if path.is_file())
    names = sorted(str(path.relative_to(tmp_path / 'out')) for path in written)
    assert names == ['a.png', 'deeper/b.tif.png']


# --- What cannot work ----------------------------------------------------------------


def refusal(student, source: Path, **outputs) -> str:
    return refused(run_image_demo, source, SideBySide([student]), **outputs)


def test_images_that_are_not_there_or_cannot_be_read(student, tmp_path):
    assert 'does not exist' in refusal(student, tmp_path / 'none.jpg')
    (tmp_path / 'empty.jpg').touch()
    assert 'is empty' in refusal(student, tmp_path / 'empty.jpg')
    (tmp_path / 'text.jpg').write_text('text')
    assert 'no picture' in refusal(student, tmp_path / 'text.jpg')
    assert 'none of the 2 images' in refusal(student, tmp_path)
    (tmp_path / 'video.mp4').touch()
    assert 'video_demo.py' in refusal(student, tmp_path / 'video.mp4')


def test_outputs_that_do_not_serve(student, picture):
    folder = picture.parent
    assert 'end it in' in refusal(student, picture, out_file=folder / 'out.txt')
    assert 'is the image itself' in refusal(student, picture, out_dir=folder)
    shutil.copy(picture, folder / 'other.png')
    assert '--out-file is for one image' in refusal(
        student, folder, out_file=folder / 'out.png'
    )


def test_a_write_that_fails_keeps_what_was_there(student, picture, tmp_path, full_disk):
    out = tmp_path / 'out.png'
    out.write_bytes(b'good')
    with full_disk(1000):
        text = refusal(student, picture, out_file=out)
    assert 'out.png" cannot be written' in text
    assert out.read_bytes() == b'good'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.png', 'person.png']

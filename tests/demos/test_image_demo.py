"""The image demo."""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from fpd_mmpose.demos import SideBySide, run_image_demo
from fpd_mmpose.demos.painter import CAPTION
from fpd_mmpose.errors import UserError


def test_an_image_is_drawn_and_its_keypoints_are_saved(
    student, image_file, tmp_path, capsys
):
    out, table = tmp_path / 'new/out.png', tmp_path / 'out.json'
    returned = run_image_demo(
        image_file, SideBySide([student], kpt_thr=0), out_file=out, json_file=table
    )
    drawn, image = cv2.imread(str(out)), cv2.imread(str(image_file))
    assert drawn.shape == image.shape and (drawn != image).any()
    assert '--kpt-thr' not in capsys.readouterr().err
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


def test_the_teacher_is_drawn_beside_the_student(
    student, teacher, image_file, tmp_path
):
    out = tmp_path / 'out.png'
    demo = SideBySide([student, teacher], kpt_thr=0, draw_heatmap=True)
    (record,) = run_image_demo(image_file, demo, out_file=out)['images']
    assert cv2.imread(str(out)).shape == (CAPTION + 2 * 120, 2 * 90, 3)
    assert record['teacher']['keypoints'] != record['student']['keypoints']


def test_keypoints_with_low_scores_are_not_drawn(
    student, teacher, image_file, tmp_path, capsys
):
    out = tmp_path / 'out.png'
    for networks in ([student, teacher], [student]):
        run_image_demo(image_file, SideBySide(networks, kpt_thr=9000), out_file=out)
        note = f'"{image_file}": no keypoint of 1 person scores 9000 or more: lower '
        assert capsys.readouterr().err.count(f'{note}--kpt-thr') == 1
    np.testing.assert_array_equal(cv2.imread(str(out)), cv2.imread(str(image_file)))


def test_the_images_of_a_folder_keep_their_names_and_unreadable_ones_are_skipped(
    student, image_file, tmp_path, capsys
):
    folder = tmp_path / 'in'
    (folder / 'deeper').mkdir(parents=True)
    shutil.copy(image_file, folder / 'a.png')
    cv2.imwrite(str(folder / 'deeper/b.tif'), cv2.imread(str(image_file)))
    (folder / 'empty.jpg').touch()
    (folder / 'text.png').write_text('text')
    (folder / 'clip.mp4').touch()
    found = run_image_demo(folder, SideBySide([student]), out_dir=tmp_path / 'out')
    assert found['unreadable'] == ['empty.jpg', 'text.png']
    said = capsys.readouterr().err
    assert 'skipped: ' in said and 'left out 1 of 5 files, which are videos' in said
    written = (path for path in (tmp_path / 'out').rglob('*') if path.is_file())
    names = sorted(str(path.relative_to(tmp_path / 'out')) for path in written)
    assert names == ['a.png', 'deeper/b.tif.png']


# --- Errors --------------------------------------------------------------------------


def error_of(student, source: Path, **outputs) -> str:
    with pytest.raises(UserError) as error:
        run_image_demo(source, SideBySide([student]), **outputs)
    assert '\n' not in str(error.value)
    return str(error.value)


def test_missing_and_unreadable_images(student, tmp_path):
    assert 'does not exist' in error_of(student, tmp_path / 'none.jpg')
    (tmp_path / 'empty.jpg').touch()
    assert 'is empty' in error_of(student, tmp_path / 'empty.jpg')
    (tmp_path / 'text.jpg').write_text('text')
    assert 'is not an image' in error_of(student, tmp_path / 'text.jpg')
    assert 'none of the 2 images' in error_of(student, tmp_path)
    (tmp_path / 'video.mp4').touch()
    assert 'video_demo.py' in error_of(student, tmp_path / 'video.mp4')


def test_unusable_outputs(student, image_file):
    folder = image_file.parent
    assert 'must end in' in error_of(student, image_file, out_file=folder / 'out.txt')
    assert 'is the input image' in error_of(student, image_file, out_dir=folder)
    shutil.copy(image_file, folder / 'other.png')
    assert '`out_file` is for a single image' in error_of(
        student, folder, out_file=folder / 'out.png'
    )


def test_a_failed_write_keeps_the_old_file(student, image_file, tmp_path, full_disk):
    out = tmp_path / 'out.png'
    out.write_bytes(b'good')
    with full_disk(1000):
        text = error_of(student, image_file, out_file=out)
    assert 'out.png" cannot be written' in text
    assert out.read_bytes() == b'good'
    assert sorted(path.name for path in tmp_path.iterdir()) == ['out.png', 'person.png']

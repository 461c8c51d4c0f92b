"""The check of people without labels, whose boxes have their own file."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.config import Config
from PIL import Image

from fpd_mmpose.checks import check
from tests.helpers.check_data import config_of


@pytest.fixture
def config(tmp_path) -> Config:
    config = config_of(tmp_path, 'fpd/hg4_128_fpd_labelfree_mpii.py')
    config.train_dataloader.update(
        batch_size=2, num_workers=0, persistent_workers=False
    )
    return config


@pytest.fixture
def photos(tmp_path) -> None:
    (tmp_path / 'images').mkdir()
    for number in range(4):
        photo = np.full((50, 40, 3), 50 * number, np.uint8)
        cv2.imwrite(str(tmp_path / f'images/{number}.png'), photo)


def write_boxes(folder: Path, boxes: list[list[float]]) -> None:
    content = dict(
        images=[
            dict(id=i, file_name=f'{i}.png', width=40, height=50)
            for i in range(len(boxes))
        ],
        annotations=[
            dict(id=i, image_id=i, category_id=1, bbox=box)
            for i, box in enumerate(boxes)
        ],
        categories=[dict(id=1, name='person')],
    )
    (folder / 'people.json').write_text(json.dumps(content))


def about_training(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith('train')]


def test_boxes_left_out_are_warnings(config, photos, tmp_path):
    boxes = [[1, 2, 30, 40], [90, 2, 5, 5], [5, 5, 0, 9], [60, 60, 5, 5]]
    write_boxes(tmp_path, boxes)
    report = check(config)
    assert report.sections['train']['people'] == 1
    assert about_training(report.warnings) == [
        'train: boxes left out: 1 of no area, the first is record 2 of `ann_file`',
        'train: boxes left out: 2 outside their image, the first is record 1 of '
        '`ann_file`',
    ]
    assert not about_training(report.problems)


def test_the_image_folders_are_shown(config, photos, tmp_path):
    write_boxes(tmp_path, [[1, 2, 30, 40]])
    section = check(config).sections['train']
    assert section['image folder'] == str(tmp_path / 'images')
    config.train_dataloader.dataset.images = ['images', 'more']
    (tmp_path / 'more').mkdir()
    section = check(config).sections['train']
    folders = f'{tmp_path / "images"}, {tmp_path / "more"}'
    assert section['image folder'] == folders


@pytest.mark.parametrize(
    ('orientation', 'advice'),
    [(1, 'correct width and height in the records'), (6, 'set apply_exif in the')],
)
def test_sizes_of_photos_that_were_not_turned(
    config, photos, tmp_path, orientation, advice
):
    config.train_dataloader.dataset.apply_exif = orientation == 1
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.new('RGB', (50, 40)).save(tmp_path / 'images/0.png', exif=exif)
    write_boxes(tmp_path, [[1, 2, 30, 30]])
    (warning,) = about_training(check(config).warnings)
    assert 'images of another size than the annotations say: 1,' in warning
    assert f'use the original images, or {advice}' in warning


def test_missing_files_are_reported_once_with_their_source(config):
    boxes, images = about_training(check(config).problems)
    assert 'people.json" is missing' in boxes and 'detect_people.py' in boxes
    assert 'images" is missing' in images
    assert all('docs/howto/unlabeled_images.md' in line for line in (boxes, images))


def test_frames_of_videos_are_checked_and_drawn(root, tmp_path):
    config = config_of(root, 'fpd/hg4_128_fpd_labelfree_mpii.py')
    writer = cv2.VideoWriter(
        str(tmp_path / 'clip.mp4'), cv2.VideoWriter_fourcc(*'mp4v'), 10, (96, 80)
    )
    for _ in range(3):
        writer.write(np.zeros((80, 96, 3), np.uint8))
    writer.release()
    config.train_dataloader.dataset = dict(
        type='UnlabeledPoseDataset',
        images=str(tmp_path / 'clip.mp4'),
        whole_image=True,
        pipeline=config.train_dataloader.dataset.pipeline,
    )
    report = check(config, pictures=tmp_path / 'drawn')
    assert len(list((tmp_path / 'drawn').glob('train_*.jpg'))) == 3
    section = report.section('train')
    assert section['people'] == 3 and section['images'] == 1
    assert section['annotated joints'] == 'none: boxes without keypoints'
    assert section['image sizes'] == '96 x 80 to 96 x 80'
    assert not about_training(report.problems)

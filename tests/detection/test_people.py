"""Detecting people in images and videos, and continuing a killed run."""

import json
from pathlib import Path

import cv2
import pytest
from mmengine.logging import MMLogger

from fpd_mmpose.detection import Selection, detect_people
from fpd_mmpose.errors import UserError
from tests.helpers.detection_data import FakeDetector, make_image, without_run


def part(out: Path) -> Path:
    return out.with_name(out.name + '.part')


@pytest.fixture
def detector() -> FakeDetector:
    return FakeDetector()


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Images 0 to 4, of two sizes, with 0, 1, 2, 3 and 0 people."""
    folder = tmp_path / 'images'
    (folder / 'more').mkdir(parents=True)
    for number, people in enumerate([0, 1, 2, 3, 0]):
        name = f'{number}.png' if number < 3 else f'more/{number}.png'
        size = (64, 48) if number % 2 else (50, 80)
        cv2.imwrite(str(folder / name), make_image(number, people, size))
    return folder


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Ten frames; frame i is image i, with one person."""
    path = tmp_path / 'clip.avi'
    codec = cv2.VideoWriter_fourcc(*'MJPG')
    writer = cv2.VideoWriter(str(path), codec, 10, (64, 48))
    for number in range(10):
        writer.write(make_image(number, people=1))
    writer.release()
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / 'boxes' / 'people.json'


# --- The file ------------------------------------------------------------------------


def test_boxes_in_coco_layout(images, out, detector):
    content = detect_people(images, out, detector, command='the command')

    assert json.loads(out.read_text()) == content
    assert not part(out).exists()
    assert content['categories'] == [dict(id=1, name='person')]
    assert [image['file_name'] for image in content['images']] == [
        '0.png',
        '1.png',
        '2.png',
        'more/3.png',
        'more/4.png',
    ]
    assert content['images'][1] == dict(id=2, file_name='1.png', width=64, height=48)
    assert [a['image_id'] for a in content['annotations']] == [2, 3, 3, 4, 4, 4]
    assert content['annotations'][2] == dict(
        id=3, image_id=3, category_id=1, bbox=[12.0, 0.0, 10.0, 20.0], score=0.8
    )


def test_info_records_the_settings_and_what_is_missing(images, out, detector):
    info = detect_people(images, out, detector, command='the command')['info']

    assert info['images_without_people'] == 2
    assert info['unreadable'] == []
    assert (info['config'], info['weights']) == ('fake.py', 'fake.pth')
    assert (info['score_thr'], info['nms_thr'], info['stride']) == (0.3, 0.3, 1)
    assert info['command'] == 'the command'


def test_skipped_images_are_logged(images, out, detector, monkeypatch):
    lines = []
    logger = MMLogger.get_current_instance()
    monkeypatch.setattr(logger, 'handle', lambda line: lines.append(line.getMessage()))
    (images / 'broken.jpg').write_bytes(b'no image')
    detect_people(images, out, detector, Selection(score_thr=0.99))

    said = '\n'.join(lines)
    assert '"broken.jpg" was skipped: ' in said
    assert f'"{images}/broken.jpg" is not an image' in said
    assert '0 people in 5 images, 5 images without people' in said
    assert '1 images skipped that cannot be read' in said


@pytest.mark.parametrize('batch_size, sizes', [(1, [1] * 5), (2, [2, 2, 1]), (9, [5])])
def test_batches(images, out, detector, batch_size, sizes):
    detect_people(images, out, detector, batch_size=batch_size)
    assert [len(batch) for batch in detector.batches] == sizes


def test_a_single_image(images, out, detector):
    content = detect_people(images / 'more' / '3.png', out, detector)
    assert [image['file_name'] for image in content['images']] == ['3.png']
    assert len(content['annotations']) == 3


def test_a_list_of_images(images, out, detector, tmp_path):
    far = tmp_path / 'far.png'
    cv2.imwrite(str(far), make_image(7, people=1))
    listed = images / 'list.txt'
    listed.write_text(f'more/3.png\n1.png\n{far}\n')
    content = detect_people(listed, out, detector)
    # Relative to the folder of the list if the image is inside of it.
    assert [image['file_name'] for image in content['images']] == [
        'more/3.png',
        '1.png',
        far.as_posix(),
    ]


def test_every_third_frame_of_a_video(video, out, detector):
    content = detect_people(video, out, detector, stride=3, batch_size=3)

    assert detector.batches == [[0, 3, 6], [9]]
    assert content['info']['stride'] == 3
    assert content['images'][1] == dict(
        id=2, file_name='clip.avi', width=64, height=48, frame_index=3
    )
    assert [image['frame_index'] for image in content['images']] == [0, 3, 6, 9]
    assert [a['image_id'] for a in content['annotations']] == [1, 2, 3, 4]


def test_unreadable_images_are_listed_but_not_fatal(images, out, detector):
    (images / 'broken.jpg').write_bytes(b'no image')
    (images / 'empty.png').touch()
    content = detect_people(images, out, detector)
    assert content['info']['unreadable'] == ['broken.jpg', 'empty.png']
    assert len(content['images']) == 5


def test_a_folder_with_videos(images, video, out, detector):
    video.rename(images / 'clip.avi')
    (images / 'damaged.mp4').write_bytes(b'no video')
    content = detect_people(images, out, detector, stride=5)
    names = [(i['file_name'], i.get('frame_index')) for i in content['images']]
    assert names[2:5] == [('2.png', None), ('clip.avi', 0), ('clip.avi', 5)]
    assert content['info']['unreadable'] == ['damaged.mp4']


# --- Continuing after a kill ---------------------------------------------------------


def test_a_second_run_detects_the_rest(images, out, tmp_path, detector):
    whole = detect_people(images, tmp_path / 'whole.json', detector, batch_size=2)

    with pytest.raises(RuntimeError, match='killed'):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    assert not out.exists()
    second = FakeDetector()
    content = detect_people(images, out, second, batch_size=2)

    assert second.seen == [2, 3, 4]
    assert without_run(content) == without_run(whole)
    assert not part(out).exists()


def test_a_second_run_detects_the_rest_of_a_video(video, out, tmp_path, detector):
    whole = detect_people(video, tmp_path / 'whole.json', detector, stride=2)

    with pytest.raises(RuntimeError, match='killed'):
        detect_people(video, out, FakeDetector(fail_at=3), stride=2, batch_size=1)
    second = FakeDetector()
    content = detect_people(video, out, second, stride=2)

    assert second.seen == [4, 6, 8]
    assert without_run(content) == without_run(whole)


def test_a_truncated_line_is_detected_again(images, out, tmp_path, detector):
    whole = detect_people(images, tmp_path / 'whole.json', detector)
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=3)
    part(out).write_bytes(part(out).read_bytes()[:-20])

    # Killed once more: new records must not continue the truncated line.
    second = FakeDetector(fail_at=2)
    with pytest.raises(RuntimeError):
        detect_people(images, out, second, batch_size=2)
    assert second.seen == [2, 3]
    third = FakeDetector()
    assert without_run(detect_people(images, out, third)) == without_run(whole)
    assert third.seen == [4]


def test_nothing_is_detected_if_the_journal_has_everything(images, out, monkeypatch):
    def fail(*args):
        raise OSError('no space left')

    with monkeypatch.context() as patch, pytest.raises(OSError, match='no space'):
        patch.setattr(Path, 'write_text', fail)
        detect_people(images, out, FakeDetector())
    assert sorted(out.parent.iterdir()) == [part(out)]

    content = detect_people(images, out, FakeDetector(fail_at=1))
    assert len(content['annotations']) == 6


def test_images_added_and_removed_between_the_runs(images, out):
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    (images / '0.png').unlink()
    cv2.imwrite(str(images / '00.png'), make_image(8, people=1))
    second = FakeDetector()
    content = detect_people(images, out, second)
    assert second.seen == [8, 2, 3, 4]
    assert [image['file_name'] for image in content['images']][:2] == [
        '00.png',
        '1.png',
    ]


@pytest.mark.parametrize(
    'change, named',
    [
        (dict(selection=Selection(score_thr=0.5)), 'score_thr was 0.3 and is 0.5'),
        (dict(selection=Selection(nms_thr=0.7)), 'nms_thr was 0.3 and is 0.7'),
    ],
)
def test_a_journal_with_other_options_is_an_error(images, out, change, named):
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    before = part(out).read_bytes()
    with pytest.raises(UserError, match=named) as error:
        detect_people(images, out, FakeDetector(), **change)
    assert '`restart`' in str(error.value) and '\n' not in str(error.value)
    assert part(out).read_bytes() == before

    anew = FakeDetector()
    detect_people(images, out, anew, restart=True, **change)
    assert anew.seen == [0, 1, 2, 3, 4]


def test_a_journal_for_other_weights_or_images_is_an_error(images, out):
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    other = FakeDetector()
    other.facts['weights'] = 'other.pth'
    with pytest.raises(UserError, match="weights was 'fake.pth' and is 'other.pth'"):
        detect_people(images, out, other)
    with pytest.raises(UserError, match='source was'):
        detect_people(images / 'more', out, FakeDetector())


def test_a_run_continues_with_another_batch_size(images, out):
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    second = FakeDetector()
    detect_people(images, out, second, batch_size=4)
    assert second.batches == [[2, 3, 4]]


# --- Errors --------------------------------------------------------------------------


def test_a_failed_run_leaves_an_existing_file_unchanged(images, out, detector):
    detect_people(images, out, detector)
    before = out.read_bytes()
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=2), batch_size=2)
    assert out.read_bytes() == before


def test_a_run_without_records_leaves_no_journal(images, out):
    # Otherwise a next run with corrected options would be an error.
    with pytest.raises(RuntimeError):
        detect_people(images, out, FakeDetector(fail_at=1))
    assert list(out.parent.iterdir()) == []


def test_unreadable_images_only(tmp_path, out, detector):
    (tmp_path / 'images').mkdir()
    (tmp_path / 'images' / 'broken.jpg').write_bytes(b'no image')
    with pytest.raises(UserError, match='none of 1 files can be read.*broken.jpg'):
        detect_people(tmp_path / 'images', out, detector)
    assert detector.batches == [] and not out.exists()


@pytest.mark.parametrize(
    'options, message',
    [
        (dict(source='nowhere'), 'nowhere.*does not exist'),
        (dict(source='empty'), 'empty'),
        (dict(source='broken.mp4'), 'none of 1 files can be read.*broken.mp4'),
        (dict(out='people.txt'), 'people.txt.*must be the name of a .json file'),
        (dict(batch_size=0), 'batch_size'),
        (dict(stride=0), 'stride'),
        (dict(stride=2), 'stride.*has no video'),
    ],
)
def test_bad_arguments_are_errors_before_any_work(
    images, tmp_path, detector, options, message
):
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'broken.mp4').write_bytes(b'no video')
    options = dict(dict(source='images', out='people.json'), **options)
    options.update({name: tmp_path / options[name] for name in ('source', 'out')})
    before = sorted(tmp_path.rglob('*'))
    with pytest.raises(ValueError, match=message) as error:
        detect_people(detector=detector, **options)
    assert '\n' not in str(error.value)
    assert detector.batches == []
    assert sorted(tmp_path.rglob('*')) == before

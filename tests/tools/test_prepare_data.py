"""Data and weights are linked into the checkout."""

import pytest

MPII = ('annotations/mpii_train.json', 'annotations/mpii_val.json')
MPII += ('annotations/mpii_gt_val.mat', 'images/1.jpg')
REFERENCE_MPII = ('annot/train.json', 'annot/valid.json')
REFERENCE_MPII += ('annot/gt_valid.mat', 'images/1.jpg')
COCO = (
    'annotations/person_keypoints_train2017.json',
    'annotations/person_keypoints_val2017.json',
    'person_detection_results/COCO_val2017_detections_AP_H_56_person.json',
)


def test_each_folder_is_linked_by_absolute_path(place):
    place.fill('people', MPII)
    place.fill('coco', COCO)
    place.fill('nets', ('a.pth', 'teacher/b.pth'))
    code, output = place.prepare(
        '--mpii', 'people', '--coco', './coco/', '--models', place.data / 'nets'
    )
    assert code == 0, output
    assert place.links() == {
        'data/mpii': str(place.data / 'people'),
        'data/coco': str(place.data / 'coco'),
        'checkpoints': str(place.data / 'nets'),
    }
    assert (place.checkout / 'data/mpii/images/1.jpg').is_file()
    assert '2 weight files' in output


def test_the_dataset_folder_of_the_reference_is_one_option(place):
    place.fill('MPII', MPII)
    place.fill('models', ('a.pth',))
    mine = place.fill('my coco', COCO)
    code, output = place.prepare('--datasets', place.data)
    assert code == 0, output
    assert set(place.links()) == {'data/mpii', 'checkpoints'}
    place.fill('MSCOCO', COCO)
    assert place.prepare('--datasets', place.data, '--coco', mine)[0] == 0
    assert place.links()['data/coco'] == str(mine)


def test_it_can_be_run_again(place):
    mpii = place.fill('MPII', MPII)
    assert place.prepare('--mpii', mpii)[0] == 0
    before = place.links()
    code, output = place.prepare('--mpii', mpii)
    assert code == 0 and 'is already linked' in output
    assert place.links() == before and not (mpii / 'MPII').exists()


def test_a_link_that_points_elsewhere_is_replaced_only_with_force(place):
    one, other = place.fill('one', MPII), place.fill('other', MPII)
    models = place.fill('models', ('a.pth',))
    place.prepare('--mpii', one)
    code, output = place.prepare('--mpii', other, '--models', models)
    assert code == 1
    (line,) = output.splitlines()
    assert f'is a link to "{one}"' in line and '--force' in line
    assert place.links() == {'data/mpii': str(one)}, 'all or nothing is linked'
    assert place.prepare('--mpii', other, '--force')[0] == 0
    assert place.links() == {'data/mpii': str(other)}
    assert (one / 'images/1.jpg').exists() and not (one / 'other').exists()


def test_a_broken_link_is_named(place):
    mpii = place.fill('MPII', MPII)
    (place.checkout / 'data').mkdir()
    (place.checkout / 'data/mpii').symlink_to('/nowhere')
    code, output = place.prepare('--mpii', mpii)
    assert code == 1 and 'is a link to "/nowhere"' in output


@pytest.mark.parametrize('force', [[], ['--force']])
def test_a_real_folder_is_never_replaced(place, force):
    mpii = place.fill('MPII', MPII)
    real = place.checkout / 'data/mpii/images/mine.jpg'
    real.parent.mkdir(parents=True)
    real.touch()
    code, output = place.prepare('--mpii', mpii, *force)
    assert code == 1
    (line,) = output.splitlines()
    assert 'is not a link' in line and str(place.checkout / 'data/mpii') in line
    assert real.is_file()


@pytest.mark.parametrize(
    ('files', 'message'),
    [
        (MPII, "MPII has MMPose's layout"),
        (REFERENCE_MPII, 'MPII has the layout of the released FPD code'),
        ((*MPII[:1], *REFERENCE_MPII[1:]), 'partly'),
    ],
)
def test_the_layout_of_mpii_is_recognized(place, files, message):
    code, output = place.prepare('--mpii', place.fill('MPII', files))
    assert code == 0 and message in output and 'warning' not in output


def test_the_layout_of_coco_is_recognized(place):
    coco = place.fill('coco', (*COCO, 'images/train2017/1.jpg'))
    _, output = place.prepare('--coco', coco)
    (warning,) = [line for line in output.splitlines() if 'warning' in line]
    folder = place.checkout / 'data/coco'
    assert 'COCO lacks val2017' in warning
    assert f'{folder}/val2017 or at {folder}/images/val2017' in warning
    place.fill('coco', ('images/val2017/1.jpg',))
    assert (
        'COCO has the layout of the released FPD code'
        in place.prepare('--coco', coco)[1]
    )


def test_a_missing_file_is_a_warning_that_says_where_to_put_it(place):
    code, output = place.prepare('--mpii', place.fill('MPII', MPII[:3]))
    assert code == 0
    (warning,) = [line for line in output.splitlines() if 'warning' in line]
    assert f'MPII lacks images: put it at {place.checkout}/data/mpii/images' in (
        warning
    )
    code, output = place.prepare('--models', place.fill('nets', ('readme.txt',)))
    assert code == 0 and 'has no weights' in output


@pytest.mark.parametrize(
    ('option', 'files'),
    [('--mpii', MPII), ('--mpii', REFERENCE_MPII), ('--coco', COCO)],
)
def test_a_folder_without_any_of_the_data_is_not_linked(place, option, files):
    place.fill('sets', ('readme.txt', 'other/a.txt'))
    code, output = place.prepare(option, 'sets')
    assert code == 1 and not place.links()
    (line,) = output.splitlines()
    assert f'error: {option}: "sets" has none of annotations/' in line
    assert 'docs/howto/data.md' in line
    place.fill('sets/Data of mine', files)
    code, output = place.prepare(option, 'sets/')
    assert code == 1 and not place.links()
    (line,) = output.splitlines()
    assert line.endswith('none of the data: did you mean "sets/Data of mine"?')
    assert place.prepare(option, 'sets/Data of mine')[0] == 0


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--mpii', 'nowhere'], '--mpii: "nowhere" is not a folder'),
        (['--datasets', 'nowhere'], '--datasets: "nowhere" is not a folder'),
        (['--datasets', '.'], 'has no folder MPII, MSCOCO, or models'),
        (['--mpii', '.', '--into', 'nowhere'], '--into: "nowhere" is not a folder'),
        (['--mpii'], '--mpii needs a folder'),
        (['--mpi', '.'], 'unknown option "--mpi"'),
        ([], 'nothing to link'),
    ],
)
def test_errors_are_one_line(place, options, message):
    code, output = place.prepare(*options)
    assert code == 1 and not place.links()
    errors = [line for line in output.splitlines() if 'error: ' in line]
    assert errors == output.splitlines()[-1:] and message in errors[0]


def test_help(place):
    code, output = place.prepare('--help')
    assert code == 0 and output.startswith('usage: ') and not place.links()

"""Data and weights are linked into the checkout."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.helpers import ROOT

SCRIPT = ROOT / 'tools/prepare_data.sh'
MPII = ('annotations/mpii_train.json', 'annotations/mpii_val.json')
MPII += ('annotations/mpii_gt_val.mat', 'images/1.jpg')
REFERENCE_MPII = ('annot/train.json', 'annot/valid.json')
REFERENCE_MPII += ('annot/gt_valid.mat', 'images/1.jpg')
COCO = (
    'annotations/person_keypoints_train2017.json',
    'annotations/person_keypoints_val2017.json',
    'person_detection_results/COCO_val2017_detections_AP_H_56_person.json',
)
#: The released weight files, and the names under which they are linked.
RELEASED = {
    'pytorch/imagenet/hrnet_w32-36af842e': 'hrnet_w32-36af842e',
    'pytorch/imagenet/hrnet_w48-8ef0771d': 'hrnet_w48-8ef0771d',
    'pytorch/imagenet/resnet50-19c8e357': 'resnet50-19c8e357',
    'pytorch/pose_coco/pose_hrnet_w32_256x192': 'hrnet_w32_coco_256x192',
    'pytorch/pose_coco/pose_hrnet_w48_256x192': 'hrnet_w48_coco_256x192',
    'pytorch/pose_mpii/'
    'bs4_hourglass_128_4_1_16_0.00025_0_140_87.934_model_best': 'hg4_128_mpii',
    'pytorch/pose_mpii/'
    'bs4_hourglass_256_8_1_16_0.00025_0_140_90.520_model_best': 'hg8_256_mpii',
    'pytorch/pose_mpii/pose_hrnet_w32_256x256': 'hrnet_w32_mpii',
    'pytorch/pose_mpii/pose_hrnet_w48_256x256': 'hrnet_w48_mpii',
    'student_FPD/hourglass_student_FPD*': 'hg4_128_fpd_scratch_mpii',
    'student_FPD/hourglass_student_FPD': 'hg4_128_fpd_mpii',
    'student_FPD/pose_hrnet_w32_student_FPD': 'hrnet_w32_fpd_coco_256x192',
}


class Place:
    """A checkout and a data folder with spaces in their names."""

    def __init__(self, folder: Path):
        self.checkout = folder / 'my checkout'
        self.data = folder / 'my data'
        self.checkout.mkdir()
        self.data.mkdir()

    def fill(self, name: str, files: tuple[str, ...]) -> Path:
        for file in files:
            path = self.data / name / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return self.data / name

    def prepare(self, *options: str | Path) -> tuple[int, str]:
        done = subprocess.run(
            ['bash', SCRIPT, '--into', self.checkout, *options],
            cwd=self.data,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )
        return done.returncode, done.stdout

    def links(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.checkout)): str(path.readlink())
            for path in self.checkout.rglob('*')
            if path.is_symlink()
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


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


# --- Weight files of the released code ---------------------------------------------


@pytest.fixture
def released(place: Place) -> Path:
    """The released weight files, whose content is their name."""
    models = place.fill('models', tuple(f'{name}.pth' for name in RELEASED))
    for path in models.rglob('*.pth'):
        path.write_text(path.name)
    return models


def weights(place: Place) -> dict[str, str]:
    """The files that the links in checkpoints lead to, by link."""
    folder = place.checkout / 'checkpoints'
    assert folder.is_dir() and not folder.is_symlink()
    return {path.stem: path.read_text() for path in folder.iterdir()}


WANTED = {name: f'{Path(path).name}.pth' for path, name in RELEASED.items()}


@pytest.mark.parametrize('given', ['models', 'models/pytorch', '.', './models/'])
def test_each_released_file_is_linked_under_the_name_of_its_config(
    place, released, given
):
    code, output = place.prepare('--models', given)
    assert code == 0, output
    assert weights(place) == WANTED
    links = place.links()
    assert all(Path(target).is_absolute() for target in links.values())
    assert all(f'{link} -> {target}' in output for link, target in links.items())
    assert output.splitlines()[-1].endswith(
        'weight files: 12 linked, 0 already there, 0 in conflict, 0 left out'
    )


def test_these_names_are_those_of_configs():
    configs = {path.stem: path for path in (ROOT / 'configs').rglob('*.py')}
    texts = ''.join(path.read_text() for path in configs.values())
    for path, name in RELEASED.items():
        if 'imagenet' not in path:
            assert name in configs
        elif not name.startswith('resnet'):  # which configs name as torchvision://
            assert f'{name}.pth' in texts


def test_the_page_lists_these_names():
    page = (ROOT / 'docs/howto/released_code.md').read_text()
    rows = re.findall(r'^\| `(.+)\.pth`.* \| `checkpoints/(.+)\.pth` \|$', page, re.M)
    assert dict(rows) == RELEASED


def test_released_files_can_be_linked_again(place, released):
    place.prepare('--models', released)
    before = place.links()
    code, output = place.prepare('--models', released)
    assert code == 0 and place.links() == before and ' -> ' not in output
    assert '0 linked, 12 already there' in output


def test_files_in_checkpoints_stay(place, released):
    folder = place.checkout / 'checkpoints'
    folder.mkdir()
    (folder / 'hg8_256_mpii.pth').write_text('trained here')
    (folder / 'hg4_128_mpii.pth').write_text(WANTED['hg4_128_mpii'])  # a copy
    (folder / 'hrnet_w32_mpii.pth').symlink_to(place.data / 'gone.pth')
    (place.data / 'mine.pth').write_text('mine')
    (folder / 'hrnet_w48_mpii.pth').symlink_to(place.data / 'mine.pth')
    mine = {'hg8_256_mpii': 'trained here', 'hrnet_w48_mpii': 'mine'}

    code, output = place.prepare('--models', released)
    assert code == 0 and weights(place) == WANTED | mine
    assert not (folder / 'hg4_128_mpii.pth').is_symlink()
    warnings = [line for line in output.splitlines() if 'warning: ' in line]
    assert len(warnings) == 2
    assert 'hg8_256_mpii.pth stays, which is another file: move it' in output
    assert f'hrnet_w48_mpii.pth stays a link to {place.data}/mine.pth' in output
    assert '9 linked, 1 already there, 2 in conflict' in output

    code, output = place.prepare('--models', released, '--force')
    assert code == 0 and weights(place)['hg8_256_mpii'] == 'trained here'
    assert weights(place)['hrnet_w48_mpii'] == WANTED['hrnet_w48_mpii']
    assert '1 linked, 10 already there, 1 in conflict' in output


def test_other_files_are_listed_and_counted(place, released):
    others = ('pytorch/mine.pth', 'old/pose_hrnet_w32_256x256.pth', 'hg4_*.pth')
    place.fill('models', others)
    # A file with the name of a config is one that was trained or renamed here.
    (released / 'hg4_256_mpii.pth').write_text('hg4_256')
    code, output = place.prepare('--models', released)
    assert code == 0
    found = weights(place)
    assert found.pop('hg4_256_mpii') == 'hg4_256'
    # Of two files with one name, one is linked.
    found['hrnet_w32_mpii'] = WANTED['hrnet_w32_mpii']
    assert found == WANTED
    assert output.count('left out, unknown or a second copy:') == 3
    for name in ('pytorch/mine.pth', 'hg4_*.pth'):
        assert f'left out, unknown or a second copy: {released}/{name}' in output
    assert '13 linked, 0 already there, 0 in conflict, 3 left out' in output


def test_a_linked_folder_becomes_a_folder_of_links_only_with_force(place, released):
    checkpoints = place.checkout / 'checkpoints'
    checkpoints.symlink_to(released)
    (released / 'hg4_256_mpii.pth').write_text('hg4_256')
    code, output = place.prepare('--models', released)
    assert code == 1 and checkpoints.is_symlink()
    (line,) = output.splitlines()
    assert f'checkpoints" is a link to "{released}": use --force' in line
    code, output = place.prepare('--models', released, '--force')
    assert code == 0 and weights(place) == WANTED | {'hg4_256_mpii': 'hg4_256'}
    assert len(list(released.rglob('*.pth'))) == 13


def test_released_files_in_checkpoints_itself_are_linked_once(place, released):
    checkpoints = released.rename(place.checkout / 'checkpoints')
    for _ in range(2):
        code, output = place.prepare('--models', checkpoints)
        assert code == 0 and ' 0 left out' in output
        found = {path.stem: path for path in checkpoints.glob('*.pth')}
        assert {name: path.read_text() for name, path in found.items()} == WANTED


def test_a_file_in_the_place_of_checkpoints_is_an_error(place, released):
    (place.checkout / 'checkpoints').touch()
    mpii = place.fill('MPII', MPII)
    code, output = place.prepare('--models', released, '--mpii', mpii)
    assert code == 1 and not place.links()
    (line,) = output.splitlines()
    assert 'checkpoints" is not a folder: move it away' in line


# --- What was linked before --------------------------------------------------------


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

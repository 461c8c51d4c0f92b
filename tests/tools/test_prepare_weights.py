"""Weight files of the released code are linked under the names of their configs."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.helpers import ROOT

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


@pytest.fixture
def released(place: Any) -> Path:
    """The released weight files, whose content is their name."""
    models = place.fill('models', tuple(f'{name}.pth' for name in RELEASED))
    for path in models.rglob('*.pth'):
        path.write_text(path.name)
    return models


def weights(place: Any) -> dict[str, str]:
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
    mpii = place.fill('MPII', ('annot/train.json',))
    code, output = place.prepare('--models', released, '--mpii', mpii)
    assert code == 1 and not place.links()
    (line,) = output.splitlines()
    assert 'checkpoints" is not a folder: move it away' in line

"""What the README shows is there, and runs."""

import re
from pathlib import Path

import cv2
import pytest
import torch
from mmengine.config import Config
from mmpose.registry import MODELS

from fpd_mmpose.config import load_config
from fpd_mmpose.synthetic import draw_person
from tests.helpers import ROOT

README = (ROOT / 'README.md').read_text()


def block(language: str, containing: str) -> str:
    blocks = re.findall(rf'```{language}\n(.*?)```', README, re.S)
    (found,) = [text for text in blocks if containing in text]
    return found


def test_everything_it_names_exists():
    named = re.findall(
        r'(?:configs|tools|docs|fpd_mmpose)/[\w./-]+\.(?:py|sh|png|jpg)', README
    )
    assert len(named) > 10
    for path in named:
        assert (ROOT / path).is_file(), path


def test_its_two_commands_are_the_scripts():
    commands = block('bash', 'quickstart.sh')
    assert 'bash tools/quickstart.sh' in commands
    assert 'bash tools/run_tests.sh' in commands
    assert 'tools/run_tests.sh' in (ROOT / '.ci' / 'run').read_text()


def test_its_distillation_config_builds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    student = load_config('configs/hourglass/hg4_128_mpii.py')
    student.dump('my_student.py')
    Path('my_fpd.py').write_text(block('python', "type='FPDDistiller'"))
    config = Config.fromfile('my_fpd.py')
    assert config.load_from == 'my_student.pth'
    model = MODELS.build(config.model)
    assert type(model).__name__ == 'FPDDistiller'


def test_its_inference_example_runs(tmp_path, monkeypatch, capsys):
    config = 'configs/fpd/hg4_128_fpd_mpii.py'
    monkeypatch.chdir(tmp_path)
    Path('configs').symlink_to(ROOT / 'configs')
    Path('checkpoints').mkdir()
    model = MODELS.build(load_config(config).model)
    torch.save(model.state_dict(), 'checkpoints/hg4_128_fpd_mpii.pth')
    cv2.imwrite('person.jpg', draw_person(0, 'val', 0).image)
    exec(compile(block('python', 'MMPoseInferencer('), 'README', 'exec'), {})
    assert capsys.readouterr().out.count('[') >= 16
    assert list(Path('output').rglob('person.jpg'))


@pytest.mark.parametrize('name', ['hg8_256_mpii', 'hg4_128_mpii'])
def test_its_parameter_counts_are_the_networks(name):
    model = MODELS.build(load_config(f'configs/hourglass/{name}.py').model)
    parameters = sum(p.numel() for p in model.parameters())
    assert re.search(rf'{name}\.py` \|[^|]*\| {parameters:,} \|', README)

"""Metafiles and tables agree with the configs and the reference."""

import re
import runpy
import shutil
from functools import partial
from pathlib import Path

import pytest
import torch
import yaml
from mmengine.config import Config
from mmpose.registry import MODELS
from torch.utils.flop_counter import FlopCounterMode

import zoo
from fpd_mmpose.config import load_config
from fpd_mmpose.errors import UserError
from fpd_mmpose.reports import Complexity
from tests.helpers import ROOT
from zoo import update_tables
from zoo.facts import measure
from zoo.metafiles import metafiles, read_models
from zoo.tables import fill
from zoo.update import PAGES

MODELS_LISTED = read_models(ROOT)
BY_CONFIG = {model['Config']: model for model in MODELS_LISTED}
DISTILLED = [model for model in MODELS_LISTED if 'Teacher' in model['Metadata']]
# Head, shoulder, elbow, wrist, hip, knee, ankle, mean, and the mean at 0.11.
PUBLISHED_PCKH = {
    'hg8_256_mpii': '97.169 96.382 90.830 86.466 90.012 86.802 82.664 90.520 38.275',
    'hg4_128_mpii': '96.828 95.194 87.728 82.919 87.900 82.551 78.270 87.934 34.634',
    'hg4_128_fpd_scratch_mpii': (
        '96.385 94.905 87.847 81.875 87.225 81.906 78.955 87.598 34.359'
    ),
    'hg4_128_fpd_mpii': (
        '96.930 95.550 89.040 84.444 88.939 84.021 80.703 89.040 36.144'
    ),
}
# AP, AP50, AP75, AP (M), AP (L), and AR alike.
PUBLISHED_AP = {
    'hrnet_w48_coco_256x192': '.750 .906 .824 .713 .819 .803 .941 .867 .760 .866',
    'hrnet_w32_coco_256x192': '.744 .905 .819 .708 .810 .798 .942 .865 .757 .858',
    'hrnet_w32_fpd_coco_256x192': '.751 .906 .823 .714 .820 .804 .943 .869 .762 .865',
}


def count_with_torch(config: Config) -> Complexity:
    """Counts with another tool than the command, on a network without memory."""
    with torch.device('meta'):
        model = MODELS.build(config.model).eval()
    width, height = config.codec.input_size
    image = torch.zeros(1, 3, height, width, device='meta')
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(image, None)
    params = sum(parameter.numel() for parameter in model.parameters())
    return Complexity(params, counter.get_total_flops() // 2)


@pytest.mark.slow
def test_all_files_of_the_command_are_up_to_date():
    pytest.importorskip('mmpretrain')  # ViTPose is a teacher
    assert update_tables(ROOT, check=True, measure=count_with_torch) == []


@pytest.mark.parametrize(
    ('name', 'params', 'gflops'),
    [
        ('hourglass/hg4_128_mpii', 3_287_936, 3.639),
        ('hrnet/hrnet_w32_coco_256x192', 28_536_113, 7.120),
    ],
)
def test_the_command_counts_as_in_the_reference(name, params, gflops):
    config = f'configs/{name}.py'
    cost = measure(load_config(ROOT / config))
    facts = BY_CONFIG[config]['Metadata']
    assert cost.params == facts['Parameters'] == params
    assert cost.macs == facts['FLOPs']
    assert round(cost.gflops_reference, 3) == facts['Reference GFLOPs'] == gflops


def test_every_config_is_listed_once():
    configs = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / 'configs').glob('[!_]*/*.py')
        if path.parent.name != 'quickstart'
    }
    assert {
        'configs/hourglass/hg8_256_mpii.py',
        'configs/resnet/res50_mpii.py',
    } < configs
    assert sorted(model['Config'] for model in MODELS_LISTED) == sorted(configs)
    assert len({model['Name'] for model in MODELS_LISTED}) == len(configs)


def test_the_index_imports_every_metafile_for_mim():
    index = yaml.safe_load((ROOT / 'model-index.yml').read_text())
    assert {ROOT / name for name in index['Import']} == set(metafiles(ROOT))
    for name in index['Import']:
        content = yaml.safe_load((ROOT / name).read_text())
        collections = {collection['Name'] for collection in content['Collections']}
        for model in content['Models']:
            assert model['In Collection'] in collections
            # MIM would try to download them.
            assert 'Weights' not in model


def test_published_scores_are_those_of_the_readme_of_the_reference():
    found = {}
    for model in MODELS_LISTED:
        for result in model.get('Results', []):
            assert result['Source'] == 'published' and 'README' in result['Reference']
            found[model['Name']] = list(result['Metrics'].values())
    expected = PUBLISHED_PCKH | PUBLISHED_AP
    assert found == {
        name: [float(score) for score in scores.split()]
        for name, scores in expected.items()
    }


@pytest.mark.parametrize('model', DISTILLED, ids=lambda model: model['Name'])
def test_teacher_and_student_are_those_of_the_config(model):
    config = load_config(ROOT / model['Config'])
    teacher, student = (model['Metadata'][part] for part in ('Teacher', 'Student'))
    assert teacher['Config'] == config.model.teacher.config
    assert teacher['Weights'] == config.model.teacher.checkpoint
    assert student.get('Weights') == config.load_from
    plain = load_config(student['Config'])
    assert plain.model.head == config.model.head
    assert student['Parameters'] == model['Metadata']['Parameters']
    for part in (teacher, student):
        if part['Config'] in BY_CONFIG:
            own = BY_CONFIG[part['Config']]
            assert part['FLOPs'] == own['Metadata']['FLOPs']
            own_metrics = [result['Metrics'] for result in own.get('Results', [])]
            assert part.get('Metrics') == (own_metrics[0] if own_metrics else None)
            released = own.get('Published Weights') if 'Weights' in part else None
            assert part.get('Published Weights') == released


def test_weights_are_named_after_the_config_that_trains_them():
    names = {model['Name'] for model in MODELS_LISTED}
    for model in DISTILLED:
        for part in ('Teacher', 'Student'):
            weights = model['Metadata'][part].get('Weights', '')
            if weights.startswith('checkpoints/'):
                assert Path(weights).stem in names


@pytest.mark.parametrize('name', PAGES)
def test_tables_of_a_page_match_the_metafiles(name):
    page = (ROOT / name).read_text()
    assert fill(page, name, MODELS_LISTED) == page


def test_the_page_links_every_config():
    links = set(
        re.findall(r'\]\(\.\./\.\./(configs/[^)]*)\)', (ROOT / PAGES[1]).read_text())
    )
    assert links == set(BY_CONFIG)


METAFILE = 'configs/hourglass/metafile.yml'


def tiny(config: Config) -> Complexity:
    return Complexity(7 * config.model.backbone.num_stacks, 3 * 1024**3)


@pytest.fixture(scope='module')
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with hourglasses for MPII only, whose files are up to date."""
    root = tmp_path_factory.mktemp('project')
    for folder in ('_base_', 'hourglass'):
        shutil.copytree(
            ROOT / 'configs' / folder,
            root / 'configs' / folder,
            ignore=shutil.ignore_patterns('hg*_coco_*'),
        )
    metafile = root / METAFILE
    content = yaml.safe_load(metafile.read_text())
    content['Models'] = [m for m in content['Models'] if '_mpii' in m['Name']]
    metafile.write_text(yaml.safe_dump(content))
    (root / 'docs/reference').mkdir(parents=True)
    for page in PAGES:
        (root / page).write_text('# Page\n\n<!-- table: mpii -->\n<!-- end -->\n')
    update_tables(root, measure=tiny)
    return root


@pytest.fixture
def small(project: Path, tmp_path: Path) -> Path:
    """A copy of the project to change."""
    return Path(shutil.copytree(project, tmp_path / 'project'))


def test_files_that_are_up_to_date_are_not_written(small):
    assert '| 56 | 3.221 | 3.000 |' in (small / 'README.md').read_text()
    before = (small / METAFILE).stat().st_mtime_ns
    assert update_tables(small, measure=tiny) == []
    assert (small / METAFILE).stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ('file', 'old', 'new'),
    [
        (METAFILE, 'Parameters: 56', 'Parameters: 57'),
        (METAFILE, 'Epochs: 140', 'Epochs: 130'),
        ('model-index.yml', METAFILE, 'configs/metafile.yml'),
        ('README.md', '90.520', '91.520'),
    ],
)
def test_check_lists_a_changed_file_but_does_not_write_it(small, file, old, new):
    text = (small / file).read_text()
    assert old in text
    changed = text.replace(old, new)
    (small / file).write_text(changed)
    assert update_tables(small, check=True, measure=tiny) == [file]
    assert (small / file).read_text() == changed
    update_tables(small, measure=tiny)
    assert (small / file).read_text() == text


def test_new_configs_are_listed_and_measured_scores_get_a_column(small):
    folder = small / 'configs/hourglass'
    (folder / 'hg8_new_mpii.py').write_text("_base_ = ['hg8_256_mpii.py']\n")
    content = yaml.safe_load((small / METAFILE).read_text())
    content['Models'][1]['Results'] = [
        dict(
            Task='Body 2D Keypoint',
            Dataset='MPII',
            Source='measured',
            Command='python tools/test.py ...',
            Metrics=dict(Mean=12.345),
        )
    ]
    (small / METAFILE).write_text(yaml.safe_dump(content))
    update_tables(small, measure=tiny)
    page = (small / 'README.md').read_text()
    assert '[hg8_new_mpii](../../configs/hourglass/hg8_new_mpii.py)' in page
    assert 'PCKh@0.5, published | PCKh@0.5, measured' in page
    assert '12.345' in (small / METAFILE).read_text()


@pytest.mark.parametrize(
    ('file', 'old', 'new', 'complaint'),
    [
        (METAFILE, 'hg8_256_mpii.py', 'gone.py', 'gone.py" does not exist'),
        (METAFILE, 'hg4_128_mpii.py', 'hg8_256_mpii.py', 'is listed twice'),
        (METAFILE, 'Source: published', 'Source: heard', 'published, with a Reference'),
        (METAFILE, 'Models:', 'Model:', 'is not a metafile'),
        ('README.md', 'table: mpii', 'table: lsp', 'has lsp between its markers'),
        ('README.md', '<!-- end -->', '', 'has no tables between its markers'),
    ],
)
def test_invalid_files_are_one_line_errors(small, file, old, new, complaint):
    text = (small / file).read_text()
    assert old in text
    (small / file).write_text(text.replace(old, new))
    with pytest.raises(UserError, match=re.escape(complaint)) as error:
        update_tables(small, measure=tiny)
    assert '\n' not in str(error.value) and Path(file).name in str(error.value)


def test_the_student_must_be_a_config_with_a_metafile(small):
    fpd = small / 'configs/fpd'
    fpd.mkdir()
    text = (ROOT / 'configs/fpd/hg4_128_fpd_mpii.py').read_text()
    student, addition = "'../hourglass/hg4_128_mpii.py'", "'../_base_/fpd.py'"
    bases = f'[{student}, {addition}]'
    assert bases in text
    (fpd / 'distilled.py').write_text(text)
    content = dict(Collections=[dict(Name='FPD')], Models=None)
    (fpd / 'metafile.yml').write_text(yaml.safe_dump(content))
    update_tables(small, measure=tiny)
    (model,) = yaml.safe_load((fpd / 'metafile.yml').read_text())['Models']
    assert model['Metadata']['Student']['Config'] == 'configs/hourglass/hg4_128_mpii.py'
    (fpd / 'distilled.py').write_text(text.replace(bases, f'[{addition}, {student}]'))
    with pytest.raises(UserError, match='must be the config of the student'):
        update_tables(small, measure=tiny)


def test_the_command_fails_on_check_alone(small, monkeypatch, capsys):
    tool = runpy.run_path(str(ROOT / 'dev/update_tables.py'))
    main = tool['main']
    monkeypatch.setitem(main.__globals__, 'ROOT', small)
    monkeypatch.setattr(zoo, 'update_tables', partial(update_tables, measure=tiny))
    (small / 'model-index.yml').unlink()
    with pytest.raises(SystemExit) as stop:
        main(['--check'])
    assert stop.value.code == 1
    assert capsys.readouterr().out == 'model-index.yml is not up to date\n'
    main([])
    assert capsys.readouterr().out == 'model-index.yml was updated\n'
    main(['--check'])
    assert (small / 'model-index.yml').is_file()

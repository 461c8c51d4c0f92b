"""The studies of the page on evidence can be read, and their networks built."""

from pathlib import Path

import pytest
from mmpose.registry import MODELS

from fpd_mmpose.studies.study_plan import read_study
from tests.helpers import ROOT

STUDIES = sorted((ROOT / 'dev/studies').glob('*.py'))


@pytest.mark.parametrize('path', STUDIES, ids=lambda path: path.stem)
def test_every_arm_has_a_config(path: Path, tmp_path: Path):
    plan = read_study(path)
    assert set(plan.baselines) < set(plan.arms)
    for name, arm in plan.arms.items():
        config = plan.config(name, plan.seeds[0], tmp_path, arm.length)
        student = MODELS.build(config.model)
        if arm.teacher:
            assert config.model.type == 'FPDDistiller'
        assert student.head.decoder.input_size == config.codec.input_size

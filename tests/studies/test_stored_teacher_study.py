"""The study of the stored teacher runs."""

from fpd_mmpose.studies.stored_teacher import VARIANTS, run_variant


def test_every_variant_runs(mpii_root, tmp_path):
    for variant in VARIANTS:
        scores = run_variant(variant, mpii_root, tmp_path, 0, 2, 2)
        assert 0 <= scores['PCKh/Mean'] <= 100
    stored = {path.name for path in tmp_path.glob('*.sqlite')}
    assert stored == {
        'FPD_stored_teacher.sqlite',
        'FPD_stored_teacher_flip_test.sqlite',
    }

"""What a distillation came to: the scores of teacher, start, and best student."""

from mmengine.runner import Runner

from fpd_mmpose.bare_model import bare_model
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.models.distillers import FPDDistiller
from fpd_mmpose.reports.table import LAYOUTS

#: What a run remembers of its start: whether it had weights.
STARTED = 'starts_from_weights'
#: Rows by their keys in a checkpoint's metadata.
ROWS = {
    'teacher': 'Teacher',
    'start': 'Start',
    'best': 'Best student',
    'last': 'Last student',
}
_BEFORE = {'teacher': 'before_training/teacher/', 'start': 'before_training/student/'}


def scores_so_far(runner: Runner, metric: str | None) -> dict[str, dict[str, float]]:
    """Collects the scores that a distillation knows, by the keys of :data:`ROWS`.

    ``metric`` names the score that the best checkpoint is chosen by, if any. There are
    none of plain training.
    """
    if not isinstance(bare_model(runner.model), FPDDistiller):
        return {}
    hub, found = runner.message_hub, {}
    for row, prefix in _BEFORE.items():
        scores = {
            name.removeprefix(prefix): float(values.current())
            for name, values in hub.log_scalars.items()
            if name.startswith(prefix) and len(values.data[0])
        }
        if scores and (row == 'teacher' or hub.get_info(STARTED, False)):
            found[row] = scores
    infos = hub.runtime_info
    best = infos.get('best_score', infos.get(f'best_score_{metric}'))
    courses = {
        name.removeprefix('val/'): list(values.data[0])
        for name, values in hub.log_scalars.items()
        if name.startswith('val/') and name not in ('val/time', 'val/data_time')
    }
    course = courses.get(metric, []) if metric else next(iter(courses.values()), [])
    # One that was saved after the checkpoint that a run resumed from is not known.
    place = course.index(best) if best in course else -1
    row = 'best' if best in course else 'last'
    if course and (row == 'best' or metric is None):
        found[row] = {
            name: float(values[place])
            for name, values in courses.items()
            if len(values) == len(course)
        }
    return found


def outcome_table(scores: dict[str, dict[str, float]]) -> str:
    """Formats the scores as the reference's table, of which a row may be missing."""
    known = [name for one in scores.values() for name in one]
    columns = {name: name for name in dict.fromkeys(known)}
    for layout in LAYOUTS:
        if layout.columns[layout.main] in columns:
            columns = layout.columns
    rows = [
        [ROWS[row], *(f'{one[c]:.3f}' if c in one else '' for c in columns.values())]
        for row, one in scores.items()
    ]
    return markdown_table(['', *columns], rows, pad=True)

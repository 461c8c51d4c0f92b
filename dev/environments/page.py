"""The page that says in which environments this project was tried."""

from collections.abc import Mapping
from pathlib import Path

from environments.rows import ROWS
from fpd_mmpose.markdown import markdown_table

INTRODUCTION = """\
# Environments

`tools/setup_env.sh` makes the first ones, with the versions of `requirements/lock.txt`.
`dev/compat.py` makes all of them anew, and runs `dev/environments/steps.sh` in each: it
draws people, trains a teacher and a student, distills, resumes, tests, exports, and
predicts with `PoseSession` and with `MMPoseInferencer`. *Tests* are those of the whole
project, where they were run; "after a fix" counts those that failed at first and passed
once the code or the test had been fixed. A Python that is not on PATH is passed over.
*Without AVX-512* and *without AVX* are for a processor that has both: the settings in
`dev/environments/rows.py` keep PyTorch, NumPy, and OpenCV from using them; ONNX Runtime
has no such setting. `dev/environments/results.json` has the results below.

MMPose 1.3.1 lacks a fix of the loss of MSPN and RSN (4 tests) and the skeleton of 300VW
(2), and MMEngine 0.10.3 does not validate after the last epoch unless it is due (2).
The other test compares with MMPose 1.3.2. `import fpd_mmpose` warns of packages that
are older than MMPose 1.3.2 and MMEngine 0.10.7.

```bash
python dev/compat.py            # continues where it stopped
python dev/compat.py --suite    # and runs the tests in each
MAX_JOBS=1 python dev/compat.py compiled   # MMCV is compiled only where it is named
```

"""


def write_page(results: Mapping[str, dict], path: Path) -> None:
    """Writes the table of all environments."""
    rows = []
    for name, row in ROWS.items():
        done = results.get(name)
        if done is None:
            rows.append([row.title, 'not tried', '', '', ''])
            continue
        failed = [
            line.split(maxsplit=1)[1] for line in done['steps'] if line[:2] != 'ok'
        ]
        versions = ', '.join(f'{k} {v}' for k, v in done['versions'].items())
        steps = f'**fails**: {"; ".join(failed)}' if failed else 'all work'
        rows.append([row.title, steps, done['suite'], versions, done['date']])
    table = markdown_table(
        ['environment', 'commands', 'tests', 'versions', 'date'], rows, text=range(5)
    )
    path.write_text(f'{INTRODUCTION}{table}\n', encoding='utf-8')

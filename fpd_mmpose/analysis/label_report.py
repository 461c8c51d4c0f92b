"""What an analysis found: a table, a page, and a file of all joints."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from fpd_mmpose.analysis.label_pictures import LABELS, TEACHER, draw_disagreement
from fpd_mmpose.analysis.labeled_people import LabeledPeople
from fpd_mmpose.analysis.suspicions import MOVED, NEAR, SWAPPED, UNLABELED, Suspicions
from fpd_mmpose.analysis.teacher_view import TeacherView
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.inputs import data_url
from fpd_mmpose.markdown import html_rows, markdown_table

PAGE, TABLE = 'analysis.html', 'people.csv'
#: What is written for half a character in the name of a file.
_BROKEN = 'backslashreplace'
_COLUMNS = (
    *('image', 'id', 'joint', 'label_x', 'label_y', 'labeled', 'teacher_x'),
    *('teacher_y', 'teacher_score', 'distance', 'suspicion', 'suspicion_score'),
)
_STYLE = """
body { margin: 0 auto; max-width: 76rem; padding: 1rem; font: 1rem/1.4 sans-serif; }
table { border-collapse: collapse; }
th, td { text-align: right; padding: .1rem .6rem; border-bottom: 1px solid #cbd2d9; }
th:first-child, td:first-child { text-align: left; }
#people { display: grid; grid-template-columns: repeat(auto-fill, 20rem); gap: 1rem; }
figure { margin: 0; overflow-wrap: anywhere; font-size: .85rem; }
figure img, .gone { width: 20rem; height: 20rem; object-fit: contain; }
figure img { background: #000; }
.gone { background: #ddd; color: #333; display: grid; place-content: center; }
"""


@dataclass(frozen=True)
class LabelReport:
    """Where a teacher and labels disagree."""

    people: LabeledPeople  # those that were looked at
    view: TeacherView  # of those whose images can be read
    suspicions: Suspicions  # about the same
    unread: dict[int, str]  # why the images of the others cannot be read, by number
    metainfo: dict[str, Any]  # parsed, with the names and links of the joints
    threshold: float  # the score below which the teacher's keypoints are ignored
    out: Path  # the folder of the files

    @property
    def joints(self) -> list[str]:
        """The names of the K joints."""
        names = self.metainfo['keypoint_id2name']
        return [names[joint] for joint in sorted(names)]

    def suspected(self) -> list[tuple[int, set[int]]]:
        """Lists people and their joints, one of them or a swapped pair, by score."""
        flips, (_, kind, score) = self.metainfo['flip_indices'], self.suspicions
        found = {}
        for row, joint in np.argwhere(np.isin(kind, (MOVED, SWAPPED))).tolist():
            pair = {joint, flips[joint]} if kind[row, joint] == SWAPPED else {joint}
            found[row, min(pair)] = score[row, joint], pair
        ranked = sorted(found.items(), key=lambda one: -one[1][0])
        return [(int(self.view.numbers[row]), pair) for (row, _), (_, pair) in ranked]

    def __str__(self) -> str:
        table = markdown_table(*self._table(), pad=True)
        return f'{table}\n\n{self._summary()}\n{self.out}: {PAGE}, {TABLE}'

    def save(self, pictures: int) -> None:
        """Writes the page, with the first so many people, and the file of all."""
        with replace_when_done(self.out / TABLE) as partial:
            with partial.open('w', -1, 'utf-8', _BROKEN, '') as file:
                writer = csv.writer(file)
                writer.writerow(_COLUMNS)
                writer.writerows(self._rows())
        with replace_when_done(self.out / PAGE) as partial:
            partial.write_text('\n'.join(self._page(pictures)), 'utf-8', _BROKEN)

    def picture(self, row: int) -> np.ndarray | str:
        """Draws a person of the view in uint8 BGR, or says why that cannot be done."""
        image = self.people.image(int(self.view.numbers[row]))
        if isinstance(image, str):
            return image
        links = self.metainfo['skeleton_links']
        return draw_disagreement(
            image, self.view, self.suspicions, row, links, self.threshold
        )

    def _summary(self) -> str:
        kind = self.suspicions.kind
        moved, swapped, supplied = (
            int((kind == one).sum()) for one in (MOVED, SWAPPED, UNLABELED)
        )
        text = (
            f'{len(kind):,} people. The teacher contradicts {moved:,} single labels '
            f'and {swapped // 2:,} left-right pairs, and supplies {supplied:,} joints '
            'without a label.'
        )
        if self.unread:
            reason = next(iter(self.unread.values()))
            text += f' Images that cannot be read: {len(self.unread):,}, first {reason}'
        return text

    def _table(self) -> tuple[list[str], list[list[str]]]:
        """Returns the headings and the rows, the last of which is for all joints."""
        view, (distance, kind, _) = self.view, self.suspicions
        headings = ['joint', 'labels', 'median distance', f'> {NEAR}', '> 1.0']
        headings += ['moved', 'swapped', 'supplied']
        headings += ['teacher nearer to student'] if view.student is not None else []
        rows = []
        for joint, name in enumerate([*self.joints, 'all']):
            chosen = [joint] if joint < len(self.joints) else slice(None)
            there = distance[:, chosen]
            known = ~np.isnan(there)
            away = there[known]
            cells = [f'{np.median(away):.2f}'] if len(away) else ['-']
            cells += [_share(away > limit) for limit in (NEAR, 1.0)]
            cells += [
                f'{(kind[:, chosen] == one).sum():,}'
                for one in (MOVED, SWAPPED, UNLABELED)
            ]
            if view.student is not None:
                apart = [
                    np.linalg.norm(other - view.student, axis=-1)[:, chosen][known]
                    for other in (view.teacher, view.labels)
                ]
                cells.append(_share(apart[0] < apart[1]))
            labels = view.labeled[:, chosen].sum()
            rows.append([name.replace('_', ' '), f'{labels:,}', *cells])
        return headings, rows

    def _rows(self) -> Iterator[Sequence[Any]]:
        view, (distance, kind, score) = self.view, self.suspicions
        for row, number in enumerate(view.numbers.tolist()):
            for joint, name in enumerate(self.joints):
                label: list[Any] = ['', '']
                if view.labeled[row, joint]:
                    label = view.labels[row, joint].round(2).tolist()
                found: list[Any] = ['', '', '']
                if view.score[row, joint] > 0:
                    found = view.teacher[row, joint].astype(float).round(2).tolist()
                    found.append(f'{view.score[row, joint]:.3f}')
                away = distance[row, joint]
                yield (
                    *(*self.people.name(number), name, *label),
                    *(int(view.labeled[row, joint]), *found),
                    '' if np.isnan(away) else f'{away:.3f}',
                    kind[row, joint],
                    f'{score[row, joint]:.3f}' if kind[row, joint] else '',
                )

    def _page(self, pictures: int) -> Iterator[str]:
        yield '<!doctype html><html lang="en"><meta charset="utf-8">'
        yield f'<title>Teacher and labels</title><style>{_STYLE}</style>'
        yield '<h1>Where teacher and labels disagree</h1>'
        yield f'<p>{escape(self._summary())}</p>'
        yield f'<table>{html_rows(*self._table())}</table>'
        yield '<p>Distances are in head sizes. The most suspicious people come'
        yield f'first: <b style="color:{_css(LABELS)}">labels</b> and'
        yield f'<b style="color:{_css(TEACHER)}">what the teacher sees</b>, with rings'
        yield 'where these differ; in parentheses, how suspicious that is.</p>'
        yield '<div id="people">'
        ranking = self.suspicions.ranking()
        is_odd = (self.suspicions.kind[ranking] != '').any(axis=1)
        for row in ranking[is_odd][:pictures]:
            yield self._figure(row)
        for number, reason in list(self.unread.items())[:pictures]:
            yield _figure(self.people.name(number), reason, '')
        yield '</div></html>'

    def _figure(self, row: int) -> str:
        distance, kind, score = (field[row] for field in self.suspicions)
        number = int(self.view.numbers[row])
        lines = []
        for joint in np.argsort(-score, kind='stable'):
            if kind[joint]:
                away = '' if np.isnan(distance[joint]) else f', {distance[joint]:.1f}'
                name = self.joints[joint].replace('_', ' ')
                lines.append(f'{name} {kind[joint]}{away} ({score[joint]:.2f})')
        return _figure(self.people.name(number), self.picture(row), '; '.join(lines))


def _figure(person: tuple[str, Any], image: np.ndarray | str, text: str) -> str:
    if isinstance(image, str):
        shown = f'<div class="gone">{escape(image)}</div>'
    else:
        shown = f'<img alt="" src="{data_url(image, 80)}">'
    path, identity = person
    caption = f'{Path(path).name}, id {identity}: {text}'
    return f'<figure>{shown}<figcaption>{escape(caption)}</figcaption></figure>'


def _share(hits: np.ndarray) -> str:
    return f'{hits.mean():.1%}' if hits.size else '-'


def _css(bgr: tuple[int, ...]) -> str:
    return f'rgb{bgr[::-1]}'

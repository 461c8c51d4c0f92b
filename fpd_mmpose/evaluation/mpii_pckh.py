"""PCKh as the reference computes it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from scipy.io import savemat

from fpd_mmpose.errors import UserError
from fpd_mmpose.files import replace_when_done
from fpd_mmpose.markdown import markdown_table
from fpd_mmpose.readers.annotations import MPII_TWINS, in_either_layout
from fpd_mmpose.readers.mpii_ground_truth import NUM_JOINTS, read_mpii_ground_truth

#: Columns of the reference's table, and the keypoints that each of them averages.
COLUMNS = {
    'Head': (9,),
    'Shoulder': (13, 12),
    'Elbow': (14, 11),
    'Wrist': (15, 10),
    'Hip': (3, 2),
    'Knee': (4, 1),
    'Ankle': (5, 0),
}
#: All columns of the reference's table.
SCORES = (*COLUMNS, 'Mean', 'Mean@0.1')
#: Pelvis and thorax, which the benchmark excludes from the mean.
EXCLUDED = (6, 7)
_THRESHOLDS = np.arange(0, 51) / 100


def mpii_pckh(
    keypoints: np.ndarray,
    target: np.ndarray,
    visible: np.ndarray,
    head_size: np.ndarray,
) -> dict[str, float]:
    """Computes the columns of MPII's table, as ``mpii.py`` of the reference does.

    Args:
        keypoints: (N, 16, 2) predictions in pixels.
        target: (N, 16, 2) ground truth in the same pixels.
        visible: (N, 16) bool, whether a keypoint is annotated.
        head_size: (N,) head sizes in pixels, which are 0.6 of the diagonal of the head
            box.

    Returns:
        Percentages: PCKh@0.5 of the seven columns and, averaged over annotated
        keypoints, of ``Mean``; ``Mean@0.1``, the reference's name for the mean at 0.11;
        ``PCKh@0.1``, the mean at 0.1; and ``AUC``, the average of the mean over
        thresholds from 0 to 0.5. NaN where nothing is annotated.

    Example:
        >>> import numpy as np
        >>> from fpd_mmpose.evaluation import mpii_pckh
        >>> target, visible = np.zeros((1, 16, 2)), np.ones((1, 16), bool)
        >>> scores = mpii_pckh(target + (0, 3), target, visible, np.array([10.0]))
        >>> scores['Mean'], scores['PCKh@0.1']
        (100.0, 0.0)
    """
    distance = head_distances(keypoints, target, head_size)
    count = visible.sum(axis=0)
    with np.errstate(invalid='ignore', divide='ignore'):
        # (thresholds, keypoints)
        accuracy = np.stack(
            [
                100.0 * ((distance <= threshold) & visible).sum(axis=0) / count
                for threshold in _THRESHOLDS
            ]
        )
    weight = count.astype(np.float64)
    weight[list(EXCLUDED)] = 0
    if weight.any():
        mean = np.average(np.nan_to_num(accuracy), axis=1, weights=weight)
    else:
        mean = np.full(len(_THRESHOLDS), np.nan)
    table = {
        name: accuracy[-1, list(joints)].mean() for name, joints in COLUMNS.items()
    }
    table['Mean'] = mean[50]
    table['Mean@0.1'] = mean[11]
    table['PCKh@0.1'] = mean[10]
    table['AUC'] = mean.mean()
    return {name: float(value) for name, value in table.items()}


def head_distances(
    keypoints: np.ndarray, target: np.ndarray, head_size: np.ndarray
) -> np.ndarray:
    """Returns how far keypoints are from the ground truth, in head sizes, (N, K)."""
    return np.linalg.norm(keypoints - target, axis=-1) / head_size[:, None]


@METRICS.register_module()
class MpiiPCKh(BaseMetric):
    """PCKh on MPII, with the columns of the reference; see :func:`mpii_pckh`.

    Predictions and ground truth must be in the same 0-based pixels, as with
    :class:`FPDMpiiDataset`. Save the best checkpoint by ``PCKh/Mean``.

    People without ground truth, such as those of MPII's test set, are not evaluated:
    write their predictions to ``pred_file`` instead.

    Args:
        gt_file: ``gt_valid.mat``, with the people of the annotation file in the same
            order. Defaults to the ground truth that the dataset reads from its JSON
            file and its ``headbox_file``.
        pred_file: The .mat file to write predictions to, as the reference's
            ``pred.mat``: ``preds``, (N, 16, 2), in 1-based pixels, in the order of the
            annotation file.
        collect_device: ``'cpu'`` or ``'gpu'``.
        prefix: The prefix of the metric names. Defaults to ``'PCKh'``.

    Raises:
        UserError: If ``gt_file`` is missing or is not a ground truth of MPII.

    Example:
        >>> from mmpose.registry import METRICS
        >>> metric = METRICS.build(dict(type='MpiiPCKh', pred_file='pred.mat'))
        >>> metric.prefix, metric.pred_file
        ('PCKh', 'pred.mat')
    """

    default_prefix = 'PCKh'

    def __init__(
        self,
        gt_file: str | None = None,
        pred_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ) -> None:
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.gt_file = gt_file and in_either_layout(gt_file, MPII_TWINS)
        self.truth = read_mpii_ground_truth(self.gt_file) if self.gt_file else None
        self.pred_file = pred_file

    @property
    def dataset_meta(self) -> dict | None:
        """The metainfo of the dataset, whose keypoints must be MPII's."""
        return self._dataset_meta

    @dataset_meta.setter
    def dataset_meta(self, meta: dict) -> None:
        count = meta.get('num_keypoints', NUM_JOINTS)
        if count != NUM_JOINTS:
            raise UserError(
                f'MpiiPCKh needs the {NUM_JOINTS} keypoints of MPII, but the dataset '
                f'has {count}: set `type` of the evaluator to PCKAccuracy'
            )
        self._dataset_meta = meta

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Collects the predictions and the ground truth of a batch."""
        for sample in data_samples:
            given = sample['gt_instances']
            keypoints = np.asarray(sample['pred_instances']['keypoints'])[0]
            result = dict(id=sample.get('id'), keypoints=keypoints)
            if self.truth:
                result |= self._truth_from_file(sample['id'], given)
            elif 'keypoints' in given:
                result |= _truth_from_sample(given)
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Logs and returns the table, which is empty if nobody has ground truth."""
        logger = MMLogger.get_current_instance()
        if self.pred_file:
            ordered = sorted(results, key=lambda result: result['id'])
            preds = np.stack([result['keypoints'] for result in ordered]) + 1.0
            with replace_when_done(self.pred_file) as path:
                savemat(path, {'preds': preds})
            logger.info(f'wrote predictions of {len(preds)} people: "{self.pred_file}"')
        evaluated = [result for result in results if 'target' in result]
        if len(evaluated) < len(results):
            logger.warning(
                f'{len(results) - len(evaluated)} of {len(results)} people have no '
                'ground truth and are not evaluated'
            )
        if not evaluated:
            return {}
        columns = {
            name: np.array([result[name] for result in evaluated])
            for name in ('keypoints', 'target', 'visible', 'head_size')
        }
        table = mpii_pckh(**columns)
        rows = [[f'{value:.3f}' for value in table.values()]]
        logger.info(
            f'\n{markdown_table(list(table), rows, text=(), pad=True)}\n'
            "Mean@0.1 is the reference's name for the mean at 0.11; PCKh@0.1 is at 0.1."
        )
        return table

    def _truth_from_file(self, index: int, given: dict) -> dict[str, Any]:
        assert self.truth is not None
        people = len(self.truth.head_size)
        if index >= people:
            raise UserError(
                f'"{self.gt_file}" has {people} people, but the dataset has a record '
                f'{index}: do they belong together?'
            )
        keypoints, visible, head_size = (field[index] for field in self.truth)
        if 'keypoints' in given:
            away = np.abs(np.asarray(given['keypoints'])[0] - keypoints)[visible]
            if (away > 1).any():
                raise UserError(
                    f'record {index} of "{self.gt_file}" and of the dataset have '
                    'different keypoints: do they belong together?'
                )
        return dict(target=keypoints, visible=visible, head_size=head_size)


def _truth_from_sample(given: dict) -> dict[str, Any]:
    if 'head_size' not in given:
        raise UserError(
            'MpiiPCKh needs head sizes: set `headbox_file` of the test dataset, or '
            '`gt_file` of the metric'
        )
    visible = np.asarray(given['keypoints_visible'])
    if visible.ndim == 3:
        visible = visible[..., 0]
    return dict(
        target=np.asarray(given['keypoints'])[0],
        visible=visible[0] > 0,
        head_size=np.asarray(given['head_size']).item(),
    )

"""PCKh as the reference prints it."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import MMLogger
from mmpose.registry import METRICS
from scipy.io import savemat

from fpd_mmpose.atomic import replace_when_done
from fpd_mmpose.datasets.files import MPII_TWINS, in_either_layout
from fpd_mmpose.datasets.mpii_ground_truth import read_mpii_ground_truth

#: Columns of the reference's table and the joints that each one averages.
COLUMNS = {
    'Head': (9,),
    'Shoulder': (13, 12),
    'Elbow': (14, 11),
    'Wrist': (15, 10),
    'Hip': (3, 2),
    'Knee': (4, 1),
    'Ankle': (5, 0),
}
#: Pelvis and thorax, which the benchmark leaves out of the mean.
LEFT_OUT = (6, 7)
THRESHOLDS = np.arange(0, 51) / 100


def mpii_pckh(
    keypoints: np.ndarray,
    target: np.ndarray,
    visible: np.ndarray,
    head_size: np.ndarray,
) -> dict[str, float]:
    """Computes the columns of MPII's table (``mpii.py`` of the released FPD code).

    Args:
        keypoints (np.ndarray): Predictions in pixels, (N, 16, 2).
        target (np.ndarray): Ground truth in the same pixels, (N, 16, 2).
        visible (np.ndarray): Whether a joint is annotated, bool, (N, 16).
        head_size (np.ndarray): Head sizes in pixels (0.6 of the head box's
            diagonal), (N,).

    Returns:
        dict: Percentages: seven pairs of joints and ``Mean`` at PCKh@0.5, the latter
        weighted by the number of annotated joints; ``Mean@0.1``, which under that
        name the reference takes at 0.11; the true ``PCKh@0.1``; and ``AUC``, the
        average of the mean over thresholds 0 to 0.5. NaN where nothing is annotated.
    """
    distance = np.linalg.norm(keypoints - target, axis=-1) / head_size[:, None]
    count = visible.sum(axis=0)
    with np.errstate(invalid='ignore', divide='ignore'):
        # (thresholds, joints)
        accuracy = np.stack(
            [
                100.0 * ((distance <= threshold) & visible).sum(axis=0) / count
                for threshold in THRESHOLDS
            ]
        )
    weight = count.astype(np.float64)
    weight[list(LEFT_OUT)] = 0
    if not weight.any():
        mean = np.full(len(THRESHOLDS), np.nan)
    else:
        mean = np.average(np.nan_to_num(accuracy), axis=1, weights=weight)
    table = {
        name: accuracy[-1, list(joints)].mean() for name, joints in COLUMNS.items()
    }
    table['Mean'] = mean[50]
    table['Mean@0.1'] = mean[11]
    table['PCKh@0.1'] = mean[10]
    table['AUC'] = mean.mean()
    return {name: float(value) for name, value in table.items()}


@METRICS.register_module()
class MpiiPCKh(BaseMetric):
    """PCKh on MPII in the columns of the released FPD code.

    It expects predictions and ground truth in the same 0-based pixels, as
    :class:`FPDMpiiDataset` gives them. Save the best checkpoint by ``PCKh/Mean``.
    ``Mean@0.1`` is the reference's name of a mean that it takes at 0.11; the true one
    is ``PCKh@0.1``.

    The ground truth is that of ``gt_file``, else what the data set read from its JSON
    and its ``headbox_file``. People without ground truth (MPII's test set) are not
    measured: write their predictions with ``pred_file``.

    Args:
        gt_file (str, optional): ``gt_valid.mat``; its people are those of the
            annotation file, in that order.
        pred_file (str, optional): Where to write the predictions, as the reference's
            ``pred.mat``: ``preds``, (N, 16, 2), in 1-based pixels, in the order of the
            annotation file.
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Put before the names. Defaults to ``'PCKh'``.

    Raises:
        ValueError: If ``gt_file`` is missing or is not MPII's.
    """

    default_prefix = 'PCKh'

    def __init__(
        self,
        gt_file: str | None = None,
        pred_file: str | None = None,
        collect_device: str = 'cpu',
        prefix: str | None = None,
    ):
        super().__init__(collect_device=collect_device, prefix=prefix)
        self.gt_file = gt_file and in_either_layout(gt_file, MPII_TWINS)
        self.truth = read_mpii_ground_truth(self.gt_file) if gt_file else None
        self.pred_file = pred_file

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Collects predictions and ground truth of a batch.

        Args:
            data_batch (Sequence[dict]): Not used.
            data_samples (Sequence[dict]): With ``pred_instances`` and
                ``gt_instances``, which need ``head_size``; with ``gt_file`` also
                ``id``, the record.

        Raises:
            ValueError: If ``head_size`` is missing, or a person is not in ``gt_file``.
        """
        for sample in data_samples:
            given = sample['gt_instances']
            keypoints = np.asarray(sample['pred_instances']['keypoints'])[0]
            result = dict(id=sample.get('id'), keypoints=keypoints)
            if self.truth:
                result |= self._truth_of_file(result['id'], given)
            elif 'keypoints' in given:
                result |= _truth_of_sample(given)
            self.results.append(result)

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Computes the table, and logs it.

        Args:
            results (list[dict]): What :meth:`process` collected.

        Returns:
            dict: See :func:`mpii_pckh`. Empty where people have no ground truth.
        """
        logger = MMLogger.get_current_instance()
        if self.pred_file:
            ordered = sorted(results, key=lambda result: result['id'])
            preds = np.stack([result['keypoints'] for result in ordered]) + 1.0
            with replace_when_done(self.pred_file) as path:
                savemat(path, {'preds': preds})
            logger.info(f'predictions of {len(preds)} people: "{self.pred_file}"')
        measured = [result for result in results if 'target' in result]
        if len(measured) < len(results):
            logger.warning(
                f'{len(results) - len(measured)} of {len(results)} people have no '
                'ground truth and are not measured'
            )
        if not measured:
            return {}
        columns = {
            name: np.array([result[name] for result in measured])
            for name in ('keypoints', 'target', 'visible', 'head_size')
        }
        table = mpii_pckh(**columns)
        logger.info(_as_text(table))
        return table

    def _truth_of_file(self, index: int, given: dict) -> dict:
        if index >= len(self.truth.head_size):
            raise ValueError(
                f'"{self.gt_file}" has {len(self.truth.head_size)} people, and the '
                f'data set a record {index}: do they belong together?'
            )
        keypoints, visible, head_size = (field[index] for field in self.truth)
        if 'keypoints' in given:
            away = np.abs(np.asarray(given['keypoints'])[0] - keypoints)[visible]
            if (away > 1).any():
                raise ValueError(
                    f'record {index} of "{self.gt_file}" has other joints than the '
                    'data set: do they belong together?'
                )
        return dict(target=keypoints, visible=visible, head_size=head_size)


def _truth_of_sample(given: dict) -> dict:
    if 'head_size' not in given:
        raise ValueError(
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


def _as_text(table: dict[str, float]) -> str:
    rows = [list(table), ['---'] * len(table), [f'{v:.3f}' for v in table.values()]]
    lines = ['| ' + ' | '.join(row) + ' |' for row in rows]
    note = "Mean@0.1: the reference's name for 0.11; PCKh@0.1 is at 0.10"
    return '\n'.join(['', *lines, note])

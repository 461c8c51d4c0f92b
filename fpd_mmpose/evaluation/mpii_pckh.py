"""PCKh as the reference prints it."""

from collections.abc import Sequence

import numpy as np
from mmengine.evaluator import BaseMetric
from mmpose.registry import METRICS

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

    It expects predictions and ground truth in the same pixels, as
    :class:`FPDMpiiDataset` gives them. Save the best checkpoint by ``PCKh/Mean``.

    Args:
        collect_device (str): ``'cpu'`` or ``'gpu'``. Defaults to ``'cpu'``.
        prefix (str, optional): Put before the names. Defaults to ``'PCKh'``.
    """

    default_prefix = 'PCKh'

    def process(self, data_batch: Sequence[dict], data_samples: Sequence[dict]) -> None:
        """Collects predictions and ground truth of a batch.

        Args:
            data_batch (Sequence[dict]): Not used.
            data_samples (Sequence[dict]): With ``pred_instances`` and
                ``gt_instances``, which need ``head_size``.

        Raises:
            ValueError: If ``head_size`` is missing.
        """
        for sample in data_samples:
            truth = sample['gt_instances']
            if 'head_size' not in truth:
                raise ValueError(
                    'MpiiPCKh needs head sizes: set `headbox_file` of the test dataset'
                )
            visible = np.asarray(truth['keypoints_visible'])
            if visible.ndim == 3:
                visible = visible[..., 0]
            self.results.append(
                dict(
                    keypoints=np.asarray(sample['pred_instances']['keypoints'])[0],
                    target=np.asarray(truth['keypoints'])[0],
                    visible=visible[0] > 0,
                    head_size=np.asarray(truth['head_size']).item(),
                )
            )

    def compute_metrics(self, results: list[dict]) -> dict[str, float]:
        """Computes the table.

        Args:
            results (list[dict]): What :meth:`process` collected.

        Returns:
            dict: See :func:`mpii_pckh`.
        """
        columns = {
            name: np.array([result[name] for result in results])
            for name in ('keypoints', 'target', 'visible', 'head_size')
        }
        return mpii_pckh(**columns)

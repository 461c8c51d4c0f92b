"""The people of a validation on whom a network is farthest from the labels."""

from collections.abc import Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import numpy as np
from mmengine.dist import all_gather_object
from mmpose.structures import PoseDataSample


class WorstPerson(NamedTuple):
    """A person, and how far the keypoints are from the labels."""

    error: float  # mean distance of the labeled joints, as a share of the crop's height
    image: str  # its path
    id: Any  # the person's, in the annotation file


class WorstPeople:
    """Collects the ``count`` worst people of a validation."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._found: list[WorstPerson] = []

    def add(self, samples: Sequence[PoseDataSample]) -> None:
        """Adds tested people; those without labels are left out."""
        found = [person for sample in samples if (person := _measured(sample))]
        self._found = nlargest(self._count, self._found + found)

    def take(self) -> list[WorstPerson]:
        """Returns the worst people of all processes, and forgets them."""
        gathered, self._found = all_gather_object(self._found), []
        # A sampler repeats people where the processes have unequal shares.
        return nlargest(self._count, {person for part in gathered for person in part})


def _measured(sample: PoseDataSample) -> WorstPerson | None:
    labels, found = sample.get('gt_instances'), sample.get('pred_instances')
    known = {*sample.metainfo} >= {'img_path', 'id', 'input_scale'}
    if labels is None or found is None or not known or 'keypoints' not in labels:
        return None
    truth, keypoints = (np.asarray(one.keypoints)[..., :2] for one in (labels, found))
    visible = np.asarray(labels.get('keypoints_visible', np.ones(truth.shape[:2])))
    visible = (visible if visible.ndim == 2 else visible[..., 0]) > 0
    if truth.shape != keypoints.shape or len(truth) != 1 or not visible.any():
        return None
    distance = np.linalg.norm(keypoints - truth, axis=-1)[visible].mean()
    error = float(distance / sample.metainfo['input_scale'][1])
    return WorstPerson(error, str(sample.img_path), sample.id)

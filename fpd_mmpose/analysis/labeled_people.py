"""The labeled people of a config, cropped without augmentation."""

from typing import Any

import numpy as np
from mmengine.config import Config
from mmengine.dataset import Compose
from mmpose.registry import DATASETS
from torch.utils.data import Dataset

from fpd_mmpose.errors import UserError
from fpd_mmpose.teachers.cache.identity import BOX, LOADING, sources_of

#: Puts the labels of a dataset in the order of the student's joints.
_CONVERTER = 'KeypointConverter'


class LabeledPeople(Dataset):
    """The first ``limit`` people of a split's datasets that have labels.

    An item is what the pipeline packs, or the reason why the image cannot be read.
    """

    def __init__(self, config: Config, split: str, limit: int | None = None) -> None:
        self._places: list[tuple[Any, int]] = []
        self._steps = {}
        for source in sources_of(config, split):
            # Detected boxes have no labels.
            settings = {k: v for k, v in source.settings.items() if k != 'bbox_file'}
            dataset = DATASETS.build(dict(settings, pipeline=[]))
            if not len(dataset) or 'keypoints' not in dataset.get_data_info(0):
                continue
            steps = [s for s in source.steps if s['type'] in (*BOX, _CONVERTER)]
            steps += [source.crop(), dict(type='FPDPackPoseInputs')]
            loading = [s for s in source.steps if s['type'] in LOADING]
            self._steps[dataset] = Compose(loading), Compose(steps)
            self._places += [(dataset, index) for index in range(len(dataset))]
        if not self._places:
            raise UserError(
                f'the {split} datasets of the config have no people with labels, so '
                'there is nothing to compare the teacher with'
            )
        self._places = self._places[:limit]

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, number: int) -> dict[str, Any] | str:
        loaded = self._load(number)
        if isinstance(loaded, str):
            return loaded
        return self._steps[self._places[number][0]][1](loaded)

    def name(self, number: int) -> tuple[str, Any]:
        """Returns the path of a person's image, and the person's id."""
        dataset, index = self._places[number]
        record = dataset.get_data_info(index)
        path = str(record['img_path'])
        frame = f' frame {record["frame_index"]}' if 'frame_index' in record else ''
        return path + frame, record.get('id', index)

    def image(self, number: int) -> np.ndarray | str:
        """Returns a person's image as uint8 BGR, or why it cannot be read."""
        loaded = self._load(number)
        return loaded if isinstance(loaded, str) else loaded['img'].astype(np.uint8)

    def _load(self, number: int) -> dict[str, Any] | str:
        dataset, index = self._places[number]
        try:
            return self._steps[dataset][0](dataset.get_data_info(index))
        except Exception as error:  # of many types: one image must not end the run
            return str(UserError(str(error) or type(error).__name__))

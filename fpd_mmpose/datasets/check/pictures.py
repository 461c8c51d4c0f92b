"""Pictures of people with their joints and boxes, to look at."""

from pathlib import Path

import cv2
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.atomic import replace_when_done

from .images import READ_FLAGS
from .people import People, people_of
from .pipeline import spread

#: Smaller images are enlarged to this longer side.
LONGER_SIDE = 640


def draw_people(
    folder: str | Path, title: str, people: People, readable: list[int]
) -> None:
    """Draws a few people of a dataset.

    Args:
        folder (str | Path): Where the pictures go, named after dataset and record.
        title (str): Name of the dataset.
        people (People): Its records.
        readable (list[int]): Records whose images can be opened.
    """
    visualizer = PoseLocalVisualizer(radius=4, line_width=2)
    visualizer.set_dataset_meta(people.dataset.metainfo, skeleton_style='mmpose')
    for index in spread(readable):
        record = people.record(index)
        image = cv2.imread(str(record['img_path']), READ_FLAGS)
        zoom = max(1.0, LONGER_SIDE / max(image.shape[:2]))
        image = cv2.resize(image, None, fx=zoom, fy=zoom)
        boxes, keypoints, visible = people_of(record)
        truth = InstanceData(bboxes=boxes * zoom)
        if not people.detections:
            truth.keypoints = keypoints * zoom
            truth.keypoints_visible = visible.astype(float)
        name = f'{title.replace(", ", "_").replace(" ", "_")}_{index:06d}.jpg'
        with replace_when_done(Path(folder) / name) as partial:
            visualizer.add_datasample(
                title,
                image[..., ::-1],
                PoseDataSample(gt_instances=truth),
                draw_pred=False,
                draw_bbox=True,
                out_file=str(partial),
            )

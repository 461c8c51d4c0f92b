"""Draws people with their joints and boxes."""

from pathlib import Path

import cv2
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from mmpose.visualization import PoseLocalVisualizer

from fpd_mmpose.checks.pipeline import spread
from fpd_mmpose.checks.records import People, people_of
from fpd_mmpose.datasets.transforms import FPDLoadImage
from fpd_mmpose.files import replace_when_done

#: Smaller images are enlarged to this longer side.
LONGER_SIDE = 640
#: What `FPDLoadImage` reads of a record.
SOURCE_KEYS = ('img_path', 'frame_index', 'apply_exif')


def draw_people(
    folder: str | Path, title: str, people: People, readable: list[int]
) -> None:
    """Draws a few of the readable records; files are named after split and record."""
    visualizer = PoseLocalVisualizer(radius=4, line_width=2)
    visualizer.set_dataset_meta(people.dataset.metainfo, skeleton_style='mmpose')
    load = FPDLoadImage()
    for index in spread(readable):
        record = people.record(index)
        # Without the box, which may be outside the image.
        source = {key: record[key] for key in SOURCE_KEYS if key in record}
        image = load(source)['img']
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

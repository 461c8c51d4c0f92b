"""What a weight file says of joints: names, and how they are flipped and drawn."""

from typing import Any

import numpy as np

#: Fields of MMPose that may have any value.
_FREE = {'dataset_name', 'num_skeleton_links', 'stats_info'}


def sound_metainfo(meta: Any) -> dict[str, Any] | None:
    """Returns the fields of MMPose in a ``dataset_meta``; None if one of them is wrong.

    Others could replace an image or a box on its way through a pipeline.
    """
    try:
        count, links = meta['num_keypoints'], len(meta['skeleton_links'])
        # The lengths that there may be, the numbers in an item, and their limit.
        shapes: dict[str, tuple[set[int] | range, int, float]] = {
            'flip_indices': ({count}, 1, count),
            'flip_pairs': (range(count + 1), 2, count),
            'upper_body_ids': (range(count + 1), 1, count),
            'lower_body_ids': (range(count + 1), 1, count),
            'skeleton_links': ({links}, 2, count),
            'skeleton_link_colors': ({links}, 3, 256),
            'keypoint_colors': ({count}, 3, 256),
            'dataset_keypoint_weights': (range(count + 1), 1, np.inf),
            'sigmas': ({0, count}, 1, np.inf),
        }
        names = {index: meta['keypoint_id2name'][index] for index in range(count)}
        is_sound = meta['keypoint_id2name'] == names and meta['keypoint_name2id'] == {
            name: index for index, name in names.items() if isinstance(name, str)
        }
        for field, (lengths, width, end) in shapes.items():
            values = np.asarray(meta[field])
            kinds = 'iuf' if end > count else 'iu'
            is_sound &= (
                len(values) in lengths
                and values.size == len(values) * width
                and (not len(values) or values.dtype.kind in kinds)
                and bool(((values >= 0) & (values < end)).all())
            )
    except (LookupError, TypeError, ValueError, OverflowError, AttributeError):
        return None
    known = {*shapes, *_FREE, 'num_keypoints', 'keypoint_id2name', 'keypoint_name2id'}
    return {k: v for k, v in meta.items() if k in known} if is_sound else None

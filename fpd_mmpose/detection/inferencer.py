"""mmdet's inferencer, with weights that fit."""

from typing import Any

from mmdet.apis import DetInferencer
from torch import nn


class FittingDetInferencer(DetInferencer):
    """The stock inferencer, which refuses weights of another network.

    ``DetInferencer`` goes on with random numbers where the weights have no value of
    the right name and shape, and finds nothing or nonsense.

    Raises:
        ValueError: If there are no weights or they do not fit. One line.
    """

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict | None, cfg: Any
    ) -> None:
        if checkpoint is None:
            raise ValueError('the detector has no weights: pass them with --weights')
        state = checkpoint.get('state_dict', checkpoint)
        state = {name.removeprefix('module.'): value for name, value in state.items()}
        try:
            misfits = model.load_state_dict(state, strict=False).missing_keys
        except RuntimeError as error:  # a line for each shape that differs
            misfits = [line.strip() for line in str(error).splitlines()[1:]]
        if misfits:
            raise ValueError(
                "the detector's weights are of another network than its config: "
                f'{len(misfits)} do not fit, the first is {misfits[0].rstrip(".")}; '
                'pass --config and --weights that belong together'
            )
        super()._load_weights_to_model(model, checkpoint, cfg)

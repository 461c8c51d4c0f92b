"""MMDetection's inferencer with strict loading of weights."""

from typing import Any

from mmdet.apis import DetInferencer
from torch import nn

from fpd_mmpose.errors import UserError


class StrictDetInferencer(DetInferencer):
    """The stock inferencer, with an error for weights of another network.

    ``DetInferencer`` silently keeps random values for parameters that the weights do
    not contain, and then detects nothing or nonsense.
    """

    def _load_weights_to_model(
        self, model: nn.Module, checkpoint: dict | None, cfg: Any
    ) -> None:
        if checkpoint is None:
            raise UserError('the detector has no weights: pass --det-checkpoint')
        state = checkpoint.get('state_dict', checkpoint)
        state = {name.removeprefix('module.'): value for name, value in state.items()}
        try:
            misfits = model.load_state_dict(state, strict=False).missing_keys
        except RuntimeError as error:  # a line for each shape that differs
            misfits = [line.strip() for line in str(error).splitlines()[1:]]
        if misfits:
            raise UserError(
                'the weights of the detector do not match its config (mismatches: '
                f'{len(misfits)}, the first is {misfits[0].rstrip(".")}): pass '
                '--det-config and --det-checkpoint of the same network'
            )
        super()._load_weights_to_model(model, checkpoint, cfg)

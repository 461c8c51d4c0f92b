"""Takes models out of the wrappers of distributed runs."""

from typing import Any

from mmengine.model import is_model_wrapper


def bare_model(model: Any) -> Any:
    """Returns the model inside a wrapper, or the model if it has none."""
    return model.module if is_model_wrapper(model) else model

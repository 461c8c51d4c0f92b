"""All targets, by name."""

from fuzzing import (
    annotation_targets,
    cache_targets,
    mat_targets,
    media_targets,
    metadata_targets,
    network_targets,
    report_targets,
    resume_targets,
    run_targets,
    web_targets,
    weight_targets,
)
from fuzzing.subjects import Target

TARGETS: dict[str, Target] = {
    **annotation_targets.TARGETS,
    **cache_targets.TARGETS,
    **mat_targets.TARGETS,
    **media_targets.TARGETS,
    **metadata_targets.TARGETS,
    **network_targets.TARGETS,
    **report_targets.TARGETS,
    **resume_targets.TARGETS,
    **run_targets.TARGETS,
    **web_targets.TARGETS,
    **weight_targets.TARGETS,
}

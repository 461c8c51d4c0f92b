"""Results of the inference benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.inference_engines import TITLES
from benchmarks.inference_networks import Network


@dataclass(frozen=True)
class Settings:
    """What is measured, and how."""

    engines: Sequence[str] = tuple(TITLES)  # keys of inference_engines.TITLES
    batches: Sequence[int] = (1, 16)
    threads: Sequence[int] = (1, 2)
    rounds: int = 3
    compile_all: bool = False
    memory: bool = True


@dataclass
class Row:
    """The times of a network with an engine, or of a pipeline."""

    network: str
    engine: str
    title: str
    threads: int
    batch: int
    seconds: list[float] = field(default_factory=list)  # of a batch, for each round
    # Of heatmaps, as a share of the highest value; of keypoints, the median in pixels.
    difference: float = 0.0

    @property
    def median(self) -> float:
        """Returns the seconds for a batch."""
        return median(self.seconds)

    @property
    def rate(self) -> float:
        """Returns the people per second."""
        return self.batch / self.median


@dataclass(frozen=True)
class Missing:
    """A measurement that failed, and why, in one line."""

    network: str
    title: str
    reason: str


@dataclass
class InferenceCosts:
    """All results of a benchmark."""

    networks: list[Network]  # the student first
    settings: Settings
    alone: list[Row] = field(default_factory=list)  # from crops to heatmaps
    whole: list[Row] = field(default_factory=list)  # from JPEG and boxes to keypoints
    missing: list[Missing] = field(default_factory=list)
    # Highest resident memory in bytes by network, engine, and batch.
    memory: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)

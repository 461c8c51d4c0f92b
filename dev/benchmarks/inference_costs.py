"""Figures of the inference benchmark."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from benchmarks.inference_engines import TITLES
from benchmarks.inference_networks import Network


@dataclass(frozen=True)
class Settings:
    """What is measured.

    Args:
        engines (Sequence[str]): Of ``inference_engines.TITLES``.
        batches (Sequence[int]): Numbers of people that are taken together.
        threads (Sequence[int]): Numbers of threads.
        rounds (int): How often each figure is taken.
        compile_all (bool): Whether each network is compiled for each batch, which takes
            minutes every time, or the student for the smallest batch alone.
        memory (bool): Whether to start a process for each network and engine that
            measures its memory.
    """

    engines: Sequence[str] = tuple(TITLES)
    batches: Sequence[int] = (1, 16)
    threads: Sequence[int] = (1, 2)
    rounds: int = 3
    compile_all: bool = False
    memory: bool = True


@dataclass
class Row:
    """What one way to run a network takes.

    Attributes:
        network (str): Its name.
        engine (str): Of ``inference_engines.TITLES``.
        title (str): What the table calls the engine, or the pipeline around it.
        threads (int): Of the CPU.
        batch (int): People that are taken together.
        seconds (list[float]): For a batch, one for each round.
        difference (float): From the first of its kind: of heatmaps as a share of the
            highest value, of keypoints the median in pixels.
    """

    network: str
    engine: str
    title: str
    threads: int
    batch: int
    seconds: list[float] = field(default_factory=list)
    difference: float = 0.0

    @property
    def median(self) -> float:
        """Seconds for a batch."""
        return median(self.seconds)

    @property
    def rate(self) -> float:
        """People per second."""
        return self.batch / self.median


@dataclass(frozen=True)
class Missing:
    """What could not be measured.

    Attributes:
        network (str): Its name.
        title (str): What the table calls what should run it.
        reason (str): Why it does not. One line.
    """

    network: str
    title: str
    reason: str


@dataclass
class InferenceCosts:
    """What was measured.

    Attributes:
        networks (list[Network]): The student first.
        settings (Settings): How.
        alone (list[Row]): From normalised crops to heatmaps.
        whole (list[Row]): From a JPEG file and boxes to keypoints, of the student.
        missing (list[Missing]): What could not be.
        memory (dict): Highest resident memory in bytes by network, engine and batch.
    """

    networks: list[Network]
    settings: Settings
    alone: list[Row] = field(default_factory=list)
    whole: list[Row] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    memory: dict[str, dict[str, dict[int, int]]] = field(default_factory=dict)

"""Which layers may be in 8 bits."""

from collections.abc import Callable, Sequence

import numpy as np
from onnx import GraphProto, ModelProto
from onnxruntime.quantization.calibrate import TensorsData

from fpd_mmpose.deploy.model_info import ModelInfo
from fpd_mmpose.export.checking import codec_of, session
from fpd_mmpose.export.exportable import NETWORK
from fpd_mmpose.export.int8.quantising import KINDS, in_8_bits

#: Share of keypoints that may move by more than a heatmap pixel.
LIMIT = 0.01
#: Runs of consecutive layers that are put back into float32 together: single layers
#: would cost more in conversions than they are worth.
PARTS = 12


class Search:
    """Finds layers that can be in 8 bits, by the keypoints of people.

    Args:
        graph (ModelProto): In float32; gives heatmaps first.
        ranges (TensorsData): Of its tensors.
        info (ModelInfo): Of the graph.
        inputs (Sequence[np.ndarray]): What it takes, of one person each; better not
            those that the ranges are of.
        log (Callable[[str], None]): Is told what is tried.
    """

    def __init__(
        self,
        graph: ModelProto,
        ranges: TensorsData,
        info: ModelInfo,
        inputs: Sequence[np.ndarray],
        log: Callable[[str], None],
    ):
        self.graph = graph
        self.ranges = ranges
        self.inputs = inputs
        self.log = log
        self.codec = codec_of(info)
        self.expected = self._keypoints(graph)

    def find(self, limit: float = LIMIT) -> tuple[ModelProto, list[str], float]:
        """Puts back into float32 what moves keypoints most, until few enough move.

        Args:
            limit (float): Share of keypoints that may move by more than a heatmap
                pixel.

        Returns:
            tuple[ModelProto, list[str], float]: The quantised graph, the names of the
            nodes in 8 bits, and that share.

        Raises:
            ValueError: If too many move even with a single part in 8 bits. One line.
        """
        nodes = quantisable(self.graph.graph)
        graph, moved = self._try(nodes)
        self.log(f'all layers in 8 bits: {moved:.2%} of the keypoints move')
        if moved <= limit:
            return graph, nodes, moved
        size = -(-len(nodes) // PARTS)
        parts = [nodes[start : start + size] for start in range(0, len(nodes), size)]
        # What is gained by putting back one part alone tells which to begin with.
        gains = [self._try(_without(nodes, part))[1] for part in parts]
        for number in np.argsort(gains, kind='stable')[: len(parts) - 1]:
            nodes = _without(nodes, parts[number])
            graph, moved = self._try(nodes)
            self.log(f'part {number} of {len(parts)} in float32, too: {moved:.2%}')
            if moved <= limit:
                return graph, nodes, moved
        raise ValueError(
            f'{moved:.1%} of the keypoints move by more than a heatmap pixel even with '
            'few layers in 8 bits: is the network trained, and for such images?'
        )

    def _try(self, nodes: Sequence[str]) -> tuple[ModelProto, float]:
        graph = in_8_bits(self.graph, nodes, self.ranges)
        away = np.abs(self._keypoints(graph) - self.expected) / self.codec.scale_factor
        return graph, float((away.max(axis=-1) > 1).mean())

    def _keypoints(self, graph: ModelProto) -> np.ndarray:
        """Decodes the heatmaps, (people, K, 2)."""
        runtime = session(graph)
        entry = runtime.get_inputs()[0].name
        return np.concatenate(
            [
                self.codec.decode(runtime.run(['heatmaps'], {entry: one})[0][0])[0]
                for one in self.inputs
            ]
        )


def quantisable(graph: GraphProto) -> list[str]:
    """Lists the nodes that go to 8 bits if that does no harm.

    The first convolution has too few channels to gain by it; and what makes the
    heatmaps decides about the quarter pixel.

    Args:
        graph (GraphProto): Of :class:`ExportedNetwork`, in float32.

    Returns:
        list[str]: Their names, in order.
    """
    on_the_way: set[str] = set()  # tensors that some convolution depends on
    for node in reversed(graph.node):
        if node.op_type == 'Conv' or on_the_way.intersection(node.output):
            on_the_way.update(node.input)
    inside = [node for node in graph.node if node.name.startswith(NETWORK)]
    first = next((node for node in inside if node.op_type == 'Conv'), None)
    return [
        node.name
        for node in inside
        if node.op_type in KINDS
        and node is not first
        and on_the_way.intersection(node.output)
    ]


def _without(nodes: Sequence[str], part: Sequence[str]) -> list[str]:
    dropped = set(part)
    return [name for name in nodes if name not in dropped]

"""Search for the layers that can run in 8 bits."""

from collections.abc import Callable, Sequence

import numpy as np
from onnx import GraphProto, ModelProto
from onnxruntime.quantization.calibrate import TensorsData

from fpd_mmpose.deploy.model_info import ModelInfo, decode_maps
from fpd_mmpose.errors import UserError
from fpd_mmpose.export.checking import open_session
from fpd_mmpose.export.exportable import NETWORK
from fpd_mmpose.export.int8.quantizing import KINDS, quantize_nodes

#: Share of keypoints that may move by more than a heatmap pixel.
LIMIT = 0.01
#: Input pixels that count as one for SimCC, whose bins are finer than any heatmap.
SIMCC_PIXEL = (4.0, 4.0)
#: Number of runs of consecutive layers that return to float32 together: for single
#: layers, the conversions would cost more than 8 bits save.
PARTS = 12


class Search:
    """Finds layers that can run in 8 bits without moving many keypoints.

    ``inputs`` are of one person each, preferably not those that set the ranges.
    """

    def __init__(
        self,
        graph: ModelProto,
        ranges: TensorsData,
        info: ModelInfo,
        inputs: Sequence[np.ndarray],
        log: Callable[[str], None],
    ) -> None:
        self.graph = graph
        self.ranges = ranges
        self.inputs = inputs
        self.log = log
        self.info = info
        self.pixel = SIMCC_PIXEL if info.codec == 'SimCCLabel' else info.pixel
        self.expected = self._keypoints(graph)

    def find(self, limit: float = LIMIT) -> tuple[ModelProto, list[str], float]:
        """Quantizes all layers, and then returns the worst to float32 one by one.

        Ends when at most ``limit`` of the keypoints move by more than a heatmap pixel;
        returns the graph, the names of its nodes in 8 bits, and that share.
        """
        nodes = quantizable(self.graph.graph)
        convolutions = {
            node.name for node in self.graph.graph.node if node.op_type == 'Conv'
        }
        if not convolutions.intersection(nodes):
            raise UserError(
                'the network was not exported: 8 bits are for convolutions, and it has '
                'none between the first and the last; export it in fp32 or fp16'
            )
        graph, moved = self._try(nodes)
        self.log(f'all layers in 8 bits: {moved:.2%} of the keypoints move')
        if moved <= limit:
            return graph, nodes, moved
        size = -(-len(nodes) // PARTS)
        parts = [nodes[start : start + size] for start in range(0, len(nodes), size)]
        # In the order of what each part gains on its own.
        gains = [self._try(_without(nodes, part))[1] for part in parts]
        for number in np.argsort(gains, kind='stable')[: len(parts) - 1]:
            nodes = _without(nodes, parts[number])
            graph, moved = self._try(nodes)
            self.log(f'part {number} of {len(parts)} also in float32: {moved:.2%}')
            if moved <= limit:
                return graph, nodes, moved
        raise UserError(
            f'{moved:.1%} of the keypoints move by more than a heatmap pixel even with '
            'few layers in 8 bits: calibrate a trained network with images like those '
            'that it was trained on'
        )

    def _try(self, nodes: Sequence[str]) -> tuple[ModelProto, float]:
        graph = quantize_nodes(self.graph, nodes, self.ranges)
        moves = np.abs(self._keypoints(graph) - self.expected) / self.pixel
        return graph, float((moves.max(axis=-1) > 1).mean())

    def _keypoints(self, graph: ModelProto) -> np.ndarray:
        """Finds the keypoints of all inputs, (people, K, 2)."""
        session = open_session(graph)
        entry = session.get_inputs()[0].name
        names = list(self.info.maps)
        return np.concatenate(
            [
                decode_maps(self.info, *session.run(names, {entry: person}))[0]
                for person in self.inputs
            ]
        )


def quantizable(graph: GraphProto) -> list[str]:
    """Lists the nodes that can run in 8 bits, in order.

    The first convolution has too few channels to gain, and the one that makes the
    heatmaps decides about quarters of a pixel.
    """
    needed: set[str] = set()  # tensors that some convolution depends on
    for node in reversed(graph.node):
        if node.op_type == 'Conv' or needed.intersection(node.output):
            needed.update(node.input)
    inside = [node for node in graph.node if node.name.startswith(NETWORK)]
    first = next((node for node in inside if node.op_type == 'Conv'), None)
    return [
        node.name
        for node in inside
        if node.op_type in KINDS
        and node is not first
        and needed.intersection(node.output)
    ]


def _without(nodes: Sequence[str], part: Sequence[str]) -> list[str]:
    dropped = set(part)
    return [name for name in nodes if name not in dropped]

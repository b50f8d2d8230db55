"""Block caching replayed without ditcache: the original graph, cut at its block boundaries.

ONNX Runtime runs each piece; which pieces run, and what is added in place of those that do not, is
decided here in NumPy. Nothing is shared with the rewrite: boundaries are written down by hand, and
the deltas are the definition, output minus input of a run of blocks at its last computed step.
"""

from dataclasses import dataclass, field
from functools import cache

import onnx
from onnx import helper

from support import CORPUS, LATENTS, onnx_runtime

# For each model the values that enter the first block, then those that leave each block: one value
# a stream. The last single-stream block of HunyuanVideo has no text left to hand on.
BOUNDARIES = {
    "wan": [["transpose"]] + [[f"add_{n}"] for n in (13, 27, 41, 55, 69, 83)],
    "hunyuan": [["transpose", "add_4"], ["add_22", "add_23"], ["add_40", "add_41"]]
    + [[f"slice_{n}", f"slice_{n + 1}"] for n in (19, 29, 39, 49, 59)] + [["slice_69"]],
}
# Where a new family of blocks begins; no run of blocks crosses it.
FAMILY_STARTS = {"wan": [0], "hunyuan": [0, 2]}


class SplitModel:
    """A corpus model as a list of pieces, each a function from named values to named values."""

    def __init__(self, name):
        model = onnx.load(CORPUS / f"{name}.onnx")
        replace_bool_where(model)
        ends = BOUNDARIES[name]
        result = [model.graph.output[0].name]
        self.name, self.ends, self.result = name, ends, result[0]
        self.head = Piece(model, [], ends[0])
        self.blocks = [Piece(model, before, after) for before, after in zip(ends, ends[1:])]
        self.tail = Piece(model, ends[-1], result)
        for piece in [*self.blocks, self.tail]:
            assert LATENTS not in piece.own_inputs, "the boundaries do not cut the graph"


class Piece:
    """The part of a graph that computes `outputs` from `inputs` and the graph's own inputs."""

    def __init__(self, model, inputs, outputs):
        graph = model.graph
        producers = {name: node for node in graph.node for name in node.output}
        types = {value.name: value for value in [*graph.value_info, *graph.input, *graph.output]}
        pending, reached = list(outputs), set(inputs)
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += [n for n in producers[name].input if n] if name in producers else []
        nodes = [n for n in graph.node
                 if reached.intersection(n.output) and not set(inputs).intersection(n.output)]
        self.outputs = outputs
        self.own_inputs = [value.name for value in graph.input if value.name in reached]
        piece = helper.make_graph(
            nodes, "piece", [types[name] for name in [*inputs, *self.own_inputs]],
            [types[name] for name in outputs],
            [weight for weight in graph.initializer if weight.name in reached])
        self.run = onnx_runtime(helper.make_model(
            piece, opset_imports=model.opset_import, ir_version=model.ir_version))
        self.inputs = [*inputs, *self.own_inputs]

    def __call__(self, feeds, streams):
        values = {**feeds, **streams}
        return self.run({name: values[name] for name in self.inputs})


@dataclass
class Run:
    """A contiguous range of blocks with one delta a stream, and the steps that compute it."""

    first: int
    last: int
    steps: set
    delta: list = field(default_factory=list)


def runs(model_name, rules):
    """Splits rules, each (block positions, computed steps), into runs in execution order."""
    found = []
    for positions, steps in rules:
        run = None
        for block in sorted(positions):
            if run and block == run.last + 1 and block not in FAMILY_STARTS[model_name]:
                run.last = block
            else:
                run = Run(block, block, set(steps))
                found.append(run)
    return sorted(found, key=lambda run: run.first)


class Replay:
    """A split model that follows rules; call it once a step."""

    def __init__(self, model_name, rules=()):
        self.model = split_model(model_name)
        self.runs = runs(model_name, rules)
        self.computed = []

    def __call__(self, feeds, step):
        model, block = self.model, 0
        streams = model.head(feeds, {})
        while block < len(model.blocks):
            run = next((run for run in self.runs if run.first == block), None)
            last = run.last if run else block
            if run and step not in run.steps:
                before = [streams[name] for name in model.ends[block]]
                after = [stream + delta for stream, delta in zip(before, run.delta)]
                streams = dict(zip(model.ends[last + 1], after))
            else:
                before = [streams[name] for name in model.ends[block]]
                for piece in model.blocks[block:last + 1]:
                    streams = piece(feeds, streams)
                if run:
                    after = [streams[name] for name in model.ends[last + 1]]
                    run.delta = [new - old for new, old in zip(after, before)]
            block = last + 1
        self.computed.append([step in run.steps for run in self.runs])
        return model.tail(feeds, streams)[model.result]


@cache
def split_model(name):
    return SplitModel(name)


def replace_bool_where(model):
    """`Where` on bool tensors, which ONNX Runtime lacks, as `(c and a) or (not c and b)`."""
    graph = model.graph
    kinds = {v.name: v.type.tensor_type.elem_type for v in [*graph.value_info, *graph.input]}
    kinds |= {weight.name: weight.data_type for weight in graph.initializer}
    nodes = []
    for node in graph.node:
        if node.op_type != "Where" or kinds[node.input[1]] != onnx.TensorProto.BOOL:
            nodes.append(node)
            continue
        condition, yes, no = node.input
        own = f"{node.output[0]}/where"
        nodes += [
            helper.make_node("And", [condition, yes], [f"{own}/yes"]),
            helper.make_node("Not", [condition], [f"{own}/not"]),
            helper.make_node("And", [f"{own}/not", no], [f"{own}/no"]),
            helper.make_node("Or", [f"{own}/yes", f"{own}/no"], list(node.output)),
        ]
    del graph.node[:]
    graph.node.extend(nodes)

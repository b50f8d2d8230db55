"""A corpus model in ONNX Runtime of which a test may replace what blocks and modules make.

For references of caching systems in plain NumPy. Nothing is skipped: every block runs in every
call, and a `Where` takes, instead of what a cut made, what the reference kept. So the reference is
the rule alone, and it shares neither code nor graphs with the rewrite.
"""

from functools import cache
from itertools import pairwise

import numpy as np
import onnx
from onnx import TensorProto, helper

from deep import DEPTHS, deepened
from replay import BOUNDARIES, replace_bool_where
from support import CORPUS, onnx_runtime

# The modules of a block of each family in the order in which they add to a stream.
MODULES = {"blocks": ["attn1", "attn2", "ffn"], "transformer_blocks": ["attn", "ff"],
           "single_transformer_blocks": ["attn"]}
# What a rule may read, by the names of the corpus models.
TAPS = {
    "wan": {"time_embedding": "linear_1", "time_projection": "linear_2"},
    "hunyuan": {"modulated_input": "add_7"},
}


class Layout:
    """Where the blocks of a model lie, and what their modules add to the streams."""

    def __init__(self, name, deep=False):
        if deep:
            self.model, self.ends = deepened(name)
        else:
            self.model, self.ends = onnx.load(CORPUS / f"{name}.onnx"), BOUNDARIES[name]
        replace_bool_where(self.model)
        graph = self.model.graph
        self.taps = TAPS[name]
        self.producers = {output: node for node in graph.node for output in node.output}
        self.users = {}
        for node in graph.node:
            for value in node.input:
                self.users.setdefault(value, []).append(node)
        self.blocks = [  # (family, index in it)
            (scope, index) for scope, members, count in DEPTHS[name]
            for index in range(count if deep else len(members))]
        self.stack = range(len(self.blocks))

    def family(self, name):
        """The positions of a family's blocks."""
        return [place for place, block in enumerate(self.blocks) if block[0] == name]

    def site(self, first, last):
        """The name of a run of blocks."""
        family, index = self.blocks[first]
        return f"{family}.{index}-{self.blocks[last][1]}"

    def run(self, first, last, delta=True):
        """A cut over blocks first to last: what they make, less what enters them."""
        before = self.ends[first] if delta else [None] * len(self.ends[first])
        return {self.site(first, last): list(zip(self.ends[last + 1], before))}

    def runs(self, positions, delta=True):
        """Cuts over the maximal runs of blocks, none across families."""
        cuts, first = {}, None
        positions = sorted(positions)
        for place, following in pairwise([*positions, None]):
            first = place if first is None else first
            if following != place + 1 or self.blocks[place][0] != self.blocks[following][0]:
                cuts |= self.run(first, place, delta)
                first = None
        return cuts

    def modules(self, kinds, gated, positions=None):
        """Cuts of the modules that are called so, in every block, with or without their gate."""
        cuts = {}
        for place in self.stack if positions is None else positions:
            family, index = self.blocks[place]
            for number, kind in enumerate(MODULES[family]):
                if kind in kinds:
                    cuts[f"{family}.{index}.{kind}"] = [
                        (self.addend(stream, number, gated), None) for stream in self.spines(place)]
        return cuts

    def spines(self, place):
        """What enters a block, one value a spine: single-stream blocks join theirs first."""
        streams = self.ends[place]
        joined = [n for n in self.users[streams[0]] if n.op_type == "Concat"]
        if joined and self.blocks[place][0].startswith("single"):
            return list(joined[0].output)
        return streams

    def addend(self, stream, number, gated):
        """What the module of that number adds to a stream, or what its gate is multiplied with."""
        for _ in range(number + 1):
            [addition] = [n for n in self.users[stream] if n.op_type == "Add"]
            [branch] = [value for value in addition.input if value != stream]
            stream = addition.output[0]
        product = self.producers[branch]
        if gated or product.op_type != "Mul":
            return branch
        [ungated] = [value for value in product.input
                     if self.producers[value].op_type not in ("Split", "Unsqueeze")]
        return ungated


class Puppet:
    """A model with cuts, a dictionary of sites, each a list of (value, value to take from it).

    Called with feeds and what to put in place of some sites, it returns its output; `made` then
    holds what every site made in this call, one array a stream, and `seen` the probed values. What
    lies behind a replaced site sees the replacement.
    """

    def __init__(self, layout, cuts, probes=()):
        model = onnx.ModelProto()
        model.CopyFrom(layout.model)
        self.cuts, self.probes = cuts, {p: layout.taps.get(p, p) for p in probes}
        graph = model.graph
        self.result = graph.output[0].name
        bases = {base for site in cuts.values() for _, base in site if base}
        cut = {value: base for site in cuts.values() for value, base in site}
        nodes = []
        for node in graph.node:
            nodes.append(node)
            for place, value in enumerate(node.output):
                if value not in cut:
                    continue
                node.output[place] = f"{value}/made"
                put = f"{value}/put"
                if cut[value]:
                    nodes.append(helper.make_node("Add", [cut[value], put], [f"{value}/sum"]))
                    put = f"{value}/sum"
                nodes.append(helper.make_node("Where", [f"{value}/is_put", put, f"{value}/made"],
                                              [value]))
                graph.input.append(helper.make_tensor_value_info(
                    f"{value}/put", TensorProto.FLOAT, None))
                graph.input.append(helper.make_tensor_value_info(
                    f"{value}/is_put", TensorProto.BOOL, []))
        del graph.node[:]
        graph.node.extend(nodes)
        shown = {f"{value}/made" for value in cut} | bases | set(self.probes.values())
        inputs = {value.name for value in graph.input}
        for value in sorted(shown - {self.result} - inputs):
            graph.output.append(helper.make_tensor_value_info(value, TensorProto.FLOAT, None))
        del graph.value_info[:]
        self.run = onnx_runtime(model)

    def __call__(self, feeds, put=None):
        put = put or {}
        values = dict(feeds)
        for site, streams in self.cuts.items():
            for place, (value, _) in enumerate(streams):
                values[f"{value}/is_put"] = np.array(site in put)
                values[f"{value}/put"] = put[site][place] if site in put else NOTHING
        results = self.run(values)
        self.made = {
            site: [results[f"{value}/made"] - (results[base] if base else 0)
                   for value, base in streams]
            for site, streams in self.cuts.items()}
        self.seen = {name: results[value] for name, value in self.probes.items()}
        return results[self.result]


NOTHING = np.zeros((), np.float32)


@cache
def layout(name, deep=False):
    return Layout(name, deep)


def relative_l1(new, old):
    return np.abs(new - old).mean() / np.abs(old).mean()

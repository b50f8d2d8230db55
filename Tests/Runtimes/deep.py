"""Corpus models with as many blocks as the published schedules name, made when a test needs them.

The blocks of a corpus model are repeated in turn; copies share its weights, so that forty blocks
take no more room than six. Hidden states change from block to block all the same, and with them
every delta. Scopes are renumbered as an exporter would have written them.
"""

from functools import cache

import onnx

from replay import BOUNDARIES
from support import CORPUS, scratch_folder

# Of each family: its scope, its blocks in the corpus model, how many the deep model has.
DEPTHS = {
    "wan": [("blocks", range(0, 6), 40)],
    "hunyuan": [("transformer_blocks", range(0, 2), 20),
                ("single_transformer_blocks", range(2, 8), 40)],
}


@cache
def deep_model(name):
    """Writes the deep sibling of a corpus model; returns its path."""
    path = scratch_folder() / f"{name}_deep.onnx"
    onnx.save(deepened(name)[0], path)
    return path


def deepened(name):
    """The deep sibling of a corpus model, and the ends of its blocks as in BOUNDARIES."""
    model = onnx.load(CORPUS / f"{name}.onnx")
    return model, deepen(model, BOUNDARIES[name], DEPTHS[name])


def deepen(model, ends, families):
    """Repeats blocks: block n of a model makes `ends[n + 1]` of `ends[n]`; returns the new ends.

    The last block of the last family stays the last, because it may hand on fewer streams.
    """
    graph = model.graph
    producers = {name: place for place, node in enumerate(graph.node) for name in node.output}

    def needed(outputs, inputs):
        """The places of the nodes that make the outputs, down to the inputs."""
        found, pending = set(), [name for name in outputs if name not in inputs]
        while pending:
            place = producers.get(pending.pop())
            if place is not None and place not in found:
                found.add(place)
                pending += [n for n in graph.node[place].input if n and n not in inputs]
        return found

    bodies = [needed(after, before) for before, after in zip(ends, ends[1:])]
    head = needed(ends[0], [])
    tail = needed([graph.output[0].name], ends[-1])
    parts = [head, tail, *bodies]
    shared = {place for part in parts for place in part if sum(place in p for p in parts) > 1}
    nodes = [graph.node[place] for place in sorted(head | shared)]

    deep_ends = [list(ends[0])]
    for scope, members, count in families:
        repeated = members[:-1] if members is families[-1][1] else members
        for index in range(count):
            template = members[-1] if index == count - 1 else repeated[index % len(repeated)]
            renamed = dict(zip(ends[template], deep_ends[-1]))
            for place in sorted(bodies[template] - shared - head):
                nodes.append(copied(
                    graph.node[place], renamed, f"{scope}.{index}",
                    f"{scope}.{template - members[0]}"))
            deep_ends.append([renamed[name] for name in ends[template + 1]])
    renamed = dict(zip(ends[-1], deep_ends[-1]))
    nodes += [copied(graph.node[place], renamed) for place in sorted(tail - shared - head)]
    del graph.node[:]
    graph.node.extend(nodes)
    del graph.value_info[:]
    return deep_ends


def copied(node, renamed, scope=None, template=None):
    """A node with other inputs; with a scope also with outputs of its own, noted in `renamed`."""
    copy = onnx.NodeProto()
    copy.CopyFrom(node)
    copy.input[:] = [renamed.get(name, name) for name in node.input]
    if scope:
        for place, name in enumerate(node.output):
            renamed[name] = copy.output[place] = f"{scope}/{name}"
        copy.name = f"{scope}/{node.name}"
        for entry in copy.metadata_props:
            entry.value = entry.value.replace(f"/{template}:", f"/{scope}:") \
                .replace(f"'{template}", f"'{scope}")
    return copy

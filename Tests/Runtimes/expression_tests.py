"""Every function of the schedule language: ditcache's evaluators and ONNX Runtime against NumPy.

A schedule caches the output of a small transformer and puts an expression in its place. The first
call fills the slots, the second one evaluates: in ditcache's interpreter and in ONNX Runtime from
the written file, and by `--check`, which evaluates the same expression on arrays.
"""

import unittest
from functools import cache

import numpy as np
import onnx
from onnx import TensorProto, helper

from support import LATENTS, TIMESTEP, CachedModel, Cases, ditcache, for_each, scratch_folder

TOKENS, WIDTH = 6, 4
# An expression in the language, with `kept` the output of the call before and `input` the latents,
# and the same in NumPy, with k and x.
TENSORS = {
    "abs": ("abs(input)", lambda k, x: np.abs(x)),
    "round": ("round(input * 4)", lambda k, x: np.round(x * 4)),
    "round_halves_to_even": ("round(floor(input) + 0.5)", lambda k, x: np.round(np.floor(x) + 0.5)),
    "floor": ("floor(input * 4)", lambda k, x: np.floor(x * 4)),
    "ceil": ("ceil(input * 4)", lambda k, x: np.ceil(x * 4)),
    "sqrt": ("sqrt(abs(input))", lambda k, x: np.sqrt(np.abs(x))),
    "exp": ("exp(input)", lambda k, x: np.exp(x)),
    "log": ("log(abs(input))", lambda k, x: np.log(np.abs(x))),
    "min": ("min(kept, input)", np.minimum),
    "min_with_a_number": ("min(input, 0.5)", lambda k, x: np.minimum(x, 0.5)),
    "max": ("max(kept, input)", np.maximum),
    "max_with_a_number": ("max(-0.25, input)", lambda k, x: np.maximum(-0.25, x)),
    "clip": ("clip(input, -0.5, 0.5)", lambda k, x: np.clip(x, -0.5, 0.5)),
    "operators": ("(input + kept) * 2 - kept / 4", lambda k, x: (x + k) * 2 - k / 4),
    "negation": ("-input", lambda k, x: -x),
    "condition": ("if mean(input) > 100 then kept else input - 1", lambda k, x: x - 1),
}
# Numbers, each multiplied into the latents.
NUMBERS = {
    "mean": ("mean(input)", lambda k, x: x.mean()),
    "sum": ("sum(input)", lambda k, x: x.sum()),
    "largest": ("largest(input)", lambda k, x: x.max()),
    "largest_below_zero": ("largest(-abs(input))", lambda k, x: (-np.abs(x)).max()),
    "l1": ("l1(input, kept)", lambda k, x: np.abs(x - k).mean()),
    "relative_l1": (
        "relative_l1(input, kept)", lambda k, x: np.abs(x - k).mean() / np.abs(k).mean()),
    "relative_l2": (
        "relative_l2(input, kept)", lambda k, x: np.linalg.norm(x - k) / np.linalg.norm(k)),
    "cosine_distance": (
        "cosine_distance(input, kept)",
        lambda k, x: 1 - (x * k).sum() / np.linalg.norm(x) / np.linalg.norm(k)),
    "downsample": ("sum(downsample(input, 4))", lambda k, x: x[:, ::4].sum()),
    "downsample_of_two": (
        "l1(downsample(input, 2), downsample(kept, 2))", lambda k, x: np.abs(x - k)[:, ::2].mean()),
    "drop_first": ("sum(drop_first(input, 2))", lambda k, x: x[:, 2:].sum()),
    "drop_last": ("sum(drop_last(input, 2))", lambda k, x: x[:, :-2].sum()),
    "poly": (
        "poly(mean(input), [2, -3, 0.5, 1])", lambda k, x: np.poly1d([2, -3, 0.5, 1])(x.mean())),
    "functions_of_numbers": (
        "sqrt(exp(round(mean(input) * 10) / 10)) + log(2.5) + ceil(0.2)",
        lambda k, x: np.sqrt(np.exp(np.round(x.mean() * 10) / 10)) + np.log(2.5) + 1),
    "min_and_max_of_numbers": (
        "min(mean(input), 0.25) - max(mean(kept), -0.5)",
        lambda k, x: min(x.mean(), 0.25) - max(k.mean(), -0.5)),
    "abs_and_floor_of_numbers": (
        "abs(floor(mean(input) - 2.5)) + clip(3, 0, 2)",
        lambda k, x: abs(np.floor(x.mean() - 2.5)) + 2),
    "mod": ("(step + 6) mod 4 + (-7) mod 3", lambda k, x: 3 + 2),
    "mod_of_real_numbers": ("floor(7.5) mod 4 + (0 - 7.25) mod 2.5", lambda k, x: 3 + 0.25),
    "list": ("tens[step]", lambda k, x: 10),
    "list_past_its_end": (
        "tens[step + 7] - tens[step - 9] + tens[step + 0.9]", lambda k, x: 100 - 1 + 10),
    "controls": (
        "step + 10 * steps + 100 * progress + elapsed + continuous_cached_steps",
        lambda k, x: 1 + 40 + 25 + 1 + 0),
    "membership": (
        "(if step in [1, 3] then 2 else 3) + (if step in [0] then 10 else 20)", lambda k, x: 22),
    "comparisons": ("(if step < 1 or step <= 0 or not (step >= 1) then 1 else 2)"
     " + (if step > 0 and step == 1 and step != 2 then 10 else 20)", lambda k, x: 12),
}


class ExpressionTests(Cases):
    @for_each(*TENSORS.items())
    def test_of_tensors(self, _, case):
        self.assert_value(*case)

    @for_each(*NUMBERS.items())
    def test_of_numbers(self, _, case):
        text, expected = case
        self.assert_value(
            f"input * ({text})", lambda k, x: x * np.float32(expected(k.astype(float), x)))

    @for_each(("min", "min(log(input), 9)"), ("max", "max(-9, log(input))"),
              ("largest", "input + 0 * largest(log(input))"))
    def test_what_is_not_a_number_spreads(self, name, text):
        for kept, latents, value in self.values(text):
            due = latents < 0 if name != "largest" else np.ones_like(latents, bool)
            np.testing.assert_array_equal(np.isnan(value), due)

    def assert_value(self, text, expected):
        for kept, latents, value in self.values(text):
            due = expected(kept, latents)
            self.assertNear(value / np.abs(due).max(), due / np.abs(due).max(), 2e-6)

    def values(self, text):
        """What was kept, the latents and what came out, in each engine, after `--check`."""
        folder = scratch_folder()
        rules, output = folder / "schedule.dcs", folder / "cached.onnx"
        rules.write_text(f"""
schedule test for any {{
  steps 4
  let tens = [1, 10, 100]
  cache output {{
    slot kept
    kept := output when computed
    compute when step == 0
    reuse {text}
  }}
}}
""")
        ditcache("rewrite", transformer(), "--schedule", rules, "--copy-weights", "-o", output,
                 "--check")
        random = np.random.default_rng(7)
        first, second = random.normal(size=(2, 1, TOKENS, WIDTH)).astype(np.float32)
        for runtime in ("ditcache", "onnxruntime"):
            model = CachedModel(output, runtime)
            kept = model(feeds(first, 900), step=0)
            value = model(feeds(second, 600), step=1)
            self.assertFalse(model.computed.any())
            yield kept, second, value


def feeds(latents, timestep):
    return {LATENTS: latents, TIMESTEP: np.full(1, timestep, np.float32)}


@cache
def transformer():
    """Writes a transformer of two blocks; returns its path."""
    random = np.random.default_rng(3)
    nodes, weights = [], []

    def weight(*shape):
        value = (random.normal(size=shape) / 2).astype(np.float32)
        weights.append(onnx.numpy_helper.from_array(value, f"weight{len(weights)}"))
        return weights[-1].name

    def op(kind, *inputs, **attributes):
        nodes.append(helper.make_node(kind, inputs, [f"value{len(nodes)}"], **attributes))
        return nodes[-1].output[0]

    def linear(value, inner=WIDTH, outer=WIDTH):
        return op("MatMul", value, weight(inner, outer))

    def norm(value):
        return op("LayerNormalization", value, weight(WIDTH), axis=-1)

    hidden = op("Add", linear(LATENTS), op("Sin", TIMESTEP))
    for _ in range(2):
        read = norm(hidden)
        keys = op("Transpose", linear(read), perm=[0, 2, 1])
        scores = op("Softmax", op("MatMul", linear(read), keys), axis=-1)
        hidden = op("Add", hidden, linear(op("MatMul", scores, linear(read))))
        inner = op("Gelu", linear(norm(hidden), outer=2 * WIDTH))
        hidden = op("Add", hidden, linear(inner, inner=2 * WIDTH))
    linear(norm(hidden))
    nodes[-1].output[0] = "velocity"

    def port(name, *shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    graph = helper.make_graph(
        nodes, "transformer", [port(LATENTS, 1, TOKENS, WIDTH), port(TIMESTEP, 1)],
        [port("velocity", 1, TOKENS, WIDTH)], weights)
    path = scratch_folder() / "transformer.onnx"
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


if __name__ == "__main__":
    unittest.main()

"""Systems that run bodies again, on drafts or on some tokens: NumPy, ditcache and both runtimes."""

import json
import unittest

import numpy as np
import onnx

from catalogue_tests import SCHEDULES, run_inputs
from puppet import layout
from reference_systems import ALL, HUNYUAN, WAN, modules
from replay import replace_bool_where
from support import CORPUS, LATENTS, ROOT, TIMESTEP, CachedModel, Cases, arrays, cached_model
from support import conditioning, denoise, ditcache, for_each, interpreter, manifest, recording
from support import onnx_runtime, scratch_folder
from token_references import AttentionToCa, ClusCa, SpeCa, ToCa, entropy, received, unit
from token_references import value_norm

STEPS = 16
TARGETS = ["onnxruntime", "openvino"]


def speca(model, base, least, most):
    """A shipped schedule with other numbers of drafts and another first limit."""
    text = SCHEDULES[f"speca-{model}"].replace("steps 50", f"steps {STEPS}")
    text = text.replace("= 1\n", f"= {base}\n", 1).replace("least: 4, most: 12",
                                                           f"least: {least}, most: {most}")
    return text, modules(SpeCa, model, ALL, False, base, 0.1, 0.1, least, most, 1, STEPS)


def toca(model, fixed, partial, period, warmup, part, last=None):
    def make():
        place = layout(model)
        cuts = {}
        for kinds, positions in fixed:
            cuts |= place.modules(kinds, False, positions)
        return ToCa(
            place, cuts, place.modules(*partial[:1], False, partial[1]),
            lambda step: step < warmup or step % period == 0, part,
            last and place.run(last, last, delta=False))
    return make


def clusca(model, forecast, partial, positions):
    def make():
        place = layout(model)
        return ClusCa(
            place, place.modules(forecast, False), place.modules(partial, False, positions),
            lambda step: step % 5 == 0, 8, 5, 0.01)
    # The corpus models have 72 tokens of video and 7 of text: 8 clusters leave some of text empty.
    return SCHEDULES[f"clusca-{model}"].replace("count: 32", "count: 8"), make


def attentions(place):
    """The softmaxes of a model in execution order, and what each one's weights are multiplied with."""
    maps = [node.output[0] for node in place.model.graph.node if node.op_type == "Softmax"]
    return maps, [product(place, weights).input[1] for weights in maps]


def product(place, weights):
    [user] = [node for node in place.users[weights] if node.op_type != "IsNaN"]
    return user if user.op_type == "MatMul" else product(place, user.output[0])


def attention_toca(model, score, weight, bonus=0):
    """toca-attention on both models; `score` makes one of a block's maps and values."""
    def make():
        place = layout(model)
        maps, values = attentions(place)
        is_wan = model == WAN
        # Wan has a self- and a cross-attention in each block; HunyuanVideo's first is the refiner's.
        own = {f"blocks.{i}.ffn": 2 * i for i in range(6)} if is_wan else {
            f"transformer_blocks.{i}.ff": 1 + i for i in DUAL}

        def scores(seen):
            def streams(first):
                whole = score(*[seen[name][0] for name in (
                    maps[first], values[first], maps[first + 1])])
                if is_wan:
                    return [unit(whole)]
                return [unit(whole[:72]), unit(whole[72:])]
            return {site: streams(first) for site, first in own.items()}

        fixed = ["attn1", "attn2"] if is_wan else ["attn"]
        period = 3 if is_wan else 5
        return AttentionToCa(
            place, place.modules(fixed, False),
            place.modules(["ffn"] if is_wan else ["ff"], False, None if is_wan else DUAL),
            lambda step: step < (3 if is_wan else 1) or step % period == 0,
            lambda step: 0.15 if is_wan else 0.1, maps + values, scores, weight, period, bonus,
            (3, 4, 6) if bonus else None)
    return make


# ToCa's other scores in place of the shipped one: little value, much doubt about the text, and the best
# token of each cell of the video's grid first.
VALUES_AND_ENTROPY = [
    ("influence := attention_received", "influence := 1 - value_norm"),
    ("""cross_attention of blocks[0..] before gate {
    keep output""", """cross_attention of blocks[0..] before gate as text {
    keep output
    slot doubt per token as float32
    doubt := attention_entropy when computed"""),
    ("unit(held(self-attention, influence))",
     "unit(held(self-attention, influence) + 1 + held(text, doubt))"),
]
GRID = [("fresh_tokens(", "fresh_tokens_of_grid("), ("age_weight: 0.25", "age_weight: 0.25, bonus: 0.4")]


def changed(name, *pairs):
    text = SCHEDULES[name]
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text


DUAL, SINGLE = [0, 1], range(2, 8)
SYSTEMS = {
    "speca_wan": (WAN, *speca(WAN, 1.7, 2, 4)),
    "speca_hunyuan": (HUNYUAN, *speca(HUNYUAN, 2.5, 2, 4)),
    "toca_wan": (WAN, SCHEDULES["toca-wan"], toca(
        WAN, [(["attn1", "attn2"], None)], (["ffn"], None), 3, 3, lambda step: 0.15)),
    "toca_hunyuan": (HUNYUAN, SCHEDULES["toca-hunyuan"], toca(
        HUNYUAN, [(["attn"], None)], (["ff"], DUAL), 5, 1, lambda step: 0.1)),
    "duca_wan": (WAN, SCHEDULES["duca-wan"], toca(
        WAN, [(["attn1", "attn2"], range(5))], (["ffn"], range(5)), 3, 3,
        lambda step: 0 if step % 3 == 2 else 0.15, last=5)),
    "duca_hunyuan": (HUNYUAN, SCHEDULES["duca-hunyuan"], toca(
        HUNYUAN, [(["attn"], range(7))], (["ff"], DUAL), 5, 1,
        lambda step: 0.1 if step % 5 in (1, 3) else 0, last=7)),
    "toca_attention_wan": (WAN, SCHEDULES["toca-attention-wan"], attention_toca(
        WAN, lambda own, value, text: received(own), 0.25)),
    "toca_attention_hunyuan": (HUNYUAN, SCHEDULES["toca-attention-hunyuan"], attention_toca(
        HUNYUAN, lambda own, value, _: received(own), 0.25)),
    "toca_values_wan": (
        WAN, changed("toca-attention-wan", *VALUES_AND_ENTROPY, *GRID), attention_toca(
            WAN, lambda own, value, text: 1 - value_norm(value) + 1 + entropy(text), 0.25, 0.4)),
    "toca_values_hunyuan": (
        HUNYUAN, changed("toca-attention-hunyuan", *VALUES_AND_ENTROPY[:1], *GRID), attention_toca(
            HUNYUAN, lambda own, value, _: 1 - value_norm(value), 0.25, 0.4)),
    "clusca_wan": (WAN, *clusca(WAN, ["attn1"], ["attn2", "ffn"], None)),
    "clusca_hunyuan": (HUNYUAN, *clusca(HUNYUAN, ["attn"], ["ff"], DUAL)),
}


def cached(name, target):
    model, text, _ = SYSTEMS[name]
    return cached_model(model, text, "--steps", STEPS, "--target", target)


def reference_run(name):
    model, _, make = SYSTEMS[name]
    reference = make()
    inputs = arrays(run_inputs(model, STEPS))
    return reference, inputs, *denoise(reference, inputs)


class TokenTests(Cases):
    @for_each(*[(name,) for name in SYSTEMS])
    def test_the_reference_is_followed(self, name):
        reference, inputs, outputs, latents = reference_run(name)
        path = cached(name, "onnxruntime")
        recorded = recording.__wrapped__(path, run_inputs(SYSTEMS[name][0], STEPS))
        names = [site["name"] for site in manifest(path)["sites"]]
        flags = [[call[site] for site in names] for call in reference.log]
        np.testing.assert_array_equal(recorded["computed"][:, 0], flags)
        self.assertTrue(0 < np.sum(flags[1:]) < np.size(flags[1:]))
        for step, output in enumerate(outputs):
            self.assertNear(recorded["model_out"][step, 0], output, 5e-4)
        self.assertNear(recorded["latents"], latents, 5e-4)
        if hasattr(reference, "margin"):
            self.assertGreater(reference.margin, 1e-6)
        if reference.metrics:
            self.assertGreater(np.abs(np.array(reference.metrics) - 1).min(), 0.01)

    @for_each(*[(name, runtime) for name in SYSTEMS for runtime in TARGETS])
    def test_the_runtimes_choose_the_same_tokens(self, name, runtime):
        reference, inputs, _, _ = reference_run(name)
        path = cached(name, runtime)
        recorded = recording(path, run_inputs(SYSTEMS[name][0], STEPS))
        model = CachedModel(path, runtime)
        settings = {p["input"]: np.float32([p["value"]]) for p in model.manifest.get("parameters", [])}
        if "ditcache/steps" in model.manifest["controls"]:
            settings["ditcache/steps"] = np.array([STEPS], np.int64)
        chosen, flags = [], []

        def call(feeds, step):
            output = model({**feeds, **settings}, step)
            flags.append(model.computed)
            ages = {slot: state for slot, state in model.state.items() if "/age" in slot}
            if ages and not model.computed[names.index(ages_site(next(iter(ages))))]:
                chosen.append((step, {slot: np.flatnonzero(age[0] == 0)
                                      for slot, age in ages.items()}))
            return output

        names = [site["name"] for site in manifest(path)["sites"]]
        outputs, _ = denoise(call, inputs, recorded["latents"])
        np.testing.assert_array_equal(np.array(flags), recorded["computed"][:, 0])
        for step, output in enumerate(outputs):
            self.assertNear(recorded["model_out"][step, 0], output, 2e-4)
        if name.startswith(("toca", "duca")):
            self.assertEqual([step for step, _ in chosen], [step for step, _ in reference.chosen])
            for (_, own), (_, due) in zip(chosen, reference.chosen):
                self.assertEqual(len(own), len(due))
                for (slot, tokens), (place, expected) in zip(
                        sorted(own.items()), sorted(due.items(), key=slot_order)):
                    self.assertIn(f"/{place[0]}/", slot)
                    np.testing.assert_array_equal(tokens, np.sort(expected), slot)


class TileTests(Cases):
    """Attention maps of many tokens are made some rows at a time; the last rows overlap the others."""

    SCHEDULE = """schedule tiles for any {
  steps 2
  cache self_attention of transformer_blocks[0] {
    keep output
    refresh every 2
    slot influence per token as float32
    slot doubt per token as float32
    influence := attention_received when computed
    doubt := attention_entropy when computed
  }
}
"""

    @for_each(*[(runtime,) for runtime in (*TARGETS, "ditcache")])
    def test_sums_and_entropies_are_those_of_the_whole_map(self, runtime):
        folder = scratch_folder()
        rules, path = folder / "tiles.dcs", folder / "tiles.onnx"
        rules.write_text(self.SCHEDULE)
        source = ROOT / "examples" / "models" / "hunyuan_video.onnx"
        done = ditcache(
            "rewrite", source, "--schedule", rules, "--target",
            "openvino" if runtime == "openvino" else "onnxruntime", "-o", path, "--copy-weights",
            "--json")
        self.assertEqual(json.loads(done.stdout)["operator_changes"]["Loop"], 2)
        model = onnx.load(source)
        random = np.random.default_rng(3)
        feeds = {}
        for value in model.graph.input:
            shape = [d.dim_value for d in value.type.tensor_type.shape.dim]
            kind = onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)
            feeds[value.name] = (
                random.standard_normal(shape).astype(kind) if kind == np.float32
                else np.ones(shape, kind))
        # The first softmax is that of the text alone.
        weights = [node.output[0] for node in model.graph.node if node.op_type == "Softmax"][1]
        model.graph.output.append(
            onnx.helper.make_tensor_value_info(weights, onnx.TensorProto.FLOAT, None))
        replace_bool_where(model)
        whole = onnx_runtime(model)(feeds)[weights][0]
        cached = CachedModel(path, runtime)
        cached(feeds, 0)
        for slot, function in ("influence", received), ("doubt", entropy):
            streams = [cached.state[name] for name in sorted(cached.state) if f"/{slot}" in name]
            self.assertNear(np.concatenate(streams, 1)[0, :, 0], function(whole), 2e-5)


class CheckTests(Cases):
    """`rewrite --check` evaluates functions of tokens a second time, on arrays."""

    @for_each(
        ("toca-wan", "wan"), ("toca-attention-wan", "wan"), ("duca-wan", "wan"), ("toca-dit", "dit"),
        ("toca-hunyuan", "hunyuan"))
    def test_a_schedule_of_tokens_is_checked(self, name, model):
        done = ditcache("rewrite", CORPUS / f"{model}.onnx", "--schedule", name, "--steps", 50,
                        "-o", scratch_folder() / "checked.onnx", "--copy-weights", "--check")
        claims = [line for line in (done.stdout + done.stderr).splitlines()
                  if line.startswith("check: ")]
        self.assertEqual(len(claims), 5)
        self.assertTrue(all(line.startswith("check: holds: ") for line in claims), claims)

    def test_a_seed_that_is_no_number_is_said(self):
        path = scratch_folder() / "seed.dcs"
        path.write_text(
            'import "toca.dcs"\nschedule seed for wan {\n  cache mlp of blocks[0..] before gate {\n'
            "    refresh every 3\n"
            "    use fresh_tokens(part: 0.15, score: noise(input, log(depth - 2)))\n  }\n}\n")
        done = ditcache("rewrite", CORPUS / "wan.onnx", "--schedule", path, "--steps", 50,
                        "-o", scratch_folder() / "checked.onnx", "--copy-weights", "--check", status=4)
        self.assertIn("cannot be evaluated on arrays", done.stderr)

    def test_what_has_no_second_opinion_is_said(self):
        done = ditcache("rewrite", CORPUS / "wan.onnx", "--schedule", "clusca-wan", "--steps", 50,
                        "-o", scratch_folder() / "checked.onnx", "--copy-weights", "--check", status=4)
        self.assertIn("'clusters(output, 32, 5)' cannot be evaluated on arrays", done.stderr)


class ForecastTests(Cases):
    """OpenVINO takes the wrong branch of an If inside an If; a forecast must not be written so."""

    @for_each(("taylorseer-wan", WAN), ("taylorseer-hunyuan", HUNYUAN), ("hicache", WAN))
    def test_openvino_agrees(self, name, model):
        path = cached_model(model, SCHEDULES[name], "--steps", STEPS, "--target", "openvino")
        recorded = recording(path, run_inputs(model, STEPS))
        cached = CachedModel(path, "openvino")
        outputs, _ = denoise(cached, arrays(run_inputs(model, STEPS)), recorded["latents"])
        for step, output in enumerate(outputs):
            self.assertNear(recorded["model_out"][step, 0], output, 5e-4)


def ages_site(slot):
    return slot.split("/")[2]


def slot_order(entry):
    (site, stream), _ = entry
    return f"{site}/age_{stream}"


class RefusalTests(Cases):
    """A body runs on some tokens only where each token is treated by itself."""

    @for_each(
        ("attention_of_rotated_tokens", "wan", "self_attention of blocks[1]", "Mul 'node_mul_28'",
         "a row of its own for each token"),
        ("a_whole_block", "wan", "blocks[1]", "Mul 'node_mul_28'",
         "a row of its own for each token"),
        ("attention", "dit", "self_attention of blocks[1]", "MatMul",
         "lets tokens read each other"))
    def test_what_mixes_tokens_is_named(self, _, model, site, operator, reason):
        text = f"""schedule test for any {{
  steps 4
  cache {site} {{
    slot kept
    kept := output when computed
    compute when step == 0
    reuse scatter(kept, top_k(norm(input), 0.2), body(gather(input, top_k(norm(input), 0.2))))
  }}
}}
"""
        folder = scratch_folder()
        rules = folder / "schedule.dcs"
        rules.write_text(text)
        done = ditcache("rewrite", CORPUS / f"{model}.onnx", "--schedule", rules, "--dry-run", status=3)
        self.assertIn(operator, done.stderr)
        self.assertIn(reason, done.stderr)

    def test_a_whole_block_runs_on_other_hidden_states(self):
        """`body` of all tokens needs nothing of the block: of what enters, it makes the output."""
        text = """schedule test for wan {
  steps 4
  cache blocks[2-3] {
    slot kept
    kept := output when computed
    compute when step == 0
    reuse body(input) + 0 * kept
  }
}
"""
        path = cached_model("wan", text)
        inputs = arrays(run_inputs(WAN, 4))
        model, original = CachedModel(path, "ditcache"), interpreter(CORPUS / "wan.onnx")
        feeds = {LATENTS: inputs["initial_noise"], TIMESTEP: np.float32([500]),
                 **conditioning(inputs)}
        for step in range(2):
            output = model(feeds, step)
            self.assertEqual(model.computed[0], step == 0)
            self.assertNear(output, original(feeds)[model.output(original(feeds))], 1e-5)


if __name__ == "__main__":
    unittest.main()

"""Systems that run bodies again, on drafts or on some tokens: NumPy, ditcache and both runtimes."""

import unittest

import numpy as np

from catalogue_tests import SCHEDULES, run_inputs
from puppet import layout
from reference_systems import ALL, HUNYUAN, WAN, modules
from support import CORPUS, LATENTS, TIMESTEP, CachedModel, Cases, arrays, cached_model
from support import conditioning, denoise, ditcache, for_each, interpreter, manifest, recording
from support import scratch_folder
from token_references import ClusCa, SpeCa, ToCa

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

"""Systems without a recording beside plain-NumPy references, on whole runs of both models.

A reference decides and integrates on its own; the schedule runs in ditcache's interpreter. The same
sites compute at every step, and model outputs lie within the bounds of the recordings. Published
constants are written down again in published.py. Thresholds lie in gaps between the metrics of the
run.
"""

import unittest

import numpy as np

from catalogue_tests import SCHEDULES, run, with_threshold
from published import MAGCACHE
from puppet import layout
from reference_systems import DECIDED, FIXED, HUNYUAN, WAN, tgate, tgate_reference
from references import MagCache
from support import LATENTS, TIMESTEP, Cases, conditioning, denoise, for_each, manifest


class ReferenceCases(Cases):
    def assert_follows(self, system):
        path, inputs, recorded = run(system.text, system.model, system.deep, system.steps)
        reference = system.make()
        outputs, latents = denoise(reference, inputs)
        names = [site["name"] for site in manifest(path)["sites"]]
        flags = [[call[name] for name in names] for call in reference.log]
        self.assertEqual(set(names), set(reference.log[0]))
        np.testing.assert_array_equal(recorded["computed"][:, 0], flags)
        self.assertTrue(0 < np.sum(flags[1:]) < np.size(flags[1:]))
        loose = "forecast" in system.text or system.model == HUNYUAN
        tolerance = system.tolerance or (5e-4 if loose else 5e-5)
        for step, output in enumerate(outputs):
            self.assertNear(recorded["model_out"][step, 0], output, tolerance)
        self.assertNear(recorded["latents"], latents, tolerance)
        return reference


class FixedTests(ReferenceCases):
    """Systems that decide by the step alone."""

    @for_each(*FIXED.items())
    def test_the_reference_is_followed(self, _, system):
        self.assert_follows(system)


class DecidedTests(ReferenceCases):
    """Systems that decide by what they measure."""

    @for_each(*DECIDED.items())
    def test_the_reference_is_followed(self, _, system):
        reference = self.assert_follows(system)
        if system.threshold:
            gap = np.abs(np.array(reference.metrics) / system.threshold - 1).min()
            self.assertGreater(gap, 0.01)


class GuidedTests(ReferenceCases):
    """Two calls a step, a reference for each branch."""

    def assert_both_follow(self, text, makes, steps, drop=None):
        path, inputs, recorded = run(text, WAN, steps=steps, guided=True)
        uncond, cond = (make() for make in makes)
        words = conditioning(inputs)
        latents, sigmas = inputs["initial_noise"], inputs["sigmas"]
        for step, timestep in enumerate(inputs["timesteps"]):
            feeds = {LATENTS: latents, TIMESTEP: np.full(1, timestep, np.float32)}
            if step == drop:
                uncond.merge(cond)
            velocity = outputs = uncond(
                {**feeds, **{key: np.zeros_like(value) for key, value in words.items()}}, step)
            self.assertNear(recorded["model_out"][step, 0], outputs, 2e-4)
            if drop is None or step < drop:
                outputs = cond({**feeds, **words}, step)
                self.assertNear(recorded["model_out"][step, 1], outputs, 2e-4)
                velocity = velocity + inputs["guidance_scale"] * (outputs - velocity)
            latents = latents + (sigmas[step + 1] - sigmas[step]) * velocity
        names = [site["name"] for site in manifest(path)["sites"]]
        for number, reference in enumerate([uncond, cond]):
            flags = [[call[name] for name in names] for call in reference.log]
            np.testing.assert_array_equal(recorded["computed"][:len(flags), number], flags)
        return uncond, cond

    @for_each(("shipped", (SCHEDULES["tgate-wan"], 25), 10, 5, 1),
              ("fi_2", (tgate(6, 3, 2), 12), 6, 3, 2), ("early", (tgate(3, 2, 1), 12), 3, 2, 1))
    def test_tgate(self, _, schedule, gate, period, final_period):
        text, steps = schedule
        make = tgate_reference(gate, period, final_period)
        self.assert_both_follow(text, [make, make], steps, drop=gate)

    def test_magcache_with_a_table_for_each_branch(self):
        references = self.assert_both_follow(
            with_threshold(SCHEDULES["magcache-wan-1-3b"], 0.0144), [
                lambda ratios=ratios: MagCache(
                    layout(WAN), layout(WAN).run(0, 5), ratios, 0.0144, 2, 0.2, 20)
                for ratios in map(MAGCACHE["magcache-wan-1-3b"].get, ("uncond", "cond"))], 20)
        logs = [[call["blocks.0-5"] for call in reference.log] for reference in references]
        self.assertNotEqual(*logs)
        for reference in references:
            self.assertGreater(np.abs(np.array(reference.metrics) / 0.0144 - 1).min(), 1e-3)


if __name__ == "__main__":
    unittest.main()

"""Systems that carry velocities or residuals on, in ONNX Runtime beside NumPy on the same model.

The references are written from the systems' own descriptions and share nothing with the rewrite:
they run the original graph whole, or cut at its blocks by `replay.SplitModel`.
"""

import sys
import unittest

import numpy as np

from replay import split_model
from support import CORPUS, ROOT, Cases, arrays, cached_model, denoise, for_each, onnx_runtime

sys.path.insert(0, str(ROOT / "examples" / "onnxruntime"))
import host  # noqa: E402


class MeanCache:
    """Listed steps compute; between them the velocity is corrected by its mean since the o-th last.

    v - jvp (sigma' - sigma), jvp = (v_start - (x_end - x_start) / d) / d, d = sigma_end - sigma_start.
    """

    def __init__(self, run, sigmas, fresh, order):
        self.run, self.sigmas, self.fresh, self.order = run, sigmas, fresh, order
        self.steps, self.starts, self.velocities, self.end = [], [], [], None

    def __call__(self, feeds, step):
        latents = feeds["hidden_states"]
        if step in self.fresh:
            self.steps.append(step)
            self.starts.append(latents)
            self.velocities.append(next(iter(self.run(feeds).values())))
            self.end = None
            return self.velocities[-1]
        if self.end is None:
            self.end = latents, self.sigmas[step]
        order = min(self.order, len(self.steps))
        if order == 1:
            return self.velocities[-1]
        distance = self.end[1] - self.sigmas[self.steps[-order]]
        mean = (self.end[0] - self.starts[-order]) / distance
        jvp = (self.velocities[-order] - mean) / distance
        return self.velocities[-1] - jvp * (self.sigmas[step + 1] - self.sigmas[step])


class DiCache:
    """The first block decides; its residual steers between the stack's last two residuals."""

    def __init__(self, model, steps, threshold, retention, most):
        self.model, self.steps = model, steps
        self.threshold, self.retention, self.most = threshold, retention, most
        self.total, self.last_probe, self.margins = 0.0, None, []
        self.residuals, self.probes, self.reused = [], [], []

    def __call__(self, feeds, step):
        model = self.model
        ends = model.ends
        streams = model.head(feeds, {})
        before = streams[ends[0][0]]
        streams = model.blocks[0](feeds, streams)
        probe = streams[ends[1][0]]
        late = step >= int(self.steps * self.retention)
        if late:
            change = np.abs(probe - self.last_probe).mean() / np.abs(self.last_probe).mean()
            self.total += float(change)
            self.margins.append(abs(self.total / self.threshold - 1))
        self.last_probe = probe
        if late and self.total < self.threshold:
            self.reused.append(step)
            after = before + self.steered(probe - before)
        else:
            self.total = 0.0
            for block in model.blocks[1:]:
                streams = block(feeds, streams)
            after = streams[ends[-1][0]]
            self.residuals.append(after - before)
            self.probes.append(probe - before)
        return model.tail(feeds, {ends[-1][0]: after})[model.result]

    def steered(self, probe):
        if len(self.residuals) < 2:
            return self.residuals[-1]
        older, newer = self.residuals[-2:]
        far = np.abs(self.probes[-1] - self.probes[-2]).mean()
        gamma = np.clip(np.abs(probe - self.probes[-2]).mean() / far, 1, self.most)
        return older + np.float32(gamma) * (newer - older)


def on_host(model, inputs):
    loaded = host.Model(model, host.load_with())
    result = host.denoise(loaded, inputs, "hidden_states", "timestep")
    return result["model_out"][:, 0], result["computed"][:, 0]


class InterpolationTests(Cases):
    @for_each(("second", 2), ("third", 3))
    def test_mean_cache(self, name, order):
        fresh = [0, 1, 2, 4, 7, 8]
        text = f"""
            import "meancache.dcs"
            schedule test for wan {{
              steps 12
              cache output {{ use meancache(fresh: {fresh}, order: {order}) }}
            }}
            """
        inputs = arrays(CORPUS / "wan_traj.npz")
        run = onnx_runtime(CORPUS / "wan.onnx")
        expected, _ = denoise(MeanCache(run, inputs["sigmas"], fresh, order), inputs)
        outputs, computed = on_host(cached_model("wan", text), inputs)
        self.assertEqual(np.flatnonzero(computed[:, 0]).tolist(), fresh)
        self.assertNear(outputs, expected, 1e-4)

    def test_dicache_on_hunyuan(self):
        inputs = arrays(CORPUS / "hunyuan_traj.npz")
        reference = DiCache(split_model("hunyuan"), 12, 0.4, 0.2, 1.5)
        expected, _ = denoise(reference, inputs)
        self.assertGreater(min(reference.margins), 1e-3)
        self.assertGreaterEqual(len(reference.reused), 3)
        text = """
            import "dicache.dcs"
            schedule test for hunyuan {
              steps 12
              cache dual[1..] { use dicache(threshold: 0.4, retention: 0.2, most: 1.5) }
              cache single[0..] {
                use dicache(threshold: 0.4, retention: 0.2, most: 1.5, base: input)
              }
            }
            """
        model = cached_model("hunyuan", text, "--target", "onnxruntime")
        outputs, computed = on_host(model, inputs)
        for flags in computed.T:
            self.assertEqual(np.flatnonzero(~flags).tolist(), reference.reused)
        self.assertNear(outputs, expected, 5e-4)


if __name__ == "__main__":
    unittest.main()

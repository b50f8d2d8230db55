"""The caching systems of Tests/ReplayTests in ONNX Runtime, beside recordings of other code."""

import sys
import unittest

import numpy as np

from support import CORPUS, ORACLES, PEERS, ROOT, Cases, arrays, cached_model, for_each

sys.path.insert(0, str(ROOT / "examples" / "onnxruntime"))
import host  # noqa: E402

SCHEDULES = ROOT / "Tests" / "ReplayTests" / "Schedules"
NAMES = sorted(path.stem for path in SCHEDULES.glob("*.dcs"))


def halves(inputs):
    """Inputs of batched guidance, the unconditional half first, as two calls a step take them."""
    result = {key: value for key, value in inputs.items() if not key.startswith("text/")}
    for key in inputs.keys() - result.keys():
        result[key.replace("text/", "text_uncond/")], result[key] = np.split(inputs[key], 2)
    return result


class SystemTests(Cases):
    @for_each(*[(name,) for name in NAMES])
    def test_recording(self, name):
        text = (SCHEDULES / f"{name}.dcs").read_text()
        doubled = name.endswith("fastercache_cfg")
        model = cached_model("wan_dyn" if doubled else "wan", text)
        loaded = host.Model(model, host.load_with())
        path = ORACLES / f"{name}.npz"
        peer = not path.exists()
        recorded = arrays(PEERS / f"{name}.npz" if peer else path)
        inputs = arrays(CORPUS / f"wan_traj{'_cfg' if doubled else ''}.npz") if peer else recorded
        if doubled:
            inputs = halves(inputs)
        result = host.denoise(loaded, inputs, "hidden_states", "timestep")
        tolerance = 5e-4 if "taylor" in name else 1e-4 if peer else 5e-5
        if "model_out" in recorded:
            due = recorded["model_out"]
            difference = np.abs(result["model_out"].reshape(due.shape) - due).max()
            self.assertLessEqual(difference, tolerance)
            return
        for number, branch in enumerate(["uncond", "cond"]):
            steps = recorded[f"steps/{branch}"]
            due = recorded[f"model_out/{branch}"]
            difference = np.abs(result["model_out"][steps, number].reshape(due.shape) - due).max()
            self.assertLessEqual(difference, 2e-4)


if __name__ == "__main__":
    unittest.main()

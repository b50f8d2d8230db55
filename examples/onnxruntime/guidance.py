"""What a schedule puts in place of the unconditional call of guidance."""

import base64

import numpy as np

from forms import Model


class UnconditionalCall:
    """A small cached model out of the manifest, with one Branch for its state.

    It takes what the conditional call gave and says whether the unconditional one is needed; where
    it is not, its output stands in.
    """

    def __init__(self, text, model, branch):
        self.branch = branch(Model(base64.b64decode(text), model.load))
        self.uncalled = np.zeros(len(model.manifest["sites"]), bool)

    def __call__(self, call, cond, timestep, step, sigmas, override):
        """The unconditional output of a step and what its sites computed; `call` makes the call."""
        feeds = {"cond": cond, "uncond": cond, "timestep": timestep}
        held = dict(self.branch.state)
        output, wanted = self.branch(feeds, step, sigmas, override)
        if not wanted.all():
            return output, self.uncalled
        feeds["uncond"], computed = call()
        self.branch.state = held
        return self.branch(feeds, step, sigmas, override)[0], computed

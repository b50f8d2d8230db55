"""References of the systems that run a part of the model, or none, to decide about the rest."""

import numpy as np

from puppet import relative_l1
from references import Reference


class FirstBlocks(Reference):
    """First-Block-Cache and DBCache: the change of the first blocks' residual since computed.

    DBCache asks in this order: warm-up, steps that must compute, budget of cached steps, cached
    steps in a row, the sum of all changes, the threshold.
    """

    def __init__(self, layout, cuts, head, threshold, warmup=0, most=None, in_a_row=None,
                 budget=None):
        self.head = (layout.ends[head][0], layout.ends[0][0])
        super().__init__(layout, cuts, self.head)
        self.threshold, self.warmup, self.most, self.in_a_row = threshold, warmup, most, in_a_row
        self.budget, self.spent = budget, 0.0
        self.old, self.cached, self.row = None, 0, 0

    def __call__(self, feeds, step):
        self.puppet(feeds)
        after, before = (self.puppet.seen[name] for name in self.head)
        residual = after - before
        reuse = self.allows(residual, step)
        self.row = self.row + 1 if reuse else 0
        self.cached += reuse
        if not reuse:
            self.old = residual
        return self.call(feeds, step, self.sites if reuse else [])

    def allows(self, residual, step):
        if step < self.warmup or self.old is None:
            return False
        if self.most is not None and self.cached >= self.most:
            return False
        if self.in_a_row is not None and self.row >= self.in_a_row:
            return False
        change = relative_l1(residual, self.old)
        if self.budget is not None:
            self.spent += change
            if self.spent > self.budget:
                return False
        self.metrics.append(change)
        return change < self.threshold


class DiCache(Reference):
    """A probe of the first blocks decides, and steers between the last two residuals."""

    def __init__(self, layout, cuts, threshold, retention, most, steps, inclusive=False):
        self.probe, self.start = layout.ends[1][0], layout.ends[0][0]
        super().__init__(layout, cuts, [self.probe, self.start])
        [(self.site, [(_, _)])] = cuts.items()
        self.threshold, self.most, self.inclusive = threshold, most, inclusive
        self.begin = int(steps * retention)
        self.total, self.before = 0.0, None
        self.residuals, self.probes = [], []

    def __call__(self, feeds, step):
        self.puppet(feeds)
        probe, start = self.puppet.seen[self.probe], self.puppet.seen[self.start]
        skip = False
        if step >= self.begin:
            self.total += relative_l1(probe, self.before)
            self.metrics.append(self.total)
            skip = self.total <= self.threshold if self.inclusive else self.total < self.threshold
        self.before = probe
        if skip:
            self.stand = start + self.steered(probe - start)
            return self.call(feeds, step, self.sites)
        self.total = 0.0
        output = self.call(feeds, step, [])
        self.residuals.append(self.puppet.made[self.site][0] - start)
        self.probes.append(probe - start)
        return output

    def steered(self, probe):
        if len(self.residuals) < 2:
            return self.residuals[-1]
        (older, newer), (first, second) = self.residuals[-2:], self.probes[-2:]
        gamma = np.abs(probe - first).mean() / np.abs(second - first).mean()
        return older + np.clip(gamma, 1, self.most) * (newer - older)

    def stand_in(self, site, step):
        return [self.stand]


class EasyCache(Reference):
    """Output less latents is reused while the latents' change, at the known rate, is small.

    A reused step runs nothing of the model, so its output is not the puppet's.
    """

    def __init__(self, layout, latents, threshold, retention, steps):
        super().__init__(layout, {})
        self.latents, self.threshold = latents, threshold
        self.forced = {*range(retention), steps - 1}
        self.previous = self.full = self.rate = None
        self.error = 0.0

    def __call__(self, feeds, step):
        x = feeds[self.latents]
        skip = False
        if step not in self.forced:
            self.error += self.rate * np.abs(x - self.previous).mean() / np.abs(self.full[1]).mean()
            self.metrics.append(self.error)
            skip = self.error < self.threshold
        self.previous = x
        self.log.append({"output": not skip})
        if skip:
            return x + (self.full[1] - self.full[0])
        self.error = 0.0
        v = self.puppet(feeds)
        if self.full is not None:
            self.rate = np.abs(v - self.full[1]).mean() / np.abs(x - self.full[0]).mean()
        self.full = (x, v)
        return v

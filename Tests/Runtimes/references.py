"""Caching systems in plain NumPy, each written from its paper and repository on its own.

A reference is called once a step with the feeds of the model. It decides, hands what it kept to the
puppet (puppet.py) in place of what it does not compute, and keeps what was computed. `log` holds
for every call which sites computed; `metrics` what a decision compared with its threshold.
"""

from math import factorial

import numpy as np

from puppet import Puppet, relative_l1


class Reference:
    """What all have in common: the newest of what a site made stands in for it."""

    def __init__(self, layout, cuts, probes=()):
        self.puppet = Puppet(layout, cuts, probes)
        self.sites = list(cuts)
        self.kept, self.log, self.metrics = {}, [], []

    def call(self, feeds, step, reused):
        output = self.puppet(feeds, {site: self.stand_in(site, step) for site in reused})
        self.log.append({site: site not in reused for site in self.sites})
        for site in self.sites:
            if site not in reused:
                self.keep(site, self.puppet.made[site], step)
        return output

    def keep(self, site, made, step):
        self.kept[site] = made

    def stand_in(self, site, step):
        return self.kept[site]

    def reused(self, step):
        """The sites that a rule of steps alone does not compute; step 0 computes everything."""
        raise NotImplementedError

    def __call__(self, feeds, step):
        return self.call(feeds, step, self.reused(step))


class StepLists(Reference):
    """Each site computes at its steps: ProfilingDiT, Delta-DiT, LeMiCa, BlockDance …"""

    def __init__(self, layout, *rules):
        super().__init__(layout, {site: cut for cuts, _ in rules for site, cut in cuts.items()})
        self.steps = {site: set(steps) for cuts, steps in rules for site in cuts}

    def reused(self, step):
        return [site for site in self.sites if step and step not in self.steps[site]]


class Accumulated(StepLists):
    """ProfilingDiT's Eq. 10: C <- C + delta at every computed step, from 0."""

    def keep(self, site, made, step):
        old = self.kept.get(site, [0] * len(made))
        self.kept[site] = [a + b for a, b in zip(old, made)]


class TaylorSeer(Reference):
    """Full steps make divided differences, the others a Taylor series of them."""

    def __init__(self, layout, cuts, order, interval, first):
        super().__init__(layout, cuts)
        self.order, self.interval, self.first = order, interval, first
        self.counter, self.full, self.last = 0, [], None

    def __call__(self, feeds, step):
        is_full = step < self.first or self.counter == self.interval - 1
        self.counter = 0 if is_full else self.counter + 1
        output = self.call(feeds, step, [] if is_full else self.sites)
        if is_full:
            self.last = step
        return output

    def keep(self, site, made, step):
        old = self.kept.get(site, [])
        factors = [made]
        for k in range(self.order):
            if k >= len(old) or step <= self.first - 2:
                break
            distance = np.float32(step - self.last)
            factors.append([(a - b) / distance for a, b in zip(factors[k], old[k])])
        self.kept[site] = factors

    def stand_in(self, site, step):
        x = step - self.last
        return [sum(f * np.float32(self.weight(k, x)) for k, f in enumerate(factors))
                for factors in zip(*self.kept[site])]

    def weight(self, k, x):
        return x**k / factorial(k)


class HiCache(TaylorSeer):
    """The same differences with Hermite polynomials H_k(sigma x), contracted by sigma^k."""

    sigma = 0.5

    def weight(self, k, x):
        y = self.sigma * x
        hermite = [1, 2 * y, 4 * y**2 - 2, 8 * y**3 - 12 * y][k]
        return self.sigma**k / factorial(k) * (hermite if k else 1)


class FasterCache(Reference):
    """Attention extrapolated from a ring of two, on even calls from the 16th on (Latte's form)."""

    def __init__(self, layout, cuts, start, weight):
        super().__init__(layout, cuts)
        self.start, self.weight = start, np.float32(weight)

    def reused(self, step):
        count = step + 1
        return self.sites if count >= self.start and count % 2 == 0 else []

    def keep(self, site, made, step):
        ring = self.kept.get(site)
        self.kept[site] = [ring[1], made] if ring else [made, made]

    def stand_in(self, site, step):
        return [new + self.weight * (new - old) for old, new in zip(*self.kept[site])]


class TeaCache(Reference):
    """The accumulated, rescaled change of a cheap signal; forced at the ends of the run."""

    def __init__(self, layout, cuts, signal, polynomial, threshold, steps, head=1, tail=1):
        super().__init__(layout, cuts, [signal])
        self.curve = np.poly1d(polynomial)
        self.signal, self.threshold = signal, threshold
        self.forced = {*range(head), *range(steps - tail, steps)}
        self.total, self.before = 0.0, None

    def __call__(self, feeds, step):
        self.puppet(feeds)
        signal = self.puppet.seen[self.signal]
        calculate = True
        if step in self.forced:
            self.total = 0.0
        else:
            self.total += self.curve(relative_l1(signal, self.before))
            self.metrics.append(self.total)
            calculate = not self.total < self.threshold
            self.total = 0.0 if calculate else self.total
        self.before = signal
        return self.call(feeds, step, [] if calculate else self.sites)


class MagCache(Reference):
    """The error that magnitude ratios predict; ratios of another number of steps are resampled."""

    def __init__(self, layout, cuts, ratios, threshold, most, retention, steps):
        super().__init__(layout, cuts)
        places = np.round(np.linspace(0, len(ratios) - 1, steps)).astype(int)
        self.ratios = np.array(ratios)[places]
        self.threshold, self.most, self.begin = threshold, most, int(steps * retention)
        self.restart()

    def restart(self):
        self.product, self.count, self.error = 1.0, 0, 0.0

    def reused(self, step):
        if step < self.begin:
            return []
        self.product *= self.ratios[step]
        self.count += 1
        self.error += abs(1 - self.product)
        self.metrics.append(self.error)
        if self.error < self.threshold and self.count <= self.most:
            return self.sites
        self.restart()
        return []


class AdaCache(Reference):
    """A rate for all blocks, from the change of one attention between computed steps."""

    def __init__(self, layout, cuts, signal, limits, rates, steps, frame=None):
        super().__init__(layout, cuts)
        self.signal, self.limits, self.rates = signal, limits, rates
        self.steps, self.frame = steps, frame
        self.rate, self.last, self.old, self.motion = 1, 0, None, 1.0

    def __call__(self, feeds, step):
        call = step + 1
        if call != self.last + self.rate and call not in (1, self.steps - 1, self.steps):
            return self.call(feeds, step, self.sites)
        output = self.call(feeds, step, [])
        new = self.puppet.made[self.signal][0]
        if self.old is not None:
            change = np.abs(self.old - new).sum() / np.abs(self.old).sum() / self.rate
            if self.frame:
                change *= self.regularisation(new, call)
            self.metrics.append(change)
            self.rate = next(
                (rate for limit, rate in zip(self.limits, self.rates) if change < limit),
                self.rates[-1])
        self.old, self.last = new, call
        return output

    def regularisation(self, new, call):
        late, early = new[:, self.frame:], new[:, :-self.frame]
        motion = np.abs(late - early).sum() / (np.abs(late).sum() + np.abs(early).sum())
        motion = (motion / 0.385) ** 8
        if not 0.1 * self.steps <= call <= 0.9 * self.steps:
            motion = 1.0
        gradient = 10 * (motion - self.motion) / self.rate
        self.motion = motion
        return motion + abs(gradient)


class PortedAdaCache(AdaCache):
    """LightX2V's port to Wan: the stack's delta, reused on steps that a computed one writes off.

    The window of the motion counts steps from 0, and no step at the end is forced.
    """

    def __init__(self, layout, cuts, signal, limits, rates, steps, frame):
        super().__init__(layout, {**cuts, **signal}, *signal, limits, rates, steps, frame)
        [self.stack] = cuts
        self.sites = [self.stack]
        self.written_off = set()

    def __call__(self, feeds, step):
        if step in self.written_off:
            return self.call(feeds, step, self.sites)
        output = self.call(feeds, step, [])
        new = self.puppet.made[self.signal][0]
        if self.old is not None:
            change = np.abs(self.old - new).sum() / np.abs(self.old).sum() / self.rate
            change *= self.regularisation(new, step)
            self.metrics.append(change)
            self.rate = next(
                (rate for limit, rate in zip(self.limits, self.rates) if change < limit),
                self.rates[-1])
            self.written_off |= set(range(step + 1, step + self.rate))
        self.old = new
        return output


class TGate(Reference):
    """Attention of one branch: cross-attention until the gate, self-attention by two periods.

    From the gate on only the unconditional branch is called (see `merge`); nothing is reused that
    was not kept before.
    """

    def __init__(self, layout, cuts, gate, period, final_period, warmup=2):
        super().__init__(layout, cuts)
        self.gate, self.period, self.final_period, self.warmup = gate, period, final_period, warmup

    def reused(self, step):
        if step == self.gate - 1:
            return []
        late = step >= self.gate
        every = self.final_period if late else self.period
        own = step > self.warmup and step % every != 0
        return [site for site in self.sites
                if site in self.kept and (late if site.endswith("attn2") else own)]

    def merge(self, other):
        """At the gate every kept tensor becomes the mean of both branches."""
        for site, kept in self.kept.items():
            self.kept[site] = [(a + b) / 2 for a, b in zip(kept, other.kept[site])]

"""References of systems that run modules again on some of their tokens, or on a drafted input.

What a module makes of some tokens is those rows of what the puppet's module makes of all, because it
treats each by itself; that the cached graph really computes rows alone is not assumed here. Modules
run in order, so that each sees what the ones before it put in place.
"""

import numpy as np

from references import Reference, TaylorSeer

PRIME = 2039


def noise(tokens, step, seed):
    """The language's pseudo-random scores, in Python's integers."""
    def score(token):
        a, b = token // PRIME % PRIME, token % PRIME
        for turn in range(4):
            a, b = b, (a + (b + 1543 * step + seed + 1009 * turn) ** 3) % PRIME
        return a * PRIME + b

    return np.array([score(token) for token in range(tokens)])


def largest(scores, count):
    """The places of the largest scores; of equal ones the earlier."""
    return np.argsort(-scores, kind="stable")[:count]


class SpeCa(TaylorSeer):
    """Taylor drafts while the last block, computed on the drafted input, makes what was drafted."""

    def __init__(self, layout, cuts, base, decay, floor, least, most, first, steps):
        self.end = layout.ends[-1][0]
        super().__init__(layout, cuts, 1, None, first)
        self.puppet = type(self.puppet)(layout, cuts, [self.end])
        family, index = layout.blocks[-1]
        self.last_block = [site for site in cuts if site.startswith(f"{family}.{index}.")]
        self.base, self.decay, self.floor, self.steps = base, decay, floor, steps
        self.least, self.most = least, most
        self.drafts, self.error = None, 0.0

    def __call__(self, feeds, step):
        if self.wants_full(step):
            self.drafts = 0
            output = self.call(feeds, step, [])
            self.last = step
            return output
        self.drafts += 1
        output = self.call(feeds, step, self.sites)
        drafted = self.puppet.seen[self.end]
        self.puppet(feeds, {site: self.stand_in(site, step) for site in self.sites
                            if site not in self.last_block})
        real = self.puppet.seen[self.end]
        self.error = np.mean(np.abs(drafted - real) / (np.abs(real) + np.float32(1e-8)))
        return output

    def wants_full(self, step):
        if self.drafts is None:
            return True
        if self.drafts < 1:
            return False
        if step < self.first or self.drafts >= self.most:
            return True
        if self.drafts < self.least:
            return False
        limit = max(self.base * self.decay ** (step / self.steps), self.floor)
        self.metrics.append(self.error / limit)
        return not self.error <= limit


class TokenReference(Reference):
    """Full steps, and steps that compute some tokens of some modules and reuse the others whole.

    `chosen` holds, for each reused call, what a module's stream computed: by (site, stream).
    """

    def __init__(self, layout, fixed, partial, computes, part, last=None, fixed_forecast=False):
        self.last = last or {}
        super().__init__(layout, {**fixed, **partial, **self.last})
        self.fixed, self.partial = list(fixed), list(partial)
        self.computes, self.part, self.chosen = computes, part, []
        count = len(layout.blocks)
        places = {f"{family}.{index}": place for place, (family, index) in enumerate(layout.blocks)}
        self.depth = {site: places[site.rsplit(".", 1)[0]] / max(1, count - 1) for site in partial}
        self.full, self.before = None, None

    def __call__(self, feeds, step):
        computes_all = self.full is None or self.computes(step)
        if computes_all:
            self.before, self.full = self.full, step
            return self.call(feeds, step, [])
        put = {site: self.stand_in(site, step) for site in self.fixed}
        chosen = {}
        for site in self.partial:
            self.puppet(feeds, put)
            put[site] = []
            for stream, made in enumerate(self.puppet.made[site]):
                value, tokens = self.renew(site, stream, made, step)
                put[site].append(value)
                chosen[site, stream] = tokens
        self.chosen.append((step, chosen))
        log = {site: False for site in self.sites}
        output = self.puppet(feeds, put)
        for site in self.last:
            log[site] = self.is_conservative(step)
            if log[site]:
                self.kept[site] = self.puppet.made[site]
            else:
                output = self.puppet(feeds, {**put, site: self.kept[site]})
        self.log.append(log)
        return output

    def is_conservative(self, step):
        return self.part(step) > 0


class ToCa(TokenReference):
    """Random tokens of each mlp are fresh; with `last`, DuCa: no token on its aggressive steps."""

    def renew(self, site, stream, made, step):
        value = np.array(self.kept[site][stream])
        scores = noise(value.shape[1], step, int(np.float32(1000 * self.depth[site])))
        tokens = largest(scores, max(1, int(self.part(step) * value.shape[1])))
        value[:, tokens] = made[:, tokens]
        self.kept[site] = [*self.kept[site][:stream], value, *self.kept[site][stream + 1:]]
        return value, tokens


class AttentionToCa(TokenReference):
    """The tokens of the highest score are fresh, scores being of what attentions made at full steps.

    `scores(seen)` gives those of each partial site, stream by stream, from the probed values; `grid`
    is that of the first stream's tokens, for a bonus in each cell of 2 x 2.
    """

    def __init__(self, layout, fixed, partial, computes, part, probes, scores, weight, interval,
                 bonus=0, grid=None):
        super().__init__(layout, fixed, partial, computes, part)
        self.puppet = type(self.puppet)(layout, {**fixed, **partial}, probes)
        self.scores, self.weight, self.interval = scores, np.float32(weight), np.float32(interval)
        self.bonus, self.grid, self.stored, self.ages = np.float32(bonus), grid, {}, {}
        self.margin = np.inf

    def keep(self, site, made, step):
        self.kept[site] = made
        if site in self.partial:
            self.stored[site] = self.scores(self.puppet.seen)[site]
            self.ages[site] = [np.zeros(rows.shape[1], np.float32) for rows in made]

    def renew(self, site, stream, made, step):
        value, age = np.array(self.kept[site][stream]), self.ages[site][stream]
        score = self.stored[site][stream] + self.weight * age / self.interval
        if self.grid and stream == 0:
            score = score + self.bonus * grid_peaks(score, self.grid)
        count = max(1, int(np.float32(self.part(step)) * np.float32(len(score))))
        tokens = largest(score, count)
        ordered = np.sort(score)[::-1]
        self.margin = min(self.margin, ordered[count - 1] - ordered[count])
        value[:, tokens] = made[:, tokens]
        self.kept[site] = [*self.kept[site][:stream], value, *self.kept[site][stream + 1:]]
        age += 1
        age[tokens] = 0
        return value, tokens


def unit(scores):
    return scores / max(np.linalg.norm(scores), np.float32(1e-12))


def received(weights):
    """How much attention each token receives: (heads, queries, keys) to keys."""
    return weights.mean(0).sum(0)


def entropy(weights):
    """The entropy of each query's attention, the mean over heads."""
    mean = weights.mean(0)
    return -(mean * np.log(np.maximum(mean, np.finfo(np.float32).tiny))).sum(-1)


def value_norm(values):
    """(heads, tokens, width) to the mean norm of each token."""
    return np.linalg.norm(values, axis=-1).mean(0)


def grid_peaks(scores, grid):
    """The largest score of each cell of 2 x 2 tokens where it is, 0 elsewhere."""
    frames, rows, columns = grid
    result = np.zeros_like(scores)
    for frame in range(frames):
        for row in range(0, rows, 2):
            for column in range(0, columns, 2):
                cell = [(frame * rows + row + y) * columns + column + x
                        for y in range(2) for x in range(2)]
                best = cell[int(np.argmax(scores[cell]))]
                result[best] = scores[best]
    return result


class ClusCa(TokenReference):
    """Taylor forecasts; of each cluster one random token is computed and blended into the others."""

    def __init__(self, layout, forecast, partial, computes, count, rounds, blend):
        super().__init__(layout, forecast, partial, computes, None)
        self.count, self.rounds, self.blend = count, rounds, np.float32(blend)
        self.labels = {}

    def keep(self, site, made, step):
        old, self.slopes = self.kept.get(site), getattr(self, "slopes", {})
        distance = np.float32(step - self.before) if old is not None else None
        self.slopes[site] = [0 * a if old is None else (a - b) / distance
                             for a, b in zip(made, old or made)]
        self.kept[site] = made
        if site in self.partial:
            self.labels[site] = [lloyd(rows[0], self.count, self.rounds) for rows in made]

    def stand_in(self, site, step):
        return [a + b * np.float32(step - self.full)
                for a, b in zip(self.kept[site], self.slopes[site])]

    def renew(self, site, stream, made, step):
        labels = self.labels[site][stream]
        scores = noise(made.shape[1], step, int(np.float32(1000 * self.depth[site])))
        tokens = [np.flatnonzero(labels == k)[np.argmax(scores[labels == k])]
                  if (labels == k).any() else 0 for k in range(self.count)]
        rows = made[:, tokens]
        value = (1 - self.blend) * self.stand_in(site, step)[stream] + self.blend * rows[:, labels]
        value[:, tokens] = rows
        return value, np.array(sorted(set(tokens)))


def lloyd(rows, count, rounds):
    """The cluster of each row; centres begin at even distances, empty clusters keep theirs."""
    centres = rows[[i * len(rows) // count for i in range(count)]]
    for turn in range(rounds + 1):
        labels = np.argmin(np.sum(centres**2, 1)[None] - 2 * rows @ centres.T, axis=1)
        if turn < rounds:
            centres = np.stack([
                rows[labels == k].mean(0) if (labels == k).any() else centres[k]
                for k in range(count)])
    return labels

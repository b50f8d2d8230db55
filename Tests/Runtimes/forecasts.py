"""The weights with which a forecast sums what was computed before, from its definition."""

from math import factorial

import numpy as np
from numpy.polynomial import hermite


def coefficients(clause, computed):
    """The weights of the computed steps' features at the last step of `computed`.

    `clause` is a forecast as a schedule says it, such as "forecast taylor order 1 from 2";
    `computed` says of every step so far whether it computed. Differences are taken between the
    features themselves, one unit vector a step, so that any forecast is a sum of rows.
    """
    words = clause.split()
    kind = words[1]
    number = dict(zip(words[2::2], map(float, words[3::2])))
    steps = np.flatnonzero(computed)
    if kind == "linear":
        newer = np.eye(len(computed))[steps[-1]]
        older = np.eye(len(computed))[steps[-2]] if len(steps) > 1 else newer
        return newer + number.get("weight", 0.5) * (newer - older)
    order, first = int(number.get("order", 1)), number.get("from", 0)
    held, last = [], None
    for step in steps:
        fresh = [np.eye(len(computed))[step]]
        for k in range(order):
            if last is None or step < first or k >= len(held):
                break
            fresh.append((fresh[k] - held[k]) / (step - last))
        held, last = fresh, step
    x = len(computed) - 1 - last
    if x == 0:
        return held[0]
    if kind == "taylor":
        return sum(f * x**k / factorial(k) for k, f in enumerate(held))
    scale = number.get("scale", 0.5)
    return held[0] + sum(
        f * scale**k / factorial(k) * hermite.hermval(scale * x, np.eye(order + 1)[k])
        for k, f in enumerate(held) if k)

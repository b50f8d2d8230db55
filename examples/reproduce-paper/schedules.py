"""The schedules of the paper's tables, written for a profiled model, and what they are compared with.

Every function returns the text of a `.dcs` file. Steps are those of a run of 50, stretched to others.
"""

# Steps that refresh the background of HunyuanVideo: rarer at first, denser towards the end (Eq. 15).
STEPWISE = (6, 18, 26, 32, 38, 42, 46, 48)
INVERSE = (6, 8, 12, 16, 22, 28, 36, 48)
AVERAGE = (6, 12, 18, 24, 30, 36, 42, 48)


def stretched(steps, count):
    """Steps of a run of 50 in a run of another length."""
    return sorted({min(round(step * count / 50), count - 1) for step in steps})


def listed(numbers):
    return "[" + ", ".join(map(str, sorted(numbers))) + "]"


def schedule(name, body, imports=()):
    head = "".join(f'import "{path}"\n' for path in imports)
    return f"{head}schedule {name} for any {{\n{body}}}\n"


def blocks(name, cached, refresh, steps, keep="delta"):
    """The paper's cache: the blocks of a list keep what they add, refreshed at listed steps."""
    return schedule(
        name,
        f"  cache blocks{listed(cached)} {{\n    keep {keep}\n"
        f"    warmup_steps {max(1, round(6 * steps / 50))}\n"
        f"    refresh at {listed(stretched(refresh, steps))}\n  }}\n",
    )


def split(name, background, foreground, steps):
    """Table 3, split: the foreground is reused early, the background from step 32 on."""
    early, late, turn = (stretched(part, steps) for part in ((6, 26), (32, 42, 48), (31,)))
    return schedule(
        name,
        f"  cache blocks{listed(foreground)} as foreground {{\n    keep delta\n"
        f"    compute when step < {early[0]} or step in {listed(early)} or step > {turn[0]}\n  }}\n"
        f"  cache blocks{listed(background)} as background {{\n    keep delta\n"
        f"    compute when step <= {turn[0]} or step in {listed(late)}\n  }}\n",
    )


def alternate(name, background, foreground, steps):
    """Table 3, alternate: foreground and background are reused in turn, refresh by refresh."""
    ends = stretched(STEPWISE, steps) + [steps]
    reused = {0: [], 1: []}
    for place, (first, following) in enumerate(zip(ends, ends[1:])):
        reused[place % 2] += range(first + 1, following)
    parts = []
    for own, (label, cached) in enumerate([("foreground", foreground), ("background", background)]):
        parts.append(
            f"  cache blocks{listed(cached)} as {label} {{\n    keep delta\n"
            f"    compute unless step in {listed(reused[own])}\n  }}\n")
    return schedule(name, "".join(parts))


def profiled(background, foreground, steps):
    """Tables 3 and 4 and the two readings of Eq. 10, by the names of their rows."""
    return {
        "background-stepwise": blocks("background-stepwise", background, STEPWISE, steps),
        "background-inverse": blocks("background-inverse", background, INVERSE, steps),
        "background-average": blocks("background-average", background, AVERAGE, steps),
        "foreground-stepwise": blocks("foreground-stepwise", foreground, STEPWISE, steps),
        "foreground-inverse": blocks("foreground-inverse", foreground, INVERSE, steps),
        "foreground-average": blocks("foreground-average", foreground, AVERAGE, steps),
        "split": split("split", background, foreground, steps),
        "alternate": alternate("alternate", background, foreground, steps),
        "eq-10-accumulated": blocks(
            "eq-10-accumulated", background, STEPWISE, steps, keep="accumulated_delta"),
    }


def _threshold(name, site, body, default, imports=(), head=""):
    return schedule(
        name,
        f"{head}  parameter threshold in 0 to 100 = {default}\n  cache {site} {{\n{body}  }}\n",
        imports)


def adaptive(warmup):
    """Rules with a threshold, which is calibrated. TeaCache's polynomial is the identity here."""
    return {
        "teacache": _threshold(
            "teacache", "stack",
            f"    keep delta\n    warmup_steps {warmup}\n    use accumulated_change(of: "
            "timestep_projection, through: [1, 0], threshold: threshold)\n",
            0.2, ["accumulated-change.dcs"]),
        "first-block": _threshold(
            "first-block", "blocks[1..]",
            "    keep delta\n    use residual_change(of: residual(blocks[0]), threshold: "
            "threshold)\n", 0.1, ["residual-change.dcs"]),
        "dbcache": _threshold(
            "dbcache", "blocks[3..]",
            f"    keep delta\n    warmup_steps {warmup}\n    use dbcache(of: residual(blocks[0-2]), "
            "threshold: threshold)\n", 0.1, ["dbcache.dcs"]),
        "dicache": _threshold(
            "dicache", "blocks[1..]", "    use dicache(threshold: threshold, retention: 0.1)\n",
            0.2, ["dicache.dcs"]),
        "easycache": _threshold(
            "easycache", "output",
            f"    use easycache(threshold: threshold, retention: {warmup})\n", 0.1,
            ["easycache.dcs"], head="  branches follow cond\n"),
    }


def fixed(count):
    """Rules without a threshold, at the interval whose cost is nearest to half."""
    modules = "self_attention + cross_attention + mlp + parallel of blocks[0..] before gate"
    forecasts = {
        "fora": "",
        "taylorseer": "    forecast taylor order 1\n",
        "hicache": "    forecast hermite order 2 scale 0.5\n",
    }
    texts = {
        name: schedule(
            name, f"  cache {modules} {{\n    keep output\n{clause}    refresh every 2\n  }}\n")
        for name, clause in forecasts.items()
    }
    half = count // 2
    texts["every-2"] = schedule(
        "every-2", "  cache stack {\n    keep delta\n    refresh every 2\n  }\n")
    texts["taylorseer-lite"] = schedule(
        "taylorseer-lite",
        "  cache output {\n    keep output\n    forecast taylor order 1\n    refresh every 2\n  }\n")
    texts["pab"] = schedule(
        "pab",
        "  cache self_attention of blocks[0..] after gate {\n    use broadcast(range: 2)\n  }\n"
        "  cache mlp of blocks[0..] after gate {\n    use broadcast(range: 2)\n  }\n",
        ["broadcast.dcs"])
    texts["delta-dit"] = schedule(
        "delta-dit",
        f"  cache blocks[{half}..] as rear {{\n    keep delta\n"
        "    compute when 2 * step >= steps or step mod 5 == 0\n  }\n"
        f"  cache blocks[0-{half - 1}] as front {{\n    keep delta\n"
        "    compute when 2 * step < steps or step mod 5 == 0\n  }\n")
    texts["blockdance"] = schedule(
        "blockdance",
        f"  cache blocks[0-{count - 3}] {{\n    keep output\n"
        "    let first = round(0.1 * steps)\n    compute unless step >= first and step < "
        "round(0.95 * steps) and (step - first) mod 3 != 0\n  }\n")
    return texts

"""The schedules of the paper's tables, written for a profiled model.

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

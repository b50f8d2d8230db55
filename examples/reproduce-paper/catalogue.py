"""The other systems, written for a model at about twice its speed by FLOPs.

Rules with a threshold are calibrated by `ditcache tune`; the others take the interval or list whose cost
is nearest to half. Numbers that are not about speed are those of the catalogue's schedules.
"""

from schedules import listed, schedule

# Steps that LeMiCa's graph search found for 25 of 50 (its list for Wan2.1 1.3B); MeanCache's port had
# its own, which were not to be had.
HALF = [*range(13), 14, 16, 18, 21, 24, 29, 35, 40, 44, 47, 48, 49]

# Where modules lie, as each model has them, and what TeaCache looks at.
SITES = {
    "wan_video": {
        "attention": "self_attention of blocks[0..]", "mlp": "mlp of blocks[0..]",
        "kept": "self_attention + cross_attention of blocks[0..]",
        "kept but last": "self_attention + cross_attention of blocks[0..-2]",
        "mlp but last": "mlp of blocks[0..-2]",
        "modules": "self_attention + cross_attention + mlp of blocks[0..]",
        "middle": "self_attention of blocks[6]", "signal": "timestep_projection",
        "after the first": [("blocks[1..]", "")], "guidance": "two calls"},
    "hunyuan_video": {
        "attention": "self_attention of transformer_blocks[0..]",
        "mlp": "mlp of transformer_blocks[0..]",
        "kept": "self_attention + parallel of blocks[0..]",
        "kept but last": "self_attention + parallel of blocks[0..-2]",
        "mlp but last": "mlp of transformer_blocks[0..]",
        "modules": "self_attention + mlp + parallel of blocks[0..]",
        "middle": "self_attention of transformer_blocks[2]",
        "signal": "modulated_input(blocks[0])", "guidance": "distilled",
        # Single blocks go on with the text's tokens behind the latents'.
        "after the first": [
            ("transformer_blocks[1..]", ""), ("single_transformer_blocks[0..]", ", base: input")]},
    "dit_image": {
        "attention": "self_attention of blocks[0..]", "mlp": "mlp of blocks[0..]",
        "kept": "self_attention of blocks[0..]", "kept but last": "self_attention of blocks[0..-2]",
        "mlp but last": "mlp of blocks[0..-2]", "modules": "self_attention + mlp of blocks[0..]",
        "middle": "self_attention of blocks[5]", "signal": "timestep_projection",
        "after the first": [("blocks[1..]", "")], "guidance": "one batch"},
}


def half(steps):
    """HALF for another number of steps: half of them, spread as its are."""
    count = max(2, steps // 2)
    places = [round(place * (len(HALF) - 1) / (count - 1)) for place in range(count)]
    found = []
    for place in places:
        step = round(HALF[place] * (steps - 1) / 49)
        found.append(max(step, found[-1] + 1 if found else 0))
    return [step for step in found if step < steps]


def _threshold(name, site, body, default, imports=(), head=""):
    return schedule(
        name,
        f"{head}  parameter threshold in 0 to 100 = {default}\n  cache {site} {{\n{body}  }}\n",
        imports)


def thresholds(model, ratios, steps):
    """Rules whose threshold is calibrated: the larger, the more is reused.

    TeaCache's polynomial is the identity, MagCache's ratios are those of the model itself, and
    AdaCache's codebook is scaled as a whole.
    """
    site = SITES[model]
    warmup = max(1, round(5 * steps / 50))
    lead = "  branches follow cond\n" if site["guidance"] == "two calls" else ""
    table = "[" + ", ".join(f"{ratio:.5f}" for ratio in ratios) + "]"
    return {
        "teacache": _threshold(
            "teacache", "stack",
            f"    keep delta\n    warmup_steps {warmup}\n    use accumulated_change(of: "
            f"{site['signal']}, through: [1, 0], threshold: threshold)\n",
            0.2, ["accumulated-change.dcs"]),
        "first-block": _threshold(
            "first-block", "blocks[1..]",
            "    keep delta\n    use residual_change(of: residual(blocks[0]), threshold: "
            "threshold)\n", 0.1, ["residual-change.dcs"]),
        "dbcache": _threshold(
            "dbcache", "blocks[3..]",
            f"    keep delta\n    warmup_steps {warmup}\n    use dbcache(of: residual(blocks[0-2]), "
            "threshold: threshold)\n", 0.1, ["dbcache.dcs"]),
        "dicache": schedule(
            "dicache", "  parameter threshold in 0 to 10 = 0.2\n" + "".join(
                f"  cache {blocks} {{\n    use dicache(threshold: threshold, retention: 0.1{base})\n"
                "  }\n" for blocks, base in site["after the first"]), ["dicache.dcs"]),
        "easycache": _threshold(
            "easycache", "output",
            f"    use easycache(threshold: threshold, retention: {warmup})\n", 0.1,
            ["easycache.dcs"], head=lead),
        "magcache": _threshold(
            "magcache", "stack",
            f"    keep delta\n    use magcache(ratio: per_step({table}), threshold: threshold, "
            "most: 4, retention: 0.1)\n", 0.05, ["magcache.dcs"]),
        "adacache": _threshold(
            "adacache", f"{site['modules']} after gate",
            f"    use adacache(of: residual({site['middle']}), motion: 1 / threshold, limits: "
            "[0.03, 0.05, 0.07, 0.09, 0.11], rates: [12, 10, 8, 6, 4, 3])\n", 1, ["adacache.dcs"]),
        "speca": _threshold(
            "speca", f"{site['modules']} before gate",
            "    keep output\n    forecast taylor order 1\n    use verified(draft: "
            "output(blocks[-1]), real: recomputed(blocks[-1]), base: threshold, decay: 0.1, "
            "floor: 0, least: 1, most: 12, first: 1)\n", 0.2, ["speca.dcs"]),
    }


def fixed(model, count, steps):
    """Rules without a threshold."""
    site, middle = SITES[model], count // 2
    texts = {
        "every-2": "  cache stack {\n    keep delta\n    refresh every 2\n  }\n",
        "taylorseer-lite":
            "  cache output {\n    keep output\n    forecast taylor order 1\n    refresh every 2\n"
            "  }\n",
        "delta-dit":
            f"  cache blocks[{middle}..] as rear {{\n    keep delta\n"
            "    compute when 2 * step >= steps or step mod 5 == 0\n  }\n"
            f"  cache blocks[0-{middle - 1}] as front {{\n    keep delta\n"
            "    compute when 2 * step < steps or step mod 5 == 0\n  }\n",
        "blockdance":
            f"  cache blocks[0-{count - 3}] {{\n    keep output\n"
            "    let first = round(0.1 * steps)\n    compute unless step >= first and step < "
            "round(0.95 * steps) and (step - first) mod 3 != 0\n  }\n",
        "lemica":
            f"  cache stack {{\n    keep delta\n    refresh at {listed(half(steps))}\n"
            "  }\n",
    }
    forecasts = {
        "fora": "", "taylorseer": "    forecast taylor order 1\n",
        "hicache": "    forecast hermite order 2 scale 0.5\n"}
    for name, clause in forecasts.items():
        texts[name] = (
            f"  cache {site['modules']} before gate {{\n    keep output\n{clause}"
            "    refresh every 2\n  }\n")
    if site["guidance"] == "two calls":
        gate = round(0.4 * steps)
        texts["t-gate"] = (
            f"  branches drop cond from {gate}\n"
            "  cache cross_attention of blocks[0..] before gate {\n    keep output\n"
            f"    compute when step < {gate}\n  }}\n"
            "  cache self_attention of blocks[0..] before gate {\n    keep output\n"
            f"    compute when step <= 2 or step >= {gate - 1} or step mod 5 == 0\n  }}\n")
    written = {name: schedule(name, body) for name, body in texts.items()}
    written.update(_imported(model, steps))
    return written


def _imported(model, steps):
    """Rules of the catalogue's files."""
    site = SITES[model]
    texts = {
        "pab": (
            "broadcast.dcs",
            f"  cache {site['attention']} after gate {{\n    use broadcast(range: 2)\n  }}\n"
            f"  cache {site['mlp']} after gate {{\n    use broadcast(range: 2)\n  }}\n"),
        "fastercache": (
            "fastercache.dcs",
            f"  cache {site['attention']} before gate {{\n    use fastercache(from: "
            f"{round(0.3 * steps)})\n  }}\n"),
        "toca": (
            "toca.dcs",
            f"  cache {site['kept']} before gate as attention {{\n    keep output\n"
            "    refresh every 3\n  }\n"
            f"  cache {site['mlp']} before gate {{\n    refresh every 3\n"
            "    use fresh_tokens(part: 0.15, score: noise(input, 1000 * depth))\n  }\n"),
        "duca": (
            "toca.dcs",
            "  cache blocks[-1] as last {\n    keep output\n    compute when step mod 3 != 2\n  }\n"
            f"  cache {site['kept but last']} before gate as attention {{\n    keep output\n"
            "    refresh every 3\n  }\n"
            f"  cache {site['mlp but last']} before gate {{\n    refresh every 3\n"
            "    use fresh_tokens(part: if step mod 3 == 2 then 0 else 0.15, score: noise(input, "
            "1000 * depth))\n  }\n"),
        "clusca": (
            "clusca.dcs",
            f"  cache {site['kept']} before gate as attention {{\n    keep output\n"
            "    forecast taylor order 1\n    refresh every 3\n  }\n"
            f"  cache {site['mlp']} before gate {{\n    refresh every 3\n    use clustered(count: "
            "16, rounds: 5, blend: 0.01, seed: 1000 * depth)\n  }\n"),
    }
    if site["guidance"] != "one batch":
        # A mean of velocities: DDIM's predictions of noise have none.
        texts["meancache"] = (
            "meancache.dcs",
            f"  cache output {{\n    use meancache(fresh: {listed(half(steps))}, "
            "order: 2)\n  }\n")
    if site["guidance"] == "two calls":
        first = round(0.34 * steps)
        texts["fastercache-guidance"] = (
            "fastercache.dcs",
            f"  let alone = step >= {first} and (step + 1) mod 5 != 0\n"
            f"  cache {site['attention']} before gate {{\n    keep output\n"
            f"    forecast linear weight 0.5\n    compute unless step >= {first - 2} and (step + 1)"
            f" mod 2 == 0 and (step < {first} or alone)\n  }}\n"
            "  cache uncond {\n    use fastercache_guidance(skips: alone, low_growth: if step < "
            f"{round(0.88 * steps)} then 1.1 else 1, high_growth: if step >= {round(0.88 * steps)} "
            "then 1.1 else 1)\n  }\n")
    return {name: schedule(name, body, [rule]) for name, (rule, body) in texts.items()}

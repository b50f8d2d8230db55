"""Schedules and the references of the same systems, with the numbers that both are given."""

from dataclasses import dataclass
from typing import Callable

import numpy as np

from catalogue_tests import DEEP, SCHEDULES, run_inputs, with_threshold
from probing_references import DiCache, EasyCache, FirstBlocks
from published import LEMICA, MAGCACHE, TEACACHE
from puppet import layout
from references import Accumulated, AdaCache, FasterCache, HiCache, MagCache, StepLists, TaylorSeer
from references import PortedAdaCache, TeaCache, TGate
from support import LATENTS, arrays

WAN, HUNYUAN = "wan", "hunyuan"
ATTENTION, ALL = ["attn1", "attn"], ["attn1", "attn2", "ffn", "attn", "ff"]
# ProfilingDiT's lists (GeekGuru123/ProfilingDiT): the background and the foreground among
# HunyuanVideo's 40 single-stream blocks, the background among Wan's 40, refresh steps as shipped.
HUNYUAN_BACKGROUND = [0, 2, 4, 5, 6, 7, *range(10, 22), 23, 25, 26, 27, 31, 33]
HUNYUAN_FOREGROUND = [1, 3, 8, 9, 22, 24, 28, 29, 30, 32, *range(34, 40)]
WAN_FOREGROUND = HUNYUAN_FOREGROUND
WAN_BACKGROUND = [0, *range(2, 8), *range(10, 21), *range(25, 33), 37, 38]
SHIPPED_STEPS = [6, 18, 26, 32, 38, 42, 46, 48]


def every(n, begin, steps):
    """Warm-up steps, then one in n from `begin` on."""
    return {*range(begin), *range(begin, steps, n)}


def from_lists(refresh, steps=50, warmup=6):
    return {*range(warmup), *(step for step in refresh if step < steps)}


def decreasing(steps=50, begin=6, longest=12, shortest=3):
    """ProfilingDiT's Eq. 15, the interval rounded down to an even number."""
    found, step = [], begin
    while step < steps:
        found.append(step)
        interval = longest - (longest - shortest) * (step - begin) / (steps - begin)
        step += int(interval // 2) * 2
    return found


def profiling_hunyuan(blocks, refresh):
    def make():
        place = layout(HUNYUAN, True)
        single = place.family("single_transformer_blocks")
        return StepLists(
            place, (place.runs([single[index] for index in blocks]), from_lists(refresh)),
            (place.run(6, 19), every(6, 6, 50)))
    return make


def split(step):
    """The list in force, and whether its deltas are refreshed: the foreground's, later the other's."""
    early = step <= 31
    return "front" if early else "back", step in ([6, 26, 38, 46] if early else [18, 32, 42, 48])


def alternate(step):
    """The same where every refresh step puts its list in force until the next one."""
    begins = {**dict.fromkeys([6, 26, 38, 46], "front"), **dict.fromkeys([18, 32, 42, 48], "back")}
    last = max((begin for begin in begins if begin <= step), default=None)
    return begins.get(last), step in begins


def taking_turns(model, foreground, background, phase, first=0):
    """ProfilingDiT with two lists: after the warm-up the list in force is reused, the other is not."""
    def make():
        place = layout(model, True)
        lists = {"front": set(foreground), "back": set(background)}

        def computed(*names):
            return {step for step in range(50)
                    if step < 6 or phase(step)[1] or phase(step)[0] not in names}

        both = lists["front"] & lists["back"]
        rules = [(lists["front"] - both, ["front"]), (lists["back"] - both, ["back"]),
                 (both, ["front", "back"])]
        cuts = [(place.runs(first + block for block in blocks), computed(*names))
                for blocks, names in rules if blocks]
        if model == HUNYUAN:
            cuts.append((place.run(6, 19), every(6, 6, 50)))
        return StepLists(place, *cuts)
    return make


def stack_steps(model, steps):
    return lambda: StepLists(layout(model), (layout(model).runs(layout(model).stack), steps))


def modules(reference, model, kinds, gated, *arguments, deep=False):
    return lambda: reference(
        layout(model, deep), layout(model, deep).modules(kinds, gated), *arguments)


def broadcast(model, *rules):
    """PAB: post-gate outputs, all but every n-th step inside an open window of whole timesteps."""
    def make():
        place = layout(model)
        timesteps = np.floor(arrays(run_inputs(model, 16))["timesteps"] + 1e-6)
        return StepLists(place, *windows(place, timesteps, *rules))
    return make


def windows(place, timesteps, *rules):
    return [
        (place.modules([kind], True, positions), {
            step for step, t in enumerate(timesteps) if not (low < t < high) or step % n == 0})
        for kind, positions, n, low, high in rules]


def with_mlp_store(make, starts, skips):
    """PAB's store of mlps beside it: kept where the run has a timestep, reused for some steps."""
    def made():
        place = layout(WAN)
        timesteps = np.floor(arrays(run_inputs(WAN, 50))["timesteps"] + 1e-6)
        begins = [step for step, t in enumerate(timesteps) if t in starts]
        assert len(begins) == len(starts)
        reused = {step + skip for step in begins for skip in range(1, skips + 1)}
        return StepLists(place, *make(place, timesteps), (
            place.modules(["ffn"], True, range(5)), set(range(50)) - reused))
    return made


@dataclass
class System:
    """A schedule, how long it runs, and the reference of the same."""

    model: str
    text: str
    make: Callable
    steps: int = 12
    deep: bool = False
    tolerance: float = None
    threshold: float = None


def shipped(name, model, make, steps, **more):
    return System(model, SCHEDULES[name], make, steps, name in DEEP, **more)


def rule(model, site, *lines, imports=None):
    """A schedule of one rule for twelve steps."""
    head = f'import "{imports}"\n' if imports else ""
    inside = "\n".join(f"    {line}" for line in lines)
    return f"{head}schedule test for {model} {{ steps 12 cache {site} {{\n{inside}\n}} }}\n"


FIXED = {
    "profiling_hunyuan": shipped(
        "profiling-hunyuan", HUNYUAN, profiling_hunyuan(HUNYUAN_BACKGROUND, SHIPPED_STEPS), 50),
    "profiling_hunyuan_average": shipped(
        "profiling-hunyuan-average", HUNYUAN,
        profiling_hunyuan(HUNYUAN_BACKGROUND, range(6, 50, 6)), 50),
    "profiling_hunyuan_inverse": shipped(
        "profiling-hunyuan-inverse", HUNYUAN, profiling_hunyuan(
            HUNYUAN_BACKGROUND, 6 + np.cumsum([0, *np.diff(SHIPPED_STEPS)[::-1]])), 50),
    "profiling_hunyuan_foreground": shipped(
        "profiling-hunyuan-foreground", HUNYUAN,
        profiling_hunyuan(HUNYUAN_FOREGROUND, SHIPPED_STEPS), 50),
    "profiling_wan": shipped("profiling-wan-14b", WAN, lambda: StepLists(
        layout(WAN, True), (layout(WAN, True).runs(WAN_BACKGROUND), every(6, 6, 50))), 50),
    "profiling_wan_stepwise": shipped("profiling-wan-14b-stepwise", WAN, lambda: StepLists(
        layout(WAN, True), (layout(WAN, True).runs(WAN_BACKGROUND), from_lists(decreasing()))), 50),
    "profiling_from_the_first_blocks": System(HUNYUAN, rule(
        HUNYUAN, "single[0-2, 4]", "keep delta", "warmup_steps 2", "refresh at [2, 5, 9]",
        "}", "cache dual[0..] {", "keep delta", "warmup_steps 3", "refresh every 4"),
        lambda: StepLists(
            layout(HUNYUAN), (layout(HUNYUAN).runs([2, 3, 4, 6]), from_lists([2, 5, 9], 12, 2)),
            (layout(HUNYUAN).run(0, 1), every(4, 3, 12)))),
    **{f"profiling_hunyuan_{phase.__name__}": shipped(
        f"profiling-hunyuan-{phase.__name__}", HUNYUAN, taking_turns(
            HUNYUAN, HUNYUAN_FOREGROUND, HUNYUAN_BACKGROUND, phase, first=20), 50)
       for phase in (split, alternate)},
    **{f"profiling_wan_{phase.__name__}": shipped(
        f"profiling-wan-14b-{phase.__name__}", WAN, taking_turns(
            WAN, WAN_FOREGROUND, WAN_BACKGROUND, phase), 50)
       for phase in (split, alternate)},
    "lemica_wan": shipped("lemica-wan-1-3b-14", WAN, stack_steps(
        WAN, LEMICA["lemica-wan-1-3b-14"]), 50),
    "lemica_hunyuan": System(HUNYUAN, rule(
        HUNYUAN, "stack", "keep delta", "refresh at [0, 1, 3, 5, 9]"),
        stack_steps(HUNYUAN, [0, 1, 3, 5, 9])),
    "step_mask": shipped("scm-fast-28", WAN, lambda: StepLists(layout(WAN), (
        layout(WAN).run(1, 5), {*range(6), 7, 11, 16, 22, 27})), 28),
    "step_mask_hunyuan": shipped("scm-fast-28", HUNYUAN, lambda: StepLists(layout(HUNYUAN), (
        layout(HUNYUAN).runs(range(1, 8)), {*range(6), 7, 11, 16, 22, 27})), 28),
    "blockdance": shipped("blockdance-wan", WAN, lambda: StepLists(layout(WAN, True), (
        layout(WAN, True).run(0, 18, delta=False), {
            step for step in range(20) if not 8 <= step < 19 or (step - 8) % 2 == 0})), 20),
    "delta_dit": shipped("delta-dit", WAN, lambda: StepLists(
        layout(WAN, True),
        (layout(WAN, True).run(30, 39), {*range(0, 20, 2), *range(12, 20)}),
        (layout(WAN, True).run(0, 9), {*range(0, 20, 2), *range(12)})), 20),
    "delta_dit_hunyuan": System(HUNYUAN, rule(
        HUNYUAN, "blocks[-4..] as rear", "keep delta", "compute when step >= 6 or step mod 3 == 0",
        "}", "cache blocks[0-3] as front {", "keep delta",
        "compute when step < 6 or step mod 3 == 0"),
        lambda: StepLists(
            layout(HUNYUAN), (layout(HUNYUAN).runs(range(4, 8)), {0, 3, *range(6, 12)}),
            (layout(HUNYUAN).runs(range(4)), {*range(6), 6, 9}))),
    "accumulated_delta": System(WAN, rule(
        WAN, "blocks[0, 2-3, 5]", "keep accumulated_delta", "warmup_steps 3", "refresh every 3"),
        lambda: Accumulated(layout(WAN), (layout(WAN).runs([0, 2, 3, 5]), every(3, 3, 12)))),
    "fora_hunyuan": shipped("fora", HUNYUAN, lambda: StepLists(layout(HUNYUAN), (
        layout(HUNYUAN).modules(ALL, False), {0, 2, 5, 8, 11})), 12),
    "fora_two_modules": System(WAN, rule(
        WAN, "self_attention + mlp of blocks[0..] before gate", "keep output",
        "compute when step == 0 or (steps - 1 - step) mod 4 == 0"),
        lambda: StepLists(layout(WAN), (
            layout(WAN).modules(["attn1", "ffn"], False), {0, 3, 7, 11}))),
    "pab_wan": shipped("pab-wan", WAN, broadcast(
        WAN, ("attn1", None, 2, 100, 850), ("attn2", None, 3, 100, 850)), 16),
    "pab_hunyuan": shipped("pab-hunyuan", HUNYUAN, broadcast(
        HUNYUAN, ("attn", [0, 1], 2, 100, 850)), 16),
    "pab_mlp_wan": shipped("pab-mlp-wan", WAN, with_mlp_store(
        lambda place, timesteps: windows(
            place, timesteps, ("attn1", None, 2, 100, 850), ("attn2", None, 3, 100, 850)),
        {864, 783, 681}, 2), 50),
    "hicache": shipped("hicache", WAN, modules(HiCache, WAN, ALL, False, 2, 6, 3), 24),
    "hicache_hunyuan": shipped(
        "hicache", HUNYUAN, modules(HiCache, HUNYUAN, ALL, False, 2, 6, 3), 24),
    "taylorseer_wan": shipped(
        "taylorseer-wan", WAN, modules(TaylorSeer, WAN, ALL, False, 1, 5, 1), 16),
    "taylorseer_hunyuan": shipped(
        "taylorseer-hunyuan", HUNYUAN, modules(TaylorSeer, HUNYUAN, ALL, False, 1, 5, 1), 16),
    "taylorseer_hunyuan_order_2": System(HUNYUAN, rule(
        HUNYUAN, "self_attention + mlp + parallel of blocks[0..] before gate", "keep output",
        "forecast taylor order 2 from 2", "warmup_steps 3", "compute when (step - 2) mod 3 == 0"),
        modules(TaylorSeer, HUNYUAN, ALL, False, 2, 3, 3)),
    "fastercache_wan": shipped(
        "fastercache-wan", WAN, modules(FasterCache, WAN, ATTENTION, False, 16, 0.5), 50),
    "fastercache_hunyuan": shipped("fastercache-hunyuan", HUNYUAN, lambda: FasterCache(
        layout(HUNYUAN), layout(HUNYUAN).modules(ATTENTION, False, [0, 1]), 16, 0.5), 50),
}


# Open-Sora's codebook for 30 steps.
LIMITS, RATES = [0.08, 0.16, 0.24, 0.32, 0.40], [6, 5, 4, 3, 2, 1]


def first_blocks(model, site, cut, head, threshold, *lines, **guards):
    """First-Block-Cache, or DBCache if the rule has a budget."""
    budget = f", budget: {guards['budget']}" if "budget" in guards else ""
    name = "dbcache" if budget else "residual_change"
    return System(
        model, rule(
            model, site, "keep delta", *lines,
            f"use {name}(of: residual(blocks[0-{head - 1}]), threshold: {threshold}{budget})",
            imports=name.replace("_", "-") + ".dcs"),
        lambda: FirstBlocks(layout(model), layout(model).runs(cut), head, threshold, **guards),
        threshold=threshold)


def adacache(model, block, signal, limits, rates, frame=None):
    motion = f"_with_motion(tokens: {frame}, " if frame else "("
    return System(
        model, rule(
            model, "self_attention + cross_attention + mlp + parallel of blocks[0..] after gate",
            f"use adacache{motion}of: residual(self_attention of {block}), limits: {limits},",
            f"rates: {rates})", imports="adacache.dcs"),
        modules(AdaCache, model, ALL, True, signal, limits, rates, 12, frame))


def ported_adacache(block, signal, limits, rates, frame):
    """AdaCache as LightX2V has it for Wan, in the words of the language."""
    text = f"""
rule ported(of, tokens, limits, rates) {{
  keep delta
  slot signal
  slot rate = 1
  slot last_motion = 1
  let later = drop_first(of, tokens)
  let earlier = drop_last(of, tokens)
  let share = sum(abs(later - earlier)) / (sum(abs(later)) + sum(abs(earlier))) / 0.385
  let fourth = share * share * share * share
  let motion = if step >= 0.1 * steps and step <= 0.9 * steps then fourth * fourth else 1
  let gradient = 10 * (motion - last_motion) / rate
  let change = relative_l1(of, signal) / rate * (motion + abs(gradient))
  signal := of when computed
  last_motion := if valid then motion else 1 when computed
  rate := if change < limits[0] then rates[0] else if change < limits[1] then rates[1]
      else if change < limits[2] then rates[2] else if change < limits[3] then rates[3]
      else if change < limits[4] then rates[4] else rates[5] when computed
  compute unless elapsed < rate and step > 0
}}
schedule test for wan {{ steps 12 cache stack {{
  use ported(of: residual(self_attention of {block}), tokens: {frame}, limits: {limits},
      rates: {rates})
}} }}
"""
    return System(WAN, text, lambda: PortedAdaCache(
        layout(WAN), layout(WAN).run(0, 5),
        {signal: layout(WAN).modules(["attn1"], True)[signal]}, limits, rates, 12, frame))


def teacache(model, tap, signal, row, threshold):
    return System(
        model, rule(
            model, "stack", "keep delta", "warmup_steps 1", "cooldown_steps 1",
            f"use accumulated_change(of: {tap}, through: {row}, threshold: {threshold})",
            imports="accumulated-change.dcs"),
        lambda: TeaCache(
            layout(model), layout(model).runs(layout(model).stack), signal, row, threshold, 12),
        threshold=threshold)


def magcache(name, threshold, most):
    return System(
        HUNYUAN, with_threshold(SCHEDULES[name], threshold),
        lambda: MagCache(
            layout(HUNYUAN), layout(HUNYUAN).runs(range(8)), MAGCACHE[name]["ratios"], threshold,
            most, 0.2, 12),
        threshold=threshold)


def dicache(threshold):
    return System(
        WAN, with_threshold(SCHEDULES["dicache-wan"], threshold),
        lambda: DiCache(layout(WAN), layout(WAN).run(1, 5, delta=False), threshold, 0.2, 2, 12),
        threshold=threshold)


def easycache(threshold):
    return System(
        HUNYUAN, with_threshold(SCHEDULES["easycache-hunyuan"], threshold),
        lambda: EasyCache(layout(HUNYUAN), LATENTS, threshold, 5, 12), threshold=threshold)


DECIDED = {
    "teacache_wan_cutoff": teacache(
        WAN, "timestep_embedding", "time_embedding", TEACACHE["teacache-wan-1-3b-cutoff"], 2600),
    "teacache_hunyuan": teacache(
        HUNYUAN, "modulated_input(blocks[0])", "modulated_input",
        TEACACHE["teacache-hunyuan-fast"], 0.26),
    "magcache_hunyuan_540p": magcache("magcache-hunyuan-540p", 0.025, 4),
    "magcache_hunyuan_720p": magcache("magcache-hunyuan-720p", 0.049, 6),
    "adacache_hunyuan": adacache(
        HUNYUAN, "dual[1]", "transformer_blocks.1.attn", [0.35, 0.5, 0.65, 0.8, 1.1],
        [4, 3, 3, 2, 2, 1]),
    "adacache_wan_motion": adacache(WAN, "blocks[3]", "blocks.3.attn1", LIMITS, RATES, 24),
    "adacache_wan_port": ported_adacache("blocks[3]", "blocks.3.attn1", LIMITS, RATES, 24),
    "first_block_hunyuan": first_blocks(HUNYUAN, "blocks[1..]", range(1, 8), 1, 0.67),
    "dbcache_hunyuan": first_blocks(
        HUNYUAN, "blocks[1..-2]", range(1, 7), 1, 0.69, "warmup_steps 2", warmup=2, budget=1000),
    "dbcache_hunyuan_budgets": first_blocks(
        HUNYUAN, "blocks[2..]", range(2, 8), 2, 1.3, "warmup_steps 1", "max_cached_steps 5",
        "max_continuous_cached_steps 2", warmup=1, most=5, in_a_row=2, budget=2.5),
    "dicache_wan": dicache(0.4),
    "easycache_hunyuan": easycache(0.48),
}


def tgate(gate, period, final_period):
    """T-GATE's published schedule with other numbers, for twelve steps."""
    return f"""
schedule test for wan {{
  steps 12
  branches drop cond from {gate}
  cache cross_attention of blocks[0..] before gate {{
    keep output
    compute when step < {gate}
  }}
  cache self_attention of blocks[0..] before gate {{
    keep output
    compute when step <= 2 or step == {gate - 1} or step < {gate} and step mod {period} == 0
        or step >= {gate} and step mod {final_period} == 0
  }}
}}
"""


def tgate_reference(gate, period, final_period):
    return lambda: TGate(layout(WAN), layout(WAN).modules(["attn1", "attn2"], False), gate, period,
                         final_period)

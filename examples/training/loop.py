"""Flow-matching training shared by every example model: seeded, resumable, one thread.

The network predicts the velocity `noise - video` at `sigma * noise + (1 - sigma) * video`. Each
step's data and noise depend on the seed and the step's number alone, so that a resumed run sees
what an uninterrupted one would have seen.
"""

import argparse
import copy
import math
import os
import time

import numpy
import torch

import shapes

SHIFT = 3.0
EMA_DECAY = 0.995
PROMPT_DROPOUT = 0.1
DISTILLED_GUIDANCE = (1.0, 4.0)


def shifted(values):
    """Flow-matching noise levels: SHIFT moves uniform `values` in [0, 1] towards pure noise."""
    return SHIFT * values / (1 + (SHIFT - 1) * values)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--steps", type=int, default=2500, help="length of the cosine schedule")
    parser.add_argument("--stop-after", type=int, help="end earlier, for a trial")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--distil", type=float, default=0.3, help="last share of the steps")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where it is faster")
    return parser.parse_args()


def optimizers(model: torch.nn.Module, rate: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside blocks, AdamW for everything else, at one learning rate."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        inside = "blocks." in name and name.endswith(".weight") and parameter.ndim == 2
        (matrices if inside else others).append(parameter)
    return [
        torch.optim.Muon(matrices, lr=rate, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=rate, weight_decay=0.0, betas=(0.9, 0.99)),
    ]


def batch_of(step: int, options: argparse.Namespace, table: numpy.ndarray):
    """Videos, embedded prompts (some dropped to zero), noise levels and noise of one step."""
    generator = numpy.random.default_rng([options.seed, step])
    videos, prompts = shapes.batch(options.batch, generator)
    text = shapes.embed(prompts, table)
    text[generator.random(options.batch) < PROMPT_DROPOUT] = 0
    strata = (numpy.arange(options.batch) + generator.random(options.batch)) / options.batch
    noise = generator.standard_normal(videos.shape, dtype=numpy.float32)
    sigmas = shifted(strata).astype(numpy.float32)
    return tuple(torch.from_numpy(array) for array in (videos, text, sigmas, noise))


def guided_target(family, teacher, noisy, timestep, text, guidance) -> torch.Tensor:
    """The frozen teacher's velocity extrapolated by `guidance` away from the empty prompt."""
    with torch.no_grad():
        told = teacher(**family.inputs(noisy, timestep, text), return_dict=False)[0].float()
        untold = teacher(**family.inputs(noisy, timestep, 0 * text), return_dict=False)[0].float()
    return untold + guidance.view(-1, 1, 1, 1, 1) * (told - untold)


def train(family) -> None:
    """Train `family` as the command line says, continuing from a checkpoint if there is one."""
    options = arguments()
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    os.makedirs(options.output, exist_ok=True)
    checkpoint = os.path.join(options.output, "checkpoint.pt")
    table = shapes.embedding_table()
    model = family.build()
    average = copy.deepcopy(model).requires_grad_(False)
    teacher = copy.deepcopy(average) if family.guidance_is_embedded else None
    rules = optimizers(model, options.learning_rate)
    step, smooth, started = 0, None, time.time()
    if os.path.exists(checkpoint):
        state = torch.load(checkpoint, weights_only=True)
        step, smooth = state["step"], state["loss"]
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        if teacher is not None:
            teacher.load_state_dict(state["teacher"])
        for rule, saved in zip(rules, state["rules"]):
            rule.load_state_dict(saved)
    distil_from = round(options.steps * (1 - options.distil))
    first = step
    last = min(options.steps, options.stop_after or options.steps)
    while step < last:
        progress = step / options.steps
        rate = min(1, (step + 1) / options.warm_up) * 0.5 * (1 + math.cos(math.pi * progress))
        for rule in rules:
            for group in rule.param_groups:
                group["lr"] = rate * options.learning_rate
        videos, text, sigmas, noise = batch_of(step, options, table)
        level = sigmas.view(-1, 1, 1, 1, 1)
        noisy, target = (1 - level) * videos + level * noise, noise - videos
        guidance = None
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            if teacher is not None and step >= distil_from:
                if step == distil_from:
                    teacher.load_state_dict(average.state_dict())
                low, high = DISTILLED_GUIDANCE
                guidance = torch.linspace(low, high, options.batch).roll(step)
                target = guided_target(family, teacher, noisy, 1000 * sigmas, text, guidance)
            inputs = family.inputs(noisy, 1000 * sigmas, text, guidance)
            output = model(**inputs, return_dict=False)[0]
        loss = (output.float() - target).pow(2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for rule in rules:
            rule.step()
            rule.zero_grad(set_to_none=True)
        step += 1
        decay = min(EMA_DECAY, step / (step + 10))
        with torch.no_grad():
            for mean, value in zip(average.parameters(), model.parameters()):
                mean.lerp_(value, 1 - decay)
        smooth = loss.item() if smooth is None else 0.98 * smooth + 0.02 * loss.item()
        if step % 10 == 0:
            pace = (time.time() - started) / (step - first)
            print(f"step {step} loss {smooth:.4f} seconds/step {pace:.2f}", flush=True)
        if step % 100 == 0 or step == last:
            state = {
                "step": step,
                "steps": options.steps,
                "loss": smooth,
                "model": model.state_dict(),
                "average": average.state_dict(),
                "teacher": teacher.state_dict() if teacher is not None else None,
                "rules": [rule.state_dict() for rule in rules],
            }
            torch.save(state, checkpoint + ".new")
            os.replace(checkpoint + ".new", checkpoint)

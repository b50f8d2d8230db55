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

SHIFT = 3.0  # of the sampler, and of training unless --shift says otherwise
EMA_DECAY = 0.995
PROMPT_DROPOUT = 0.1
DISTILLED_GUIDANCE = (1.0, 4.0)


def shifted(values, shift=SHIFT):
    """Flow-matching noise levels: `shift` moves uniform `values` in [0, 1] towards pure noise."""
    return shift * values / (1 + (shift - 1) * values)


def arguments() -> argparse.ArgumentParser:
    """The options that every run has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True, help="folder of the checkpoint and the log")
    parser.add_argument("--steps", type=int, default=2500, help="length of the cosine schedule")
    parser.add_argument("--stop-after", type=int, help="end earlier, for a trial")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--warm-up", type=int, default=100)
    parser.add_argument("--distil", type=float, default=0.3, help="last share of the steps")
    parser.add_argument("--shift", type=float, default=SHIFT, help="more trains higher noise")
    parser.add_argument("--start", help="a checkpoint whose averaged weights a new run begins with")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--bfloat16", action="store_true", help="autocast, where it is faster")
    parser.add_argument("--compile", action="store_true", help="needs a C++ compiler; faster steps")
    return parser


def attention_written_out(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False,
                          scale=None, enable_gqa=False):
    """scaled_dot_product_attention as products and a softmax, which a compiler can fuse.

    With heads of 32 and 512 tokens a compiled step takes two thirds of the fused kernel's time.
    """
    if is_causal or enable_gqa or dropout_p > 0:
        raise NotImplementedError("causal, grouped or dropped-out attention")
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    scores = (query * scale) @ key.transpose(-1, -2)
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        scores = scores.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        scores = scores + attn_mask
    return torch.softmax(scores.float(), -1).to(value.dtype) @ value


def compiled(model: torch.nn.Module) -> torch.nn.Module:
    """`model` compiled, sharing its weights."""
    torch.nn.functional.scaled_dot_product_attention = attention_written_out
    return torch.compile(model)


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
    sigmas = shifted(strata, options.shift).astype(numpy.float32)
    return tuple(torch.from_numpy(array) for array in (videos, text, sigmas, noise))


def guided_target(family, teacher, noisy, timestep, text, guidance) -> torch.Tensor:
    """The frozen teacher's velocity extrapolated by `guidance` away from the empty prompt."""
    with torch.no_grad():
        told = teacher(**family.inputs(noisy, timestep, text), return_dict=False)[0].float()
        untold = teacher(**family.inputs(noisy, timestep, 0 * text), return_dict=False)[0].float()
    return untold + guidance.view(-1, 1, 1, 1, 1) * (told - untold)


class Run:
    """A model in training with its running average, optimizers, step and smoothed loss.

    All of it is kept in the checkpoint of a folder, and taken from there if it exists; `others` are
    further models to keep, by name.
    """

    def __init__(self, model: torch.nn.Module, options: argparse.Namespace, others=None):
        torch.set_num_threads(1)
        torch.set_flush_denormal(True)
        os.makedirs(options.output, exist_ok=True)
        self.options, self.model = options, model
        self.network = compiled(model) if options.compile else model
        self.average = copy.deepcopy(model).requires_grad_(False)
        self.models = {"model": model, "average": self.average, **(others or {})}
        self.rules = optimizers(model, options.learning_rate)
        self.checkpoint = os.path.join(options.output, "checkpoint.pt")
        self.step, self.smooth, self.started = 0, None, time.time()
        if os.path.exists(self.checkpoint):
            state = torch.load(self.checkpoint, weights_only=True)
            self.step, self.smooth = state["step"], state["loss"]
            for name, kept in self.models.items():
                kept.load_state_dict(state[name])
            for rule, saved in zip(self.rules, state["rules"]):
                rule.load_state_dict(saved)
        self.first = self.step
        self.last = min(options.steps, options.stop_after or options.steps)

    def learn(self, loss: torch.Tensor) -> None:
        """One step down the gradient: warm-up, then a cosine to 0 at `options.steps`."""
        progress = self.step / self.options.steps
        warm = min(1, (self.step + 1) / self.options.warm_up)
        rate = warm * 0.5 * (1 + math.cos(math.pi * progress)) * self.options.learning_rate
        for rule in self.rules:
            for group in rule.param_groups:
                group["lr"] = rate
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        for rule in self.rules:
            rule.step()
            rule.zero_grad(set_to_none=True)
        self.step += 1
        decay = min(EMA_DECAY, self.step / (self.step + 10))
        with torch.no_grad():
            for mean, value in zip(self.average.parameters(), self.model.parameters()):
                mean.lerp_(value, 1 - decay)
        value = loss.item()
        self.smooth = value if self.smooth is None else 0.98 * self.smooth + 0.02 * value
        if self.step % 10 == 0:
            pace = (time.time() - self.started) / (self.step - self.first)
            print(f"step {self.step} loss {self.smooth:.4f} seconds/step {pace:.2f}", flush=True)
        if self.step % 100 == 0 or self.step == self.last:
            self.save()

    def save(self) -> None:
        """Write the checkpoint whole or not at all."""
        state = {"step": self.step, "loss": self.smooth,
                 "rules": [rule.state_dict() for rule in self.rules],
                 **{name: kept.state_dict() for name, kept in self.models.items()}}
        torch.save(state, self.checkpoint + ".new")
        os.replace(self.checkpoint + ".new", self.checkpoint)


def train(family) -> None:
    """Train `family` as the command line says, continuing from a checkpoint if there is one."""
    options = arguments().parse_args()
    torch.manual_seed(options.seed)
    table = shapes.embedding_table()
    model = family.build()
    if options.start:
        model.load_state_dict(torch.load(options.start, weights_only=True)["average"])
    teacher = copy.deepcopy(model).requires_grad_(False) if family.guidance_is_embedded else None
    run = Run(model, options, {"teacher": teacher} if teacher is not None else None)
    told_by = compiled(teacher) if teacher is not None and options.compile else teacher
    distil_from = round(options.steps * (1 - options.distil))
    while run.step < run.last:
        videos, text, sigmas, noise = batch_of(run.step, options, table)
        level = sigmas.view(-1, 1, 1, 1, 1)
        noisy, target = (1 - level) * videos + level * noise, noise - videos
        guidance = None
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            if teacher is not None and run.step >= distil_from:
                if run.step == distil_from:
                    teacher.load_state_dict(run.average.state_dict())
                low, high = DISTILLED_GUIDANCE
                guidance = torch.linspace(low, high, options.batch).roll(run.step)
                target = guided_target(family, told_by, noisy, 1000 * sigmas, text, guidance)
            inputs = family.inputs(noisy, 1000 * sigmas, text, guidance)
            output = run.network(**inputs, return_dict=False)[0]
        run.learn((output.float() - target).pow(2).mean())

"""Records diffusers' schedulers on made-up model outputs: cases.json.

    pip install diffusers==0.42.0 torch==2.15.0 && python make.py

Latents are eight numbers; the model is tanh(w * x + t / 1000) for fixed w, so that its outputs bend
along the way. Each case holds sigmas, timesteps, outputs (S, 8) and latents (S + 1, 8).
"""

import json
from pathlib import Path

import torch
from diffusers import DDIMScheduler, FlowMatchEulerDiscreteScheduler, UniPCMultistepScheduler

WEIGHTS = torch.linspace(-1.5, 1.5, 8)


def euler(shift):
    return FlowMatchEulerDiscreteScheduler(shift=shift)


def unipc(shift):
    return UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=shift)


def ddim(_):
    return DDIMScheduler(clip_sample=False)


def record(name, make, steps, shift):
    scheduler = make(shift)
    if name == "euler":
        even = torch.linspace(1, 0, steps + 1)[:-1]
        scheduler.set_timesteps(sigmas=even.tolist())
    else:
        scheduler.set_timesteps(steps)
    if name == "ddim":
        products = scheduler.alphas_cumprod[scheduler.timesteps]
        sigmas = [*(1 - products).sqrt().tolist(), 0.0]
    else:
        sigmas = scheduler.sigmas.tolist()
    latents = torch.randn(1, 8, generator=torch.Generator().manual_seed(steps))
    trajectory, outputs = [latents], []
    for timestep in scheduler.timesteps:
        output = torch.tanh(WEIGHTS * latents + timestep / 1000)
        latents = scheduler.step(output, timestep, latents).prev_sample
        outputs.append(output)
        trajectory.append(latents)
    return {
        "scheduler": name,
        "steps": steps,
        "shift": shift,
        "sigmas": sigmas,
        "timesteps": scheduler.timesteps.double().tolist(),
        "outputs": torch.cat(outputs).flatten().tolist(),
        "latents": torch.cat(trajectory).flatten().tolist(),
    }


CASES = [
    ("euler", euler, 12, 5.0), ("euler", euler, 50, 3.0), ("unipc", unipc, 1, 3.0),
    ("unipc", unipc, 2, 3.0), ("unipc", unipc, 12, 5.0), ("unipc", unipc, 50, 3.0),
    ("ddim", ddim, 1, 1.0), ("ddim", ddim, 12, 1.0), ("ddim", ddim, 50, 1.0),
]

if __name__ == "__main__":
    cases = [record(*case) for case in CASES]
    text = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    Path(__file__).with_name("cases.json").write_text(f"[\n{text}\n]\n")

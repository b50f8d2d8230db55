"""What reusing every block's change costs a trained model: speed-up in blocks, PSNR in decibels.

    python measure_caching.py wan runs/wan/checkpoint.pt

After WARM_UP full steps only every n-th step runs the blocks; the others add what all blocks
together added at the last full step, for each guidance branch apart.
"""

import sys

import torch

import sampling
from models import FAMILIES

WARM_UP = 6
BLOCK_LISTS = ("blocks", "transformer_blocks", "single_transformer_blocks")


class ReusedBlocks(torch.nn.Module):
    """Stands in for a list of blocks: runs them, or repeats what they added last time."""

    def __init__(self, blocks: torch.nn.ModuleList):
        super().__init__()
        self.blocks = blocks
        self.branch, self.reuses, self.changes = "", False, {}

    def forward(self, *arguments):
        before = arguments
        if self.reuses:
            after = [old + new for old, new in zip(before, self.changes[self.branch])]
        else:
            after = []
            for block in self.blocks:
                result = block(*arguments)
                after = list(result) if isinstance(result, tuple) else [result]
                arguments = (*after, *arguments[len(after) :])
            self.changes[self.branch] = [new - old for new, old in zip(after, before)]
        return tuple(after) if len(after) > 1 else after[0]


def runs_blocks(step: int, interval: int) -> bool:
    return step < WARM_UP or (step - WARM_UP) % interval == 0


def main() -> None:
    name, checkpoint = sys.argv[1:]
    torch.set_num_threads(1)
    family = FAMILIES[name]
    model = sampling.load(family, checkpoint)
    stands = [ReusedBlocks(getattr(model, key)) for key in BLOCK_LISTS if hasattr(model, key)]
    for key, stand in zip([key for key in BLOCK_LISTS if hasattr(model, key)], stands):
        setattr(model, key, torch.nn.ModuleList([stand]))
    noise, text, sigmas = sampling.reference_inputs(sampling.PROMPTS)

    def videos(interval: int) -> torch.Tensor:
        def before_call(step: int, branch: str) -> None:
            for stand in stands:
                stand.branch, stand.reuses = branch, not runs_blocks(step, interval)

        return sampling.sample(family, model, noise, text, sigmas, before_call)

    baseline = videos(1)
    for interval in (2, 3, 6):
        errors = (videos(interval) - baseline).pow(2).mean(dim=(1, 2, 3, 4))
        quality = (10 * torch.log10(4 / errors)).mean().item()
        full = sum(runs_blocks(step, interval) for step in range(sampling.STEPS))
        print(f"every {interval}: {sampling.STEPS / full:.2f}x, {quality:.1f} dB", flush=True)


if __name__ == "__main__":
    main()

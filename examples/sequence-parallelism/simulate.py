"""Cached sampling of HunyuanVideo 13B on 1, 2, 4 and 8 devices with sequence parallelism, on paper.

    python simulate.py [--link GB/S] [--latency US] [--serial S] [--rate TFLOP/S] [--efficiency]

Prints the table of the article Sequence parallelism: how much faster a cached run is than an
uncached one on the same devices, beside Fig. 7 of "Model Reveals What to Cache" (arXiv 2504.03140).
Nothing is run. Compute is counted as `ditcache rewrite --dry-run` counts it, transfers are those of
Ulysses attention, and neither overlaps the other. Needs Python alone.
"""

import argparse
from dataclasses import dataclass

# HunyuanVideo: width, text tokens, blocks, steps; the schedule is profiling-hunyuan.
WIDTH, TEXT, DUAL, SINGLE, STEPS = 3072, 256, 20, 40, 50
CACHED_DUAL, CACHED_SINGLE, COMPUTED_STEPS = 14, 24, 14
# Cost sheet at 720p x 129 frames less the blocks: embeddings, text refiner, output layer.
REST_FLOPS, REST_TOKENS = 217_687_523_328, 118_800
BYTES = 2  # bfloat16
DEVICES = (1, 2, 4, 8)


@dataclass(frozen=True)
class Panel:
    """One panel of Fig. 7; sizes in pixels, rounded up to 16 as HunyuanVideo does."""

    name: str
    height: int
    width: int
    frames: int
    paper: tuple

    @property
    def tokens(self):
        """Of the video: a latent frame stands for 4 frames, a token for 16 x 16 pixels."""
        return ((self.frames - 1) // 4 + 1) * -(-self.height // 16) * -(-self.width // 16)


PANELS = (
    Panel("720p, 129 frames", 720, 1280, 129, (1.87, 1.84, 1.80, 1.61)),
    Panel("720p, 69 frames", 720, 1280, 69, (1.84, 1.83, 1.74, 1.47)),
    Panel("720p, 49 frames", 720, 1280, 49, ()),
    Panel("360p, 129 frames", 360, 640, 129, (1.84, 1.61, 1.61, 1.83)),
    Panel("360p, 69 frames", 360, 640, 69, ()),
    Panel("360p, 49 frames", 360, 640, 49, (1.80, 1.81, 1.16, 1.42)),
)
# Table 1 of the paper: seconds of the uncached run of the first panel on one device.
MEASURED = 1745


def block_flops(video, text, width, kind, mlp=4, devices=1):
    """FLOPs of one block on one of the devices; a multiply-add is two.

    The video's tokens and the heads are divided; text tokens are projected on every device.
    """
    modulation = {"dual": 24, "single": 6}[kind] * width**2
    tokens = video / devices + text
    projections = 2 * (4 + 2 * mlp) * tokens * width**2
    attention = 4 * (video + text) ** 2 * width / devices
    return projections + attention + modulation


def exchange_seconds(video, devices, link, latency):
    """Four all-to-alls of a block: queries, keys and values go out, what was attended to comes back."""
    if devices == 1:
        return 0.0
    sent = video / devices * WIDTH * BYTES * (devices - 1) / devices
    return 4 * (sent / link + latency)


@dataclass(frozen=True)
class Machine:
    """Speeds: FLOPs a second of a device, bytes a second of its link one way, seconds a transfer
    waits, seconds that no second device shortens at 720p x 129 frames."""

    rate: float
    link: float
    latency: float
    serial: float

    def seconds(self, panel, devices, *, cached, exchanges=True):
        """A whole run; without `exchanges` cached blocks skip compute but not their transfers."""
        video = panel.tokens
        exchange = exchange_seconds(video, devices, self.link, self.latency)
        total = STEPS * REST_FLOPS * video / REST_TOKENS / devices / self.rate
        for kind, blocks, skipped in (
                ("dual", DUAL, CACHED_DUAL), ("single", SINGLE, CACHED_SINGLE)):
            compute = block_flops(video, TEXT, WIDTH, kind, devices=devices) / self.rate
            calls = STEPS * blocks
            kept = calls - (STEPS - COMPUTED_STEPS) * skipped if cached else calls
            total += kept * compute + (kept if exchanges else calls) * exchange
        return total + self.serial * video / PANELS[0].tokens

    def speedup(self, panel, devices, **options):
        """How much faster a cached run is on the same devices."""
        return self.seconds(panel, devices, cached=False) / self.seconds(
            panel, devices, cached=True, **options)


def calibrated_rate(serial):
    """The rate at which the first panel takes on one device what the paper measured."""
    slow = Machine(rate=1.0, link=1.0, latency=0.0, serial=0.0)
    return slow.seconds(PANELS[0], 1, cached=False) / (MEASURED - serial)


def speedups(machine, plain):
    """The rows of the table: simulated, with a serial part, with transfers kept, published."""
    yield "| | devices | uncached | cached | speed-up | with a serial part | transfers kept | paper |"
    yield "|---|---|---|---|---|---|---|---|"
    for panel in PANELS:
        for place, devices in enumerate(DEVICES):
            whole, cached = (plain.seconds(panel, devices, cached=c) for c in (False, True))
            kept = plain.speedup(panel, devices, exchanges=False)
            paper = f"{panel.paper[place]:.2f}x" if panel.paper else "not in Fig. 7"
            yield (f"| {panel.name if place == 0 else ''} | {devices} | {whole:.1f} s | {cached:.1f} s "
                   f"| {whole / cached:.2f}x | {machine.speedup(panel, devices):.2f}x "
                   f"| {kept:.2f}x | {paper} |")


def efficiencies(machine, plain):
    """Rows: how much of a device's time is used, uncached and cached, without and with serial part."""
    yield "| | devices | uncached | cached | uncached, serial part | cached, serial part |"
    yield "|---|---|---|---|---|---|"
    for panel in PANELS:
        for place, devices in enumerate(DEVICES[1:]):
            shares = (
                m.seconds(panel, 1, cached=c) / m.seconds(panel, devices, cached=c) / devices
                for m in (plain, machine) for c in (False, True))
            cells = " | ".join(f"{share:.0%}" for share in shares)
            yield f"| {panel.name if place == 0 else ''} | {devices} | {cells} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--link", type=float, default=450, help="GB/s of a device, one way")
    parser.add_argument("--latency", type=float, default=30, help="microseconds of an all-to-all")
    parser.add_argument("--serial", type=float, default=45,
                        help="seconds at 720p x 129 frames that do not scale")
    parser.add_argument("--rate", type=float, help="TFLOP/s of a device; calibrated if left out")
    parser.add_argument("--efficiency", action="store_true", help="prints the share of used time")
    arguments = parser.parse_args()

    machines = [
        Machine(rate=(arguments.rate or calibrated_rate(serial) / 1e12) * 1e12,
                link=arguments.link * 1e9, latency=arguments.latency * 1e-6, serial=serial)
        for serial in (arguments.serial, 0.0)]
    print("\n".join((efficiencies if arguments.efficiency else speedups)(*machines)))


if __name__ == "__main__":
    main()

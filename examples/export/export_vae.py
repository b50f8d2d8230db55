"""Export the decoder of a video VAE to ONNX, for `ditcache sample --decoder`.

    python export_vae.py vae.onnx                                         # Wan2.1's
    python export_vae.py vae.onnx --class AutoencoderKLHunyuanVideo \\
        --checkpoint hunyuanvideo-community/HunyuanVideo
    python export_vae.py tiny.onnx --tiny --dtype float32                 # no download

The file takes latents as the transformer leaves them: the VAE's own mean and deviation are inside.
Decoders that run frame by frame are unrolled, so that all sizes are fixed.
"""

import diffusers
import torch

import exporting

TINY = dict(
    base_dim=8, z_dim=4, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[True],
    latents_mean=[0.1, -0.2, 0.3, 0.0], latents_std=[1.5, 0.5, 2.0, 1.0])


class Decoder(torch.nn.Module):
    """From latents (1, C, F, H, W) to pixels (1, 3, F', H', W') in [-1, 1]."""

    def __init__(self, vae: torch.nn.Module):
        super().__init__()
        self.vae = vae
        config = vae.config
        deviation = getattr(config, "latents_std", None) or [1 / config.scaling_factor]
        mean = getattr(config, "latents_mean", None) or [getattr(config, "shift_factor", None) or 0]
        for name, numbers in (("deviation", deviation), ("mean", mean)):
            tensor = torch.tensor(numbers, dtype=vae.dtype).view(1, -1, 1, 1, 1)
            self.register_buffer(name, tensor)

    def forward(self, latents, return_dict=False):
        return self.vae.decode(latents * self.deviation + self.mean, return_dict=return_dict)[0]


def main() -> None:
    parser = exporting.options(__doc__, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", subfolder="vae")
    parser.add_argument("--class", dest="model_class", default="AutoencoderKLWan")
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=832)
    arguments = parser.parse_args()
    arguments.static = True
    vae = exporting.load(getattr(diffusers, arguments.model_class), arguments, TINY)
    channels = getattr(vae.config, "z_dim", None) or vae.config.latent_channels
    latents = (arguments.frames - 1) // 4 + 1, arguments.height // 8, arguments.width // 8
    inputs = {"latents": torch.randn(1, channels, *latents, dtype=vae.dtype)}
    exporting.write(exporting.Export(Decoder(vae), inputs, {}, output="pixels"), arguments)


if __name__ == "__main__":
    main()

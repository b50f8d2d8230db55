"""Export a Wan transformer (2.1 or 2.2, text or image to video) to ONNX.

    python export_wan.py wan.onnx                                       # Wan2.1 T2V 1.3B
    python export_wan.py wan14b.onnx --checkpoint Wan-AI/Wan2.1-T2V-14B-Diffusers
    python export_wan.py high.onnx --checkpoint Wan-AI/Wan2.2-T2V-A14B-Diffusers
    python export_wan.py low.onnx --checkpoint Wan-AI/Wan2.2-T2V-A14B-Diffusers \\
        --subfolder transformer_2
    python export_wan.py tiny.onnx --tiny --dtype float32                # no download

Wan2.2's two experts are two files; `ditcache sample high.onnx --low-noise low.onnx` runs them.
"""

import torch
from diffusers import WanTransformer3DModel

import exporting

TINY = dict(
    patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=16, in_channels=4,
    out_channels=4, text_dim=32, freq_dim=32, ffn_dim=64, num_layers=4, rope_max_seq_len=64)


def example(model: WanTransformer3DModel, arguments) -> exporting.Export:
    """Latents of the asked size: 8 pixels are one latent, 4 frames one latent frame."""
    dtype = exporting.DTYPES[arguments.dtype]
    latents = (arguments.frames - 1) // 4 + 1, arguments.height // 8, arguments.width // 8
    inputs = {
        "hidden_states": torch.randn(
            exporting.BATCH, model.config.in_channels, *latents, dtype=dtype),
        "timestep": torch.full((exporting.BATCH,), 500.0),
        "encoder_hidden_states": torch.randn(
            exporting.BATCH, arguments.text_length, model.config.text_dim, dtype=dtype),
    }
    free = {
        "hidden_states": {0: "batch", 2: "frames", 3: "height", 4: "width"},
        "timestep": {0: "batch"},
        "encoder_hidden_states": {0: "batch", 1: "text_length"},
    }
    if model.config.image_dim is not None:
        inputs["encoder_hidden_states_image"] = torch.randn(
            exporting.BATCH, 257, model.config.image_dim, dtype=dtype)
        free["encoder_hidden_states_image"] = {0: "batch"}
    return exporting.Export(model, inputs, free)


def main() -> None:
    parser = exporting.options(__doc__, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers")
    parser.add_argument("--frames", type=int, default=81)
    parser.add_argument("--height", type=int, default=480)
    parser.add_argument("--width", type=int, default=832)
    parser.add_argument("--text-length", type=int, default=512)
    arguments = parser.parse_args()
    model = exporting.load(WanTransformer3DModel, arguments, TINY)
    exporting.write(example(model, arguments), arguments)


if __name__ == "__main__":
    main()

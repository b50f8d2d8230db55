"""Export a HunyuanVideo transformer to ONNX.

    python export_hunyuan.py hunyuan.onnx                     # 13B, 26 GB in bfloat16
    python export_hunyuan.py tiny.onnx --tiny --dtype float32  # no download

ONNX Runtime refuses one operator of this graph; `ditcache rewrite --target onnxruntime` repairs it.
"""

import torch
from diffusers import HunyuanVideoTransformer3DModel

import exporting

TINY = dict(
    in_channels=4, out_channels=4, num_attention_heads=2, attention_head_dim=16, num_layers=2,
    num_single_layers=3, num_refiner_layers=1, patch_size=2, patch_size_t=1, guidance_embeds=True,
    text_embed_dim=32, pooled_projection_dim=24, rope_axes_dim=(4, 6, 6))


def example(model: HunyuanVideoTransformer3DModel, arguments) -> exporting.Export:
    """Latents of the asked size: 8 pixels are one latent, 4 frames one latent frame."""
    dtype = exporting.DTYPES[arguments.dtype]
    config = model.config
    latents = (arguments.frames - 1) // 4 + 1, arguments.height // 8, arguments.width // 8
    inputs = {
        "hidden_states": torch.randn(
            exporting.BATCH, config.in_channels, *latents, dtype=dtype),
        "timestep": torch.full((exporting.BATCH,), 500.0),
        "encoder_hidden_states": torch.randn(
            exporting.BATCH, arguments.text_length, config.text_embed_dim, dtype=dtype),
        "encoder_attention_mask": torch.ones(
            exporting.BATCH, arguments.text_length, dtype=torch.int64),
        "pooled_projections": torch.randn(
            exporting.BATCH, config.pooled_projection_dim, dtype=dtype),
    }
    free = {
        "hidden_states": {0: "batch", 2: "frames", 3: "height", 4: "width"},
        "timestep": {0: "batch"},
        "encoder_hidden_states": {0: "batch", 1: "text_length"},
        "encoder_attention_mask": {0: "batch", 1: "text_length"},
        "pooled_projections": {0: "batch"},
    }
    if config.guidance_embeds:
        inputs["guidance"] = torch.full((exporting.BATCH,), 6000.0, dtype=dtype)
        free["guidance"] = {0: "batch"}
    return exporting.Export(model, inputs, free)


def main() -> None:
    parser = exporting.options(__doc__, "hunyuanvideo-community/HunyuanVideo")
    parser.add_argument("--frames", type=int, default=129)
    parser.add_argument("--height", type=int, default=720)
    parser.add_argument("--width", type=int, default=1280)
    parser.add_argument("--text-length", type=int, default=256)
    arguments = parser.parse_args()
    model = exporting.load(HunyuanVideoTransformer3DModel, arguments, TINY)
    exporting.write(example(model, arguments), arguments)


if __name__ == "__main__":
    main()

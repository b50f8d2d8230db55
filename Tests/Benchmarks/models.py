#!/usr/bin/env python3
"""Models to measure on, in diffusers' classes with seeded random weights, exported to ONNX.

usage: models.py NAME OUT.onnx        NAME: wan, hunyuan or wan-4096

Needs what ../../examples/export/requirements.txt lists. compare.py runs the same modules in PyTorch when a file
has the model's name.
"""
import pathlib
import sys

import torch
from diffusers import HunyuanVideoTransformer3DModel, WanTransformer3DModel


def wan(layers):
    return WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=12, attention_head_dim=64, in_channels=16, out_channels=16,
        text_dim=512, freq_dim=256, ffn_dim=3072, num_layers=layers, cross_attn_norm=True,
        qk_norm="rms_norm_across_heads", rope_max_seq_len=128)


def hunyuan():
    return HunyuanVideoTransformer3DModel(
        in_channels=16, out_channels=16, num_attention_heads=6, attention_head_dim=128, num_layers=4,
        num_single_layers=8, num_refiner_layers=1, mlp_ratio=4.0, patch_size=2, patch_size_t=1, guidance_embeds=True,
        text_embed_dim=512, pooled_projection_dim=256, rope_axes_dim=(16, 56, 56))


# Name: how it is built, latents (B, C, F, H, W), rows of text. wan and wan-4096 look at 1,280 and 4,096 tokens of
# width 768, hunyuan at 1,024 and 64 of text.
MODELS = {
    "wan": (lambda: wan(8), (1, 16, 5, 32, 32), 77),
    "wan-4096": (lambda: wan(2), (1, 16, 4, 64, 64), 77),
    "hunyuan": (hunyuan, (1, 16, 4, 32, 32), 64),
}


def build(name):
    """The module, ready for inference, its weights the same each time."""
    torch.manual_seed(0)
    return MODELS[name][0]().eval().requires_grad_(False)


def inputs(name):
    """Keyword arguments of one call."""
    _, latents, rows = MODELS[name]
    random = torch.Generator().manual_seed(0)
    feeds = {
        "hidden_states": torch.randn(latents, generator=random),
        "timestep": torch.tensor([500.0]),
        "encoder_hidden_states": torch.randn((1, rows, 512), generator=random),
    }
    if name == "hunyuan":
        feeds["encoder_attention_mask"] = torch.ones((1, rows))
        feeds["pooled_projections"] = torch.randn((1, 256), generator=random)
        feeds["guidance"] = torch.tensor([6000.0])
    return feeds


def main():
    name, output = sys.argv[1:]
    module, feeds = build(name), inputs(name)
    program = torch.onnx.export(
        module, kwargs={**feeds, "return_dict": False}, dynamo=True, opset_version=20, external_data=True,
        input_names=list(feeds), output_names=["sample"])
    program.save(output, external_data=True)
    print(f"{pathlib.Path(output).name}: {sum(p.numel() for p in module.parameters()) / 1e6:.1f} M parameters")


if __name__ == "__main__":
    main()

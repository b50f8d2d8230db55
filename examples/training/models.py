"""The two example models, in diffusers' own classes, and how each is called."""

import torch
from diffusers import HunyuanVideoTransformer3DModel, WanTransformer3DModel

from shapes import EMBEDDING_WIDTH, FRAMES, PROMPT_LENGTH, SIZE


# Pairs of a head's elements that rotary embeddings turn with the frame, the row and the column: the
# first of 6, of 5 and of 5 in a head of 32.
FRAME_PAIRS, ROW_PAIRS, COLUMN_PAIRS = (0, 1), (6,), (11,)


def look_along_paths(blocks, strength: float = 2.0) -> None:
    """Lets two heads of each self-attention begin with a bias to earlier or later frames and to one side.

    Without it this model learns along which axis a shape moves and never which way: what tells the
    directions apart is odd both in time and in space, and has no gradient while neither is there.
    Rotary embeddings turn the bias pairs (s, 0) of queries and (0, ±s) of keys into scores of
    ±s² · sin(frequency · distance).
    """
    leans = [
        (time, side, pairs)
        for pairs in (COLUMN_PAIRS, ROW_PAIRS) for time in (1, -1) for side in (1, -1)]
    for place, block in enumerate(blocks):
        width = block.attn1.to_q.bias.numel() // block.attn1.heads
        for head in (0, 1):
            time, side, pairs = leans[(2 * place + head) % len(leans)]
            with torch.no_grad():
                for pair, sign in [(pair, time) for pair in FRAME_PAIRS] + [
                        (pair, side) for pair in pairs]:
                    first = head * width + 2 * pair
                    block.attn1.to_q.bias[first] += strength
                    block.attn1.to_k.bias[first + 1] += sign * strength


class Wan:
    """Two calls a step: guidance extrapolates from the call without a prompt."""

    name = "wan_video"
    guidance_scale = 2.0
    guidance_is_embedded = False

    @staticmethod
    def build() -> torch.nn.Module:
        model = WanTransformer3DModel(
            patch_size=(1, 4, 4),
            num_attention_heads=4,
            attention_head_dim=32,
            in_channels=3,
            out_channels=3,
            text_dim=EMBEDDING_WIDTH,
            freq_dim=256,
            ffn_dim=384,
            num_layers=12,
            cross_attn_norm=True,
            qk_norm="rms_norm_across_heads",
            rope_max_seq_len=64,
        )
        torch.nn.init.zeros_(model.proj_out.weight)
        look_along_paths(model.blocks)
        return model

    @staticmethod
    def inputs(video, timestep, text, guidance=None) -> dict[str, torch.Tensor]:
        """The model's keyword arguments; `guidance` is not one of this class."""
        return {"hidden_states": video, "timestep": timestep, "encoder_hidden_states": text}


class Hunyuan:
    """One call a step: the model is distilled to take the guidance scale as an input."""

    name = "hunyuan_video"
    guidance_scale = 2.0
    guidance_is_embedded = True

    @staticmethod
    def build() -> torch.nn.Module:
        model = HunyuanVideoTransformer3DModel(
            in_channels=3,
            out_channels=3,
            num_attention_heads=4,
            attention_head_dim=32,
            num_layers=4,
            num_single_layers=8,
            num_refiner_layers=1,
            mlp_ratio=2.0,
            patch_size=4,
            patch_size_t=1,
            qk_norm="rms_norm",
            guidance_embeds=True,
            text_embed_dim=EMBEDDING_WIDTH,
            pooled_projection_dim=EMBEDDING_WIDTH,
            rope_theta=256.0,
            rope_axes_dim=(8, 12, 12),
        )
        torch.nn.init.zeros_(model.proj_out.weight)
        return model

    @staticmethod
    def inputs(video, timestep, text, guidance=None) -> dict[str, torch.Tensor]:
        """The model's keyword arguments; the pooled prompt is the mean of its words."""
        if guidance is None:
            guidance = torch.ones(len(video))
        return {
            "hidden_states": video,
            "timestep": timestep,
            "encoder_hidden_states": text,
            "encoder_attention_mask": torch.ones(text.shape[:2], dtype=torch.long),
            "pooled_projections": text.mean(dim=1),
            "guidance": 1000 * guidance,
        }


FAMILIES = {"wan": Wan, "hunyuan": Hunyuan}
LATENT_SHAPE = (3, FRAMES, SIZE, SIZE)
TEXT_SHAPE = (PROMPT_LENGTH, EMBEDDING_WIDTH)

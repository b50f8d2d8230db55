"""Models around a transformer, tiny and with seeded random weights, and what PyTorch makes of them.

    python make.py        # torch 2.15.0, diffusers 0.42.0, transformers 5.24.0, onnx 1.23.2

vae.onnx    the decoder of diffusers' AutoencoderKLWan; vae.npz: `latents` as a transformer leaves
            them, `pixels` as `WanPipeline` decodes them, with STD and MEAN
text.onnx   transformers' UMT5EncoderModel; text.npz: its inputs, `uncond/` those of another prompt,
            and the embeddings that `WanPipeline` makes of both
i2v.onnx    a WanTransformer3DModel whose latents input takes the channels of an image as well, and
            whose attention reads an image's embeddings; i2v.npz: a run of all three as in
            `WanImageToVideoPipeline`, six Euler steps of shift 5 with guidance 3
"""

from pathlib import Path

import numpy as np
import onnx
import torch
from diffusers import AutoencoderKLWan, WanTransformer3DModel
from transformers import UMT5Config, UMT5EncoderModel

FOLDER = Path(__file__).parent
STD, MEAN = [1.5, 0.5, 2.0, 1.0], [0.1, -0.2, 0.3, 0.0]
STEPS, SHIFT, GUIDANCE = 6, 5.0, 3.0


def export(model, inputs, output, name, **options):
    """Writes a model at the size of its example inputs, without the exporting machine's paths."""
    program = torch.onnx.export(
        model, kwargs={**inputs, **options}, dynamo=True, opset_version=20, input_names=list(inputs),
        output_names=[output])
    proto = program.model_proto
    for node in proto.graph.node:
        del node.metadata_props[:]
    onnx.save(proto, FOLDER / name)


class Decoder(torch.nn.Module):
    def __init__(self, vae):
        super().__init__()
        self.vae = vae

    def forward(self, latents):
        return self.vae.decode(latents, return_dict=False)[0]


class Encoder(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids, attention_mask).last_hidden_state


def make_vae():
    torch.manual_seed(0)
    vae = AutoencoderKLWan(
        base_dim=4, z_dim=4, dim_mult=[1, 2], num_res_blocks=1, temperal_downsample=[True],
        latents_mean=MEAN, latents_std=STD).eval()
    latents = torch.randn(2, 4, 2, 4, 6)
    std, mean = (torch.tensor(numbers).view(1, 4, 1, 1, 1) for numbers in (STD, MEAN))
    decoder = Decoder(vae)
    pixels = torch.cat([decoder(one[None]) for one in latents * std + mean])
    export(decoder, {"latents": latents[:1]}, "pixels", "vae.onnx")
    np.savez(FOLDER / "vae.npz", latents=latents.numpy(), pixels=pixels.numpy())
    return lambda latents: decoder(latents * std + mean)


def make_text():
    torch.manual_seed(1)
    model = UMT5EncoderModel(UMT5Config(
        vocab_size=50, d_model=16, d_kv=8, d_ff=24, num_layers=2, num_heads=2,
        relative_attention_num_buckets=8)).eval()
    encoder = Encoder(model)
    ids = torch.tensor([[7, 21, 3, 40, 1, 0, 0, 0], [9, 1, 0, 0, 0, 0, 0, 0]])
    mask = (ids > 0).long()
    embeddings = encoder(ids, mask) * mask[..., None]
    export(
        encoder, {"input_ids": ids[:1], "attention_mask": mask[:1]}, "last_hidden_state",
        "text.onnx")
    np.savez(
        FOLDER / "text.npz", input_ids=ids[:1].numpy(), attention_mask=mask[:1].numpy(),
        embeddings=embeddings.numpy(),
        **{"uncond/input_ids": ids[1:].numpy(), "uncond/attention_mask": mask[1:].numpy()})
    return embeddings


def make_i2v(embeddings, decode):
    torch.manual_seed(2)
    model = WanTransformer3DModel(
        patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=9,
        out_channels=4, text_dim=16, freq_dim=16, ffn_dim=32, num_layers=2, image_dim=20,
        added_kv_proj_dim=24, rope_max_seq_len=32, cross_attn_norm=True).eval()
    noise, channels = torch.randn(1, 4, 2, 4, 6), torch.randn(1, 5, 2, 4, 6)
    text, negative, image = embeddings[:1], embeddings[1:], torch.randn(1, 257, 20)
    sigmas = torch.linspace(1, 0, STEPS + 1)
    sigmas = SHIFT * sigmas / (1 + (SHIFT - 1) * sigmas)

    def inputs(latents, sigma, words):
        return {
            "hidden_states": torch.cat([latents, channels], dim=1),
            "timestep": 1000 * sigma[None], "encoder_hidden_states": words,
            "encoder_hidden_states_image": image}

    latents = noise
    for sigma, following in zip(sigmas[:-1], sigmas[1:]):
        told = model(**inputs(latents, sigma, text), return_dict=False)[0]
        untold = model(**inputs(latents, sigma, negative), return_dict=False)[0]
        latents = latents + (following - sigma) * (untold + GUIDANCE * (told - untold))
    export(
        model, {**inputs(noise, sigmas[0], text)}, "sample", "i2v.onnx",
        return_dict=False)
    np.savez(
        FOLDER / "i2v.npz", initial_noise=noise.numpy(), sigmas=sigmas.numpy(),
        guidance_scale=np.float32(GUIDANCE), final=latents.numpy(),
        pixels=decode(latents).numpy(), **{
            "text/encoder_hidden_states": text.numpy(),
            "text_uncond/encoder_hidden_states": negative.numpy(),
            "extra/hidden_states": channels.numpy(),
            "extra/encoder_hidden_states_image": image.numpy()})


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        decode = make_vae()
        make_i2v(make_text(), decode)

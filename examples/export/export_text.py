"""Export Wan's text encoder to ONNX, for `ditcache sample --text-encoder`, and token numbers for it.

    python export_text.py umt5.onnx                     # UMT5-XXL, 11 GB in bfloat16
    python export_text.py ids.npz --prompt "a cat on a sofa" --negative "blurry"
    python export_text.py tiny.onnx --tiny --dtype float32     # no download
"""

import numpy
import torch
from transformers import AutoTokenizer, UMT5Config, UMT5EncoderModel

import exporting

TINY = UMT5Config(
    vocab_size=50, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=2,
    relative_attention_num_buckets=8)


class Encoder(torch.nn.Module):
    """From token numbers (B, L) and their mask to embeddings (B, L, D)."""

    def __init__(self, model: UMT5EncoderModel):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, return_dict=False):
        return self.model(input_ids, attention_mask, return_dict=return_dict)[0]


def write_tokens(arguments) -> None:
    """The arrays of --prompt-ids: the prompt's, and as `uncond/…` the negative prompt's."""
    tokenizer = AutoTokenizer.from_pretrained(arguments.checkpoint, subfolder="tokenizer")
    arrays = {}
    for prefix, prompt in (("", arguments.prompt), ("uncond/", arguments.negative)):
        tokens = tokenizer(
            [prompt], padding="max_length", max_length=arguments.text_length, truncation=True,
            return_tensors="np")
        for name in ("input_ids", "attention_mask"):
            arrays[prefix + name] = tokens[name].astype(numpy.int64)
    numpy.savez(arguments.output, **arrays)
    print(f"{arguments.output}: {arrays['attention_mask'].sum()} tokens")


def main() -> None:
    parser = exporting.options(__doc__, "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", subfolder="text_encoder")
    parser.add_argument("--text-length", type=int, default=512)
    parser.add_argument("--prompt", help="write the token numbers of a prompt instead of the model")
    parser.add_argument("--negative", default="", help="the negative prompt (default: none)")
    arguments = parser.parse_args()
    if arguments.prompt is not None:
        write_tokens(arguments)
        return
    if arguments.tiny:
        torch.manual_seed(arguments.seed)
        model = UMT5EncoderModel(TINY).to(exporting.DTYPES[arguments.dtype])
    else:
        model = UMT5EncoderModel.from_pretrained(
            arguments.checkpoint, subfolder=arguments.subfolder,
            dtype=exporting.DTYPES[arguments.dtype])
    tokens = torch.ones(exporting.BATCH, arguments.text_length, dtype=torch.int64)
    inputs = {"input_ids": tokens, "attention_mask": tokens}
    free = {name: {0: "batch", 1: "text_length"} for name in inputs}
    encoder = Encoder(model.eval().requires_grad_(False))
    exporting.write(exporting.Export(encoder, inputs, free, output="embeddings"), arguments)


if __name__ == "__main__":
    main()

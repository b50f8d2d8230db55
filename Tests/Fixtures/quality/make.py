"""Records the reference implementations of Sources/Quality's measures on small videos.

    pip install torch==2.15.0 torchvision==0.29.2 onnx==1.23.2 onnxscript==0.7.2 numpy==2.4.6 \
        scipy==1.17.1 scikit-image==0.26.0 lpips==0.1.4 && python make.py

Writes videos.npz (two videos and feature vectors), expected.json (what scikit-image, lpips and scipy
say of them), and the networks lpips.onnx with its heads lpips.npz, features.onnx, video_features.onnx.
The backbone is small and random: `lpips.LPIPS` runs its own forward pass over it.
"""

import json
from pathlib import Path

import lpips
import numpy as np
import scipy.linalg
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

HERE = Path(__file__).parent
CHANNELS = [4, 6, 8]


class Backbone(torch.nn.Module):
    """Three feature maps of a picture, as `lpips.pretrained_networks` returns them."""

    def __init__(self):
        super().__init__()
        sizes = [3, *CHANNELS]
        self.layers = torch.nn.ModuleList(
            torch.nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x):
        maps = []
        for layer in self.layers:
            x = torch.relu(layer(x))
            maps.append(x)
        return maps


class Prepared(torch.nn.Module):
    """A backbone behind the package's scaling layer: what `--lpips` takes."""

    def __init__(self, measure):
        super().__init__()
        self.scaling, self.net = measure.scaling_layer, measure.net

    def forward(self, picture):
        return tuple(self.net(self.scaling(picture)))


class Features(torch.nn.Module):
    def __init__(self, kind):
        super().__init__()
        self.layer = kind(3, 5, 3, padding=1)

    def forward(self, picture):
        maps = torch.tanh(self.layer(picture))
        return maps.flatten(2).mean(2)


def frechet(a, b):
    """As pytorch-fid's `calculate_frechet_distance` (without its offset)."""
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second)
    return float(
        np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(first + second - 2 * np.real(root)))


def export(module, shape, name):
    torch.onnx.export(
        module.eval(), (torch.zeros(shape),), HERE / name, dynamo=True, external_data=False,
        opset_version=20)


def measure_lpips():
    measure = lpips.LPIPS(pretrained=False, pnet_rand=True, net="alex", verbose=False)
    measure.net, measure.chns, measure.L = Backbone(), CHANNELS, len(CHANNELS)
    measure.lins = torch.nn.ModuleList(lpips.NetLinLayer(width) for width in CHANNELS)
    for head in measure.lins:
        head.model[-1].weight.data.abs_()
    return measure.eval()


def frames(video):
    """(C, F, H, W) as F pictures (1, 3, H, W)."""
    return torch.from_numpy(video).permute(1, 0, 2, 3).unsqueeze(1)


def main():
    torch.manual_seed(0)
    generator = np.random.default_rng(0)
    grid = np.linspace(0, 3, 20, dtype=np.float32)
    reference = np.sin(grid[:, None] * np.arange(1, 4)[:, None, None, None] + grid
                       + np.arange(4)[:, None, None]).astype(np.float32)
    result = np.clip(
        reference + generator.normal(0, .1, reference.shape), -1, 1).astype(np.float32)

    measure = measure_lpips()
    export(Prepared(measure), (1, 3, 20, 20), "lpips.onnx")
    np.savez(HERE / "lpips.npz", **{
        f"lin{n}.model.1.weight": head.model[-1].weight.detach().numpy()
        for n, head in enumerate(measure.lins)})
    pictures, videos = Features(torch.nn.Conv2d), Features(torch.nn.Conv3d)
    export(pictures, (1, 3, 20, 20), "features.onnx")
    export(videos, (1, 3, 4, 20, 20), "video_features.onnx")

    unit = [(video.astype(np.float64) + 1) / 2 for video in (result, reference)]
    planes = [video.transpose(1, 2, 3, 0) for video in unit]
    with torch.no_grad():
        distances = [measure(a, b).item() for a, b in zip(frames(result), frames(reference))]
        seen = [torch.cat([pictures(f / 2 + .5) for f in frames(video)]).double().numpy()
                for video in (result, reference)]
        watched = videos(torch.from_numpy(reference)[None] / 2 + .5).double().numpy()
    wide = [generator.normal(size=(30, 12)), generator.normal(.3, 1.5, size=(40, 12))]
    few = [vectors[:6] for vectors in wide]
    np.savez(HERE / "videos.npz", result=result[None], reference=reference[None],
             wide_a=wide[0], wide_b=wide[1])
    norm = np.linalg.norm
    a, b = (video.astype(np.float64).ravel() for video in (result, reference))
    expected = {
        "psnr": peak_signal_noise_ratio(unit[1], unit[0], data_range=1),
        "ssim": float(np.mean([
            structural_similarity(
                a, b, channel_axis=2, data_range=1, gaussian_weights=True, sigma=1.5,
                use_sample_covariance=False) for a, b in zip(*planes)])),
        "relative_l2": norm(a - b) / norm(b),
        "cosine": a @ b / (norm(a) * norm(b)),
        "lpips": distances,
        "picture_features": seen[0].tolist(),
        "video_features": watched[0].tolist(),
        "frechet_wide": frechet(*wide),
        "frechet_few": frechet(*few),
        "frechet_pictures": frechet(*seen),
    }
    (HERE / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()

"""Goldens of PyTorch's CPU generator: data/random.json.

For seeds and shapes: torch.randn(shape, generator=torch.Generator().manual_seed(seed)), float32. Fewer than 16 elements and
counts that are no multiple of 16 take other paths in PyTorch. Also draws in a row from one generator, and torch.rand, which
shows the words of the Mersenne Twister: word & 0xffffff, divided by 2^24. The seed is cut to 32 bits by PyTorch itself.

The hashes belong to the vectorised path (AVX2, AVX-512). PyTorch's scalar path differs from it by up to 1.7e-6.
"""

import hashlib

import torch
from common import DATA, save_json

SEEDS = (0, 1, 42, 67280421310721, 2**32 - 1, 2**32, 2**32 + 5, 2**63 - 1, 2**63, 2**64 - 1)
SHAPES = ((1,), (2,), (7,), (15,), (16,), (17,), (31,), (32,), (33,), (63,), (64,), (3, 21), (1, 4, 5, 5), (1, 4, 16, 16), (1, 4, 8, 12), (1, 4, 64, 64), (1, 4, 128, 96))


def describe(x: torch.Tensor) -> dict:
    flat = x.flatten()
    return {
        "first": flat[:17].tolist(), "last": flat[-17:].tolist(), "mean": float(flat.double().mean()),
        "sha256": hashlib.sha256(flat.numpy().astype("<f4").tobytes()).hexdigest(),
    }  # fmt: skip


def make() -> None:
    randn, twice, uniform = [], [], []
    for seed in SEEDS:
        for shape in SHAPES:
            x = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
            randn.append({"seed": str(seed), "shape": list(shape), **describe(x)})
        g = torch.Generator().manual_seed(seed)
        draws = [torch.randn(n, generator=g) for n in (5, 3, 20, 16, 1)]
        twice.append({"seed": str(seed), "counts": [5, 3, 20, 16, 1], "draws": [d.tolist() for d in draws]})
        x = torch.rand(1500, generator=torch.Generator().manual_seed(seed))
        uniform.append({"seed": str(seed), "count": 1500, "first": x[:5].tolist(), "last": x[-5:].tolist()})
    save_json(DATA / "random.json", {"randn": randn, "in_a_row": twice, "uniform": uniform})

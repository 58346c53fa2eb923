"""Goldens of single operators: data/operators.safetensors.

Tensors `<case>.in.<name>` and `<case>.out.y`; the metadata entry `<case>` is JSON with the operator and its attributes.
Computed in float64, stored in float32.
"""

import math

import torch
import torch.nn.functional as F
from common import DATA, randn, save
from diffusers.models.activations import GEGLU
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor

SEED = 1000


def cases() -> dict[str, tuple[dict, dict[str, Tensor], Tensor]]:
    """name -> (attributes, inputs, output)."""
    made = 0

    def x(*shape: int, scale: float = 1.0) -> Tensor:
        nonlocal made
        made += 1
        return (randn(SEED + made, *shape) * scale).double()

    out = {}

    def case(name, attributes, function, **inputs):
        out[name] = (attributes, inputs, function(**inputs))

    # Linear: y = x W^T + b
    case("linear", {"op": "Linear"}, lambda x, weight, bias: F.linear(x, weight, bias), x=x(2, 5, 6), weight=x(7, 6), bias=x(7))
    case("linear_no_bias", {"op": "Linear"}, lambda x, weight: F.linear(x, weight), x=x(1, 3, 8), weight=x(4, 8))

    for name, kernel, stride, pad, size in (
        ("conv2d_1x1", 1, 1, 0, (5, 4)), ("conv2d_3x3", 3, 1, 1, (5, 7)), ("conv2d_down", 3, 2, 1, (8, 6)), ("conv2d_down_odd", 3, 2, 1, (7, 5)),
    ):  # fmt: skip
        case(
            name, {"op": "Conv2D", "kernel": kernel, "stride": stride, "pad": pad},
            lambda x, weight, bias: F.conv2d(x, weight, bias, stride, pad),
            x=x(2, 3, *size), weight=x(5, 3, kernel, kernel, scale=0.4), bias=x(5),
        )  # fmt: skip
    # the patch embedding of a ViT; the last two rows and columns are never read
    case(
        "conv2d_patches", {"op": "Conv2D", "kernel": 4, "stride": 4, "pad": 0},
        lambda x, weight, bias: F.conv2d(x, weight, bias, 4), x=x(1, 3, 10, 10), weight=x(6, 3, 4, 4, scale=0.2), bias=x(6),
    )  # fmt: skip

    for groups, eps in ((4, 1e-5), (8, 1e-6), (1, 1e-6)):
        case(
            f"group_norm_{groups}", {"op": "GroupNorm", "groups": groups, "eps": eps},
            lambda x, weight, bias: F.group_norm(x, groups, weight, bias, eps),
            x=x(2, 8, 3, 5) * 2 + 1, weight=x(8), bias=x(8),
        )  # fmt: skip
    # nearly constant input: eps decides
    case(
        "group_norm_flat", {"op": "GroupNorm", "groups": 2, "eps": 1e-5},
        lambda x, weight, bias: F.group_norm(x, 2, weight, bias, 1e-5), x=x(1, 4, 2, 2, scale=1e-3), weight=x(4), bias=x(4),
    )  # fmt: skip
    for eps in (1e-5, 1e-6):
        case(
            f"layer_norm_{eps:g}", {"op": "LayerNorm", "eps": eps},
            lambda x, weight, bias: F.layer_norm(x, (8,), weight, bias, eps),
            x=x(2, 3, 8, scale=3e-3 if eps == 1e-6 else 2.0) + 0.5, weight=x(8), bias=x(8),
        )  # fmt: skip

    steep = torch.tensor([-30.0, -8, -4, -3, -2, -1, -0.5, -0.1, 0, 0.1, 0.5, 1, 2, 3, 4, 8, 30], dtype=torch.float64)
    case("gelu", {"op": "GELU", "form": "erf"}, F.gelu, input=steep)
    case("quick_gelu", {"op": "QuickGELU"}, lambda x: x * torch.sigmoid(1.702 * x), x=steep)
    case("silu", {"op": "SiLU"}, F.silu, input=steep)
    case("softmax", {"op": "Softmax", "axis": -1}, lambda x: x.softmax(-1), x=x(2, 3, 7, scale=4.0))
    case("softmax_large", {"op": "Softmax", "axis": -1}, lambda x: x.softmax(-1), x=x(1, 5, scale=200.0))
    case("sigmoid", {"op": "Sigmoid"}, torch.sigmoid, input=steep)

    def attention(q, k, v, heads, mask=None):
        split = lambda t: t.unflatten(-1, (heads, -1)).transpose(1, 2)
        return F.scaled_dot_product_attention(split(q), split(k), split(v), attn_mask=mask).transpose(1, 2).flatten(2)

    for heads in (1, 3):
        case(f"attention_{heads}", {"op": "Attention", "heads": heads}, lambda q, k, v: attention(q, k, v, heads), q=x(2, 6, 12), k=x(2, 5, 12), v=x(2, 5, 12))
    causal = torch.full((6, 6), -math.inf, dtype=torch.float64).triu(1)
    case("attention_causal", {"op": "Attention", "heads": 2, "causal": True}, lambda q, k, v: attention(q, k, v, 2, causal), q=x(1, 6, 8), k=x(1, 6, 8), v=x(1, 6, 8))
    bias = torch.zeros(2, 1, 1, 5, dtype=torch.float64)
    bias[1, ..., 3:] = -1e9
    case(
        "attention_bias", {"op": "Attention", "heads": 2, "bias": "added to the logits, [B, keys]"},
        lambda q, k, v, bias: attention(q, k, v, 2, bias[:, None, None]), q=x(2, 4, 8), k=x(2, 5, 8), v=x(2, 5, 8), bias=bias[:, 0, 0],
    )  # fmt: skip
    # the token-weighted head mean of the probabilities, as the guidance taps it
    def tap(q, k, weights):
        split = lambda t: t.unflatten(-1, (2, -1)).transpose(1, 2)
        p = (split(q) @ split(k).transpose(-1, -2) / math.sqrt(4)).softmax(-1).mean(1)
        return torch.einsum("bnt,rt->brn", p, weights)

    case("attention_tap", {"op": "AttentionTap", "heads": 2}, tap, q=x(1, 6, 8), k=x(1, 5, 8), weights=(x(3, 5) > 0).double())

    def min_attn(query, key, norm1_weight, norm1_bias, norm2_weight, norm2_bias, to_q, to_k, to_v):
        query = F.layer_norm(query, (8,), norm1_weight, norm1_bias)
        key = F.layer_norm(key, (8,), norm2_weight, norm2_bias)
        return attention(query @ to_q.T, key @ to_k.T, key @ to_v.T, 2)

    case(
        "min_attn", {"op": "MinAttn", "heads": 2, "eps": 1e-5}, min_attn, query=x(2, 4, 8), key=x(2, 9, 8),
        norm1_weight=x(8), norm1_bias=x(8), norm2_weight=x(8), norm2_bias=x(8), to_q=x(8, 8), to_k=x(8, 8), to_v=x(8, 8),
    )  # fmt: skip

    geglu = GEGLU(6, 10).double()

    def run_geglu(x, weight, bias):
        geglu.proj.weight.data, geglu.proj.bias.data = weight, bias
        return geglu(x)

    case("geglu", {"op": "GEGLU"}, run_geglu, x=x(2, 3, 6), weight=x(20, 6), bias=x(20))

    case("upsample_nearest", {"op": "UpsampleNearest", "scale": 2}, lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest"), x=x(1, 2, 3, 4))
    for name, source, target in (
        ("down2", (8, 12), (4, 6)), ("down4", (8, 12), (2, 3)), ("down8", (16, 8), (2, 1)), ("up2", (4, 6), (8, 12)), ("up4", (2, 3), (8, 12)), ("uneven", (5, 7), (8, 3)),
    ):  # fmt: skip
        case(
            f"bilinear_{name}", {"op": "Bilinear", "align_corners": False, "antialias": False, "size": target},
            lambda x: F.interpolate(x, size=target, mode="bilinear", align_corners=False), x=x(1, 2, *source),
        )  # fmt: skip
    case(
        "bilinear_align_corners", {"op": "Bilinear", "align_corners": True, "antialias": False, "size": (4, 4)},
        lambda x: F.interpolate(x, size=(4, 4), mode="bilinear", align_corners=True), x=x(1, 2, 8, 8),
    )  # fmt: skip
    for source, target in ((7, 4), (37, 27), (4, 6)):
        case(
            f"bicubic_{source}_{target}", {"op": "Bicubic", "antialias": True, "a": -0.5, "size": (target, target)},
            lambda x: F.interpolate(x, size=(target, target), mode="bicubic", antialias=True, align_corners=False), x=x(1, 1, source, source),
        )  # fmt: skip

    def sinusoid(t: Tensor, dim: int) -> Tensor:
        # cos half first; checked against diffusers, which rounds the frequencies to float32
        angle = t[:, None] * torch.exp(-math.log(10000) * torch.arange(dim // 2, dtype=torch.float64) / (dim // 2))
        y = torch.cat([angle.cos(), angle.sin()], -1)
        assert (y - get_timestep_embedding(t, dim, flip_sin_to_cos=True, downscale_freq_shift=0)).abs().max() < 2e-4
        return y

    for dim in (8, 320):
        case(
            f"timestep_embedding_{dim}", {"op": "TimestepEmbedding", "dim": dim}, lambda t: sinusoid(t, dim),
            t=torch.tensor([0.0, 1, 39, 500, 999, 1024], dtype=torch.float64),
        )  # fmt: skip
    return out


def make() -> None:
    tensors, meta = {}, {}
    for name, (attributes, inputs, output) in cases().items():
        meta[name] = attributes
        tensors |= {f"{name}.in.{k}": v for k, v in inputs.items()} | {f"{name}.out.y": output}
    save(DATA / "operators.safetensors", tensors, meta)

"""Two tiny models with random weights, in the folder layout of README.md, and the tiny vocabulary both use.

data/tiny      like SD 1.5: convolutions as proj_in/proj_out, attention on three levels, one text encoder (quick_gelu,
               final norm), paper projector (ccp), DINO position table of another grid than the one in use
data/tiny-xl   like SDXL: linear proj_in, no attention on the first level, unequal depth, text_time conditioning, two text
               encoders (quick_gelu, gelu), released projector (highres), view size that the patches do not fill
data/tiny-xl-shallow   the other released projector for tiny-xl
"""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path

import torch
from common import DATA, rng, save, save_json
from networks import Encoders, Projector, RealCustom
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import CLIPTokenizer

START, END = "<|startoftext|>", "<|endoftext|>"

# What the merges of the tiny vocabulary are learnt from.
CORPUS = """
a dog on the beach. a cat in the snow. a toy robot next to a teddy bear in the city at night. the dog and the cat
a photo of a red car in the jungle. the robot is wearing a hat. a cat wearing a top hat on a wooden table. don't it's we'll
a bear in space. the toy is flying in the sky. a small blue bird on the left. a horse in a field at sunrise. bad, blurry, cropped
""" * 2


def byte_symbols() -> list[str]:
    """The printable stand-ins of the 256 bytes, in the order of the CLIP vocabulary."""
    plain = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    rest = [b for b in range(256) if b not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(rest))]


def learn_merges(text: str, count: int) -> list[tuple[str, str]]:
    """Byte pair encoding as in Sennrich et al.: the most frequent pair first, ties in alphabetical order."""
    words: dict[tuple[str, ...], int] = {}
    for word in re.findall(r"'s|'t|'re|'ve|'m|'ll|'d|[a-z]+|[^\sa-z]+", text.lower()):
        parts = (*word[:-1], word[-1] + "</w>")
        words[parts] = words.get(parts, 0) + 1
    merges = []
    for _ in range(count):
        pairs: dict[tuple[str, str], int] = {}
        for parts, n in words.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] = pairs.get(pair, 0) + n
        best = min(pairs, key=lambda p: (-pairs[p], p))
        merges.append(best)
        merged = {}
        for parts, n in words.items():
            out, i = [], 0
            while i < len(parts):
                if parts[i : i + 2] == best:
                    out.append("".join(best))
                    i += 2
                else:
                    out.append(parts[i])
                    i += 1
            merged[tuple(out)] = n
        words = merged
    return merges


def write_tokenizer(folder: Path, pad: str) -> None:
    """vocab.json and merges.txt with 600 ids; pad is the padding token (the second SDXL tokenizer pads with "!")."""
    folder.mkdir(parents=True, exist_ok=True)
    symbols = byte_symbols()
    merges = learn_merges(CORPUS, 600 - 2 * 256 - 2)
    words = symbols + [s + "</w>" for s in symbols] + ["".join(m) for m in merges] + [START, END]
    assert len(set(words)) == 600
    (folder / "vocab.json").write_text(json.dumps({w: i for i, w in enumerate(words)}, ensure_ascii=False), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{a} {b}\n" for a, b in merges), encoding="utf-8")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": pad}
    save_json(folder / "special_tokens_map.json", special)
    save_json(folder / "tokenizer_config.json", {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, **special})


def tokenize(folder: Path, text: str) -> list[int]:
    """77 ids by the reference implementation."""
    return CLIPTokenizer.from_pretrained(folder)(text, padding="max_length", max_length=77, truncation=True).input_ids


def randomise(module: nn.Module, seed: int) -> nn.Module:
    """Random weights that keep every path alive: norms and biases too, attention sharp enough to tell places apart."""
    generator = rng(seed)
    for name, p in sorted(module.named_parameters()):
        value = torch.randn(p.shape, generator=generator)
        last = name.rsplit(".", 1)[-1]
        if "embedding" in name and "embeddings" in name:
            value *= 0.3 if "position" in name else 1.0
        elif last in ("pos_embed", "cls_token", "reg_token"):
            value *= 0.5
        elif last == "gamma":
            value = 0.7 + 0.3 * value
        elif p.dim() == 1:
            value = 1 + 0.25 * value if last == "weight" else 0.2 * value
        else:
            sharp = any(s in name for s in ("to_q.", "to_k.", "to_k_vision.", "q_proj.", "k_proj.", "qkv.", "norm_out"))
            # Damped branches: rounding errors must not grow through the depth.
            damped = any(s in name for s in ("to_out.0.", "ff.net.2.", "conv2.", "proj_out.", "out_proj.", "fc2."))
            value *= (1.7 if sharp else 0.5 if damped else 1.0) / math.sqrt(p[0].numel())
        p.data.copy_(value)
    return module


def vit(view: int, width: int, heads: int, depth: int, hidden: int, features: list[int], dino: bool) -> dict:
    return {
        "img_size": view, "patch_size": 8, "embed_dim": width, "depth": depth, "num_heads": heads, "mlp_hidden": hidden,
        "class_token": dino, "reg_tokens": 4 if dino else 0, "layer_scale": dino, "pos_embed_cls": False,
        "mean": [0.485, 0.456, 0.406] if dino else [0.5] * 3, "std": [0.229, 0.224, 0.225] if dino else [0.5] * 3, "features": features,
    }  # fmt: skip


def clip(width: int, heads: int, layers: int, act: str, **more) -> dict:
    return {
        "vocab_size": 600, "hidden_size": width, "intermediate_size": 2 * width, "num_hidden_layers": layers, "num_attention_heads": heads,
        "hidden_act": act, "projection_dim": width, "bos_token_id": 598, "eos_token_id": 599, "max_position_embeddings": 77, **more,
    }  # fmt: skip


def autoencoder(channels: list[int], scaling: float) -> dict:
    n = len(channels)
    return {
        "in_channels": 3, "out_channels": 3, "latent_channels": 4, "block_out_channels": channels, "layers_per_block": 1, "norm_num_groups": 4,
        "down_block_types": ["DownEncoderBlock2D"] * n, "up_block_types": ["UpDecoderBlock2D"] * n, "scaling_factor": scaling, "sample_size": 64,
    }  # fmt: skip


def about(family: str, name: str, side: int) -> dict:
    rgb = [[0.30, 0.20, 0.21], [0.19, 0.29, 0.17], [-0.16, 0.19, 0.26], [-0.18, -0.27, -0.47]]
    return {
        "family": family, "name": name, "default_size": [side, side], "licences": ["made by Realword: random weights"],
        "latent_rgb": rgb, "latent_rgb_bias": [0.02, -0.01, 0.03],
    }  # fmt: skip


def tiny() -> dict:
    unet = {
        "sample_size": 16, "in_channels": 4, "out_channels": 4, "block_out_channels": [8, 8, 16], "layers_per_block": 2,
        "down_block_types": ["CrossAttnDownBlock2D"] * 3, "up_block_types": ["CrossAttnUpBlock2D"] * 3,
        "transformer_layers_per_block": [1, 2, 1], "attention_head_dim": 2, "cross_attention_dim": 24, "norm_num_groups": 4,
        "use_linear_projection": False,
    }  # fmt: skip
    vision = {"projector": "ccp", "head_dim": 8, "reference_size": 64, "view_size": 32, "encoders": ["siglip", "dino"]}
    return {
        "unet": unet, "text": [clip(24, 3, 3, "quick_gelu")], "vae": autoencoder([8, 8, 8], 0.18215), "vision": vision,
        "encoders": {"siglip": vit(32, 16, 2, 5, 40, [0, 1, 3], False), "dino": vit(32, 8, 2, 4, 24, [0, 2, 3], True)},
        "about": about("sd15", "tiny", 64),
    }  # fmt: skip


def tiny_xl() -> dict:
    unet = {
        "sample_size": 16, "in_channels": 4, "out_channels": 4, "block_out_channels": [8, 8, 16], "layers_per_block": 2,
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
        "transformer_layers_per_block": [1, 1, 2], "attention_head_dim": [1, 2, 4], "cross_attention_dim": 32, "norm_num_groups": 4,
        "use_linear_projection": True, "addition_embed_type": "text_time", "addition_time_embed_dim": 8,
        "projection_class_embeddings_input_dim": 16 + 6 * 8,
    }  # fmt: skip
    vision = {"projector": "highres", "head_dim": 8, "reference_size": 72, "view_size": 36, "encoders": ["siglip", "dino"]}
    return {
        "unet": unet, "vae": autoencoder([8, 8, 8, 8], 0.13025), "vision": vision,
        "text": [clip(16, 2, 3, "quick_gelu"), clip(16, 4, 3, "gelu", projected=True)],
        "encoders": {"siglip": vit(36, 16, 2, 5, 40, [0, 1, 2, 3], False), "dino": vit(36, 8, 2, 4, 24, [0, 1, 2, 3], True)},
        "about": about("sdxl", "tiny-xl", 128),
    }  # fmt: skip


def write(name: str, configs: dict, seed: int) -> None:
    folder = DATA / name
    shutil.rmtree(folder, ignore_errors=True)
    model = randomise(RealCustom.build(**configs), seed)
    model.save(folder)
    write_tokenizer(folder / "tokenizer", pad=END)
    if len(configs["text"]) == 2:
        write_tokenizer(folder / "tokenizer_2", pad="!")
    # A position table of a 7 x 7 grid, as DINOv2 ships one of another size than the one in use.
    path = folder / "vision" / "dino"
    tensors = load_file(path / "model.safetensors")
    tensors["pos_embed"] = 0.5 * torch.randn(1, 49, 8, generator=rng(seed + 1))
    save_file(tensors, path / "model.safetensors", {"format": "pt"})
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"img_size": 56}, indent=1, sort_keys=True) + "\n")


def write_shallow(seed: int) -> None:
    folder = DATA / "tiny-xl-shallow"
    shutil.rmtree(folder, ignore_errors=True)
    configs = tiny_xl()
    vision = configs["vision"] | {"projector": "shallow"}
    width = Encoders(vision, configs["encoders"]).width
    projector = randomise(Projector("shallow", width, 32, vision["head_dim"]), seed)
    save(folder / "projector.safetensors", {f"encoder_hidden_states_vision_projection.{k}": v for k, v in projector.state_dict().items()})
    save_json(folder / "config.json", vision)


def make() -> None:
    write("tiny", tiny(), 7)
    write("tiny-xl", tiny_xl(), 11)
    write_shallow(13)

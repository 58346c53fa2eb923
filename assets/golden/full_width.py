"""Compares every network at full width, and the whole U-Net at reduced width, with PyTorch: make parity.

    python assets/golden/full_width.py --realword BIN --synthetic BIN --work DIR [--table FILE] [--cases CASE,...] [--wrap COMMAND] [--keep]

Each case makes a synthetic checkpoint in DIR (Go, package synthetic), computes goldens from its tensors with the classes of
transformers, timm, diffusers and ../toybox/networks.py, imports it and runs `realword model verify` against them. Checkpoints,
bundles and goldens are removed after their case; at most 8 GB of disk are used.

    wide      CLIP-L and bigG, autoencoder, and an SDXL U-Net with every kind of block at full width, 512 x 512, fp32 and fp16
    large     the same U-Net at 1024 x 1024, where transformers see 64 x 64 and 32 x 32 tokens, fp32
    eyes      both image encoders at full width, five blocks each, with each of the three projectors, fp32; highres in fp16, too
    deep      both image encoders with all their blocks and the highres projector, fp32 and fp16
    sd15      Stable Diffusion 1.5 at full size: text, autoencoder, U-Net, fp16 (weights as stored)
    reduced   the whole U-Net of data/tiny and data/tiny-xl: three roles, 0 to 3 subjects, 512 x 512, 768 x 1024 and 1024 x 1024

References of fp16 bundles are computed from the fp32 weights that were rounded, but for sd15: what is measured is the rounding of
the weights. Their limit is 2e-3 relative L2, that of the others 1e-4. Inputs are drawn so that attention prefers some tokens.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import torch
from cases import NEGATIVE, load, unet_inputs
from common import DATA, rand, randn, save
from diffusers import AutoencoderKL, UNet2DConditionModel
from networks import SOURCES, Encoders, Projector, RealCustomUNet, encode_text, guidance_scores, views
from safetensors import safe_open
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

LIMIT, STORAGE = 1e-4, 2e-3
PROJECTOR = "encoder_hidden_states_vision_projection."


def no_initialisation() -> None:
    """Every weight is loaded: drawing initial ones would take longer than that."""
    for name in ("kaiming_uniform_", "uniform_", "normal_", "trunc_normal_", "xavier_uniform_", "_no_grad_uniform_", "_no_grad_normal_"):
        if hasattr(nn.init, name):
            setattr(nn.init, name, lambda tensor, *_, **__: tensor)


def read(path: Path, keep=lambda key: True) -> dict[str, Tensor]:
    """The tensors of a safetensors file in fp32."""
    with safe_open(path, "pt") as f:
        return {k: f.get_tensor(k).float() for k in f.keys() if keep(k)}


def config(tree: Path, folder: str) -> dict:
    return json.loads((tree / folder / "config.json").read_text())


# ------------------------------------------------------------------------------------------------------------ networks


def text_goldens(tree: Path, out: Path) -> None:
    encoders = []
    for i, folder in enumerate(f for f in ("text_encoder", "text_encoder_2") if (tree / f).exists()):
        c = config(tree, folder)
        kind = (CLIPTextModel, CLIPTextModelWithProjection)[i]
        model = kind(CLIPTextConfig(**c, projection_dim=c["hidden_size"], bos_token_id=c["vocab_size"] - 2)).eval()
        tensors = read(tree / folder / "model.safetensors")
        if not any(k.startswith("text_model.") for k in model.state_dict()):
            tensors = {k.removeprefix("text_model."): v for k, v in tensors.items()}
        model.load_state_dict(tensors, assign=True)
        encoders.append(model)
    end, generator = c["vocab_size"] - 1, torch.Generator().manual_seed(5)
    ids = torch.full((1, 77), end)
    ids[0, 0], ids[0, 1:12] = end - 1, torch.randint(1000, end - 1, (11,), generator=generator)
    second = ids.clone()
    second[0, 13:] = 0  # the second tokenizer pads with "!"
    text = encode_text(encoders, [ids, second][: len(encoders)])
    tensors = {"text.in.input_ids": ids, "text.out.encoder_hidden_states": text.hidden}
    if len(encoders) == 2:
        tensors |= {"text.in.input_ids_2": second, "text.out.pooled": text.pooled}
    save(out / "text.safetensors", tensors)


def decoder_goldens(tree: Path, out: Path, size: tuple[int, int]) -> None:
    vae = AutoencoderKL.from_config(config(tree, "vae")).eval()
    vae.load_state_dict(read(tree / "vae" / "diffusion_pytorch_model.safetensors"), assign=True)
    latent = randn(7, 1, 4, *size)
    save(out / "decoder.safetensors", {"decoder.in.latent": latent, "decoder.out.picture": vae.decode(latent / vae.config.scaling_factor).sample})


def encoder_goldens(tree: Path, out: Path, size: tuple[int, int]) -> None:
    vae = AutoencoderKL.from_config(config(tree, "vae")).eval()
    vae.load_state_dict(read(tree / "vae" / "diffusion_pytorch_model.safetensors"), assign=True)
    picture = randn(8, 1, 3, *(n * 2 ** (len(vae.config.block_out_channels) - 1) for n in size)).clamp(-1, 1)
    save(out / "encoder.safetensors", {"encoder.in.picture": picture, "encoder.out.latent": vae.encode(picture).latent_dist.mode() * vae.config.scaling_factor})


def features_of(tree: Path) -> tuple[Tensor, tuple]:
    """The five views of a square, and what both encoders make of them: all four levels, as the checkpoint's configuration places
    them for the projectors that read them all."""
    encoders = {n: config(tree, f"vision/{n}") for n in ("siglip", "dino")}
    eyes = Encoders(config(tree, "vision"), encoders).eval()
    for name, e in eyes.each.items():
        e.load(read(tree / "vision" / name / "model.safetensors", lambda k: not k.startswith("attn_pool.")))
    square = torch.nn.functional.interpolate(rand(3, 1, 3, 24, 24), size=(768, 768), mode="bicubic").clamp(0, 1).mul(255).round().div(255)
    five = views(square)
    return five, eyes(five)


def vision_goldens(tree: Path, out: Path, seen: tuple[Tensor, tuple]) -> None:
    five, (shallow, deep, local) = seen
    tensors = read(tree / "unet" / "diffusion_pytorch_model.safetensors", lambda k: k.startswith(PROJECTOR))
    projector = Projector(config(tree, "vision")["projector"], deep.shape[-1], config(tree, "unet")["cross_attention_dim"])
    projector.load_state_dict({k.removeprefix(PROJECTOR): v for k, v in tensors.items()}, assign=True)
    save(out / "vision.safetensors", {"vision.in.views": five[0], "vision.out.tokens": projector(shallow, deep, local)})


def load_unet(tree: Path) -> RealCustomUNet:
    c = config(tree, "unet")
    unet = RealCustomUNet(UNet2DConditionModel.from_config(c), nn.Identity()).eval()
    unet.unet.load_state_dict(read(tree / "unet" / "diffusion_pytorch_model.safetensors", lambda k: not k.startswith(PROJECTOR)), assign=True)
    return unet


def conditions(unet: RealCustomUNet, seed: int, timestep: float, size: tuple[int, int]) -> dict:
    """Arguments of a pass. Text is as strong as three standard deviations, so that attention prefers some tokens."""
    c = unet.unet.config
    kw = {"sample": randn(seed, 1, 4, *size), "timestep": torch.tensor([timestep]), "text": 3 * randn(seed + 1, 1, 77, c.cross_attention_dim)}
    if c.addition_embed_type == "text_time":
        pooled = c.projection_class_embeddings_input_dim - 6 * c.addition_time_embed_dim
        h, w = 8 * size[0], 8 * size[1]
        kw |= {"text_embeds": randn(seed + 2, 1, pooled), "time_ids": torch.tensor([[w, h, 0, 0, w, h]], dtype=torch.float32)}
    return kw


def ports(network: str, kw: dict) -> dict:
    return {f"{network}.in.{'encoder_hidden_states' if k == 'text' else k}": v for k, v in kw.items()}


def pass_goldens(unet: RealCustomUNet, out: Path, case: str, subjects: int, timestep: float, size: tuple[int, int], tokens: int = 729, kw: dict | None = None) -> None:
    """One pass of the generation role, or with no subject of plain text-to-image."""
    kw = kw or conditions(unet, 11 + subjects, timestep, size)
    dtype, cross = kw["text"].dtype, kw["text"].shape[-1]
    # The last of three subjects has two references: the others are padded.
    lengths = [tokens * (2 if j == 2 else 1) for j in range(subjects)]
    seen = [3 * randn(40 + j, 1, n, cross).to(dtype) for j, n in enumerate(lengths)]
    masks = rand(50 + subjects, subjects, *unet.grid(kw["sample"])).to(dtype)
    masks = torch.where(masks > 0.8, masks, torch.zeros_like(masks))
    noise, _ = unet(**kw, vision=seen, masks=[m[None, None] for m in masks])
    together = torch.zeros(subjects, max(lengths, default=4), cross)
    bias = torch.zeros(subjects, max(lengths, default=4))
    for j, s in enumerate(seen):
        together[j, : lengths[j]] = s[0]
        bias[j, lengths[j] :] = NEGATIVE
    save(out / f"unet-{case}.safetensors", ports("unet", kw) | {"unet.in.vision_tokens": together, "unet.in.vision_bias": bias, "unet.in.masks": masks, "unet.out.noise": noise})


def guidance_goldens(unet: RealCustomUNet, out: Path, case: str, subjects: int, timestep: float, size: tuple[int, int], sources=SOURCES, kw: dict | None = None) -> None:
    kw = kw or conditions(unet, 21 + subjects, timestep, size)
    weights = torch.zeros(subjects, 77, dtype=kw["text"].dtype)
    for j in range(subjects):
        weights[j, 2 + 2 * j : 3 + 3 * j] = 1
    tensors = ports("guidance", kw) | {"guidance.in.token_weights": weights}
    _, maps = unet(**kw, tokens=weights[None], selfs="all" if sources == SOURCES else "")
    for source in sources:
        cross, scores = guidance_scores(maps, unet.grid(kw["sample"]), source)
        tensors |= {f"guidance-{source}.out.cross": cross[0], f"guidance-{source}.out.scores": scores[0]}
    save(out / f"guidance-{case}.safetensors", tensors)


# --------------------------------------------------------------------------------------------------------------- cases


class Bench:
    """Runs the programs, keeps the rows of the table."""

    def __init__(self, args):
        self.args, self.work, self.rows, self.failed = args, Path(args.work), [], False

    def path(self, name: str) -> Path:
        path = self.work / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def tree(self, name: str, width: str, dtype: str, *more: str) -> Path:
        path = self.path(name)
        self.call(self.args.synthetic, "--layout", "diffusers", "--width", width, "--dtype", dtype, "--out", str(path), *more)
        return path

    def call(self, *command: str) -> str:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode and " verify " not in " ".join(command):
            raise SystemExit(f"{' '.join(command)}\n{done.stderr[-4000:]}")
        return done.stdout + (done.stderr if done.returncode else "")

    def verify(self, case: str, weights: str, tree: Path, goldens: Path, limit: float) -> None:
        bundle = self.path("bundle")
        self.call(self.args.realword, "model", "import", str(tree), "--out", str(bundle))
        text = self.call(*self.args.wrap.split(), self.args.realword, "model", "verify", str(bundle), "--goldens", str(goldens), "--limit", str(limit))
        found = re.findall(r"^(ok|FAILED)\s+(\S+)\.safetensors (\S+): (?:max abs (\S+), relative L2 (\S+) .*|(.*))$", text, re.M)
        if not found:
            raise SystemExit(f"{case}: nothing was compared\n{text[-4000:]}")
        for verdict, file, tensor, high, distance, problem in found:
            self.rows.append((case, weights, file, tensor, high or problem, distance, f"{limit:g}", verdict))
            self.failed |= verdict != "ok"
            print(" | ".join(self.rows[-1]), flush=True)
        self.remove(bundle)

    def remove(self, *paths: Path) -> None:
        if not self.args.keep:
            for path in paths:
                shutil.rmtree(path, ignore_errors=True)


def eyes(b: Bench) -> None:
    seen = None
    for kind, more in (("ccp", ["--ccp"]), ("shallow", ["--shallow"]), ("highres", [])):
        goldens, tree = b.path("goldens"), b.tree("tree", "eyes", "fp32", *more)
        seen = seen or features_of(tree)
        vision_goldens(tree, goldens, seen)
        b.verify(f"SigLIP so400m and DINOv2-L, five blocks, projector {kind}", "fp32", tree, goldens, LIMIT)
        b.remove(tree)
        if kind == "highres":
            half = b.tree("half", "eyes", "fp16")
            b.verify(f"SigLIP so400m and DINOv2-L, five blocks, projector {kind}", "fp16", half, goldens, STORAGE)
            b.remove(half)
        b.remove(goldens)


def deep(b: Bench) -> None:
    goldens, tree = b.path("goldens"), b.tree("tree", "deep", "fp32")
    vision_goldens(tree, goldens, features_of(tree))
    b.verify("SigLIP so400m and DINOv2-L with all blocks, projector highres", "fp32", tree, goldens, LIMIT)
    b.remove(tree)
    half = b.tree("half", "deep", "fp16")
    b.verify("SigLIP so400m and DINOv2-L with all blocks, projector highres", "fp16", half, goldens, STORAGE)
    b.remove(half, goldens)


def wide(b: Bench) -> None:
    goldens, tree = b.path("goldens"), b.tree("tree", "wide", "fp32")
    text_goldens(tree, goldens)
    decoder_goldens(tree, goldens, (32, 32))
    encoder_goldens(tree, goldens, (32, 32))
    unet = load_unet(tree)
    pass_goldens(unet, goldens, "0-subjects-512", 0, 999.0, (64, 64))
    pass_goldens(unet, goldens, "3-subjects-512", 3, 39.0, (64, 64))
    guidance_goldens(unet, goldens, "2-subjects-512", 2, 919.0, (64, 64))
    del unet
    b.verify("CLIP-L, bigG, VAE, SDXL U-Net with one block per transformer", "fp32", tree, goldens, LIMIT)
    b.remove(tree)
    half = b.tree("half", "wide", "fp16")
    b.verify("CLIP-L, bigG, VAE, SDXL U-Net with one block per transformer", "fp16", half, goldens, STORAGE)
    b.remove(half, goldens)


def large(b: Bench) -> None:
    goldens, tree = b.path("goldens"), b.tree("tree", "wide", "fp32")
    unet = load_unet(tree)
    pass_goldens(unet, goldens, "1-subject-1024", 1, 479.0, (128, 128))
    del unet
    b.verify("SDXL U-Net with one block per transformer, 64 x 64 and 32 x 32 tokens", "fp32", tree, goldens, LIMIT)
    b.remove(tree, goldens)


def sd15(b: Bench) -> None:
    goldens, tree = b.path("goldens"), b.tree("tree", "full", "fp16", "--family", "sd15")
    text_goldens(tree, goldens)
    decoder_goldens(tree, goldens, (32, 32))
    encoder_goldens(tree, goldens, (32, 32))
    unet = load_unet(tree)
    pass_goldens(unet, goldens, "1-subject-512", 1, 479.0, (64, 64))
    guidance_goldens(unet, goldens, "1-subject-256", 1, 919.0, (32, 32))
    del unet
    b.verify("Stable Diffusion 1.5", "fp16", tree, goldens, LIMIT)
    b.remove(tree, goldens)


def single(kw: dict) -> dict:
    return {k: v.float() for k, v in kw.items()}


def reduced(b: Bench) -> None:
    for name, style in (("tiny-xl", "SDXL-like"), ("tiny", "SD-1.5-like")):
        goldens, model = b.path("goldens"), load(name).float()
        for i, (label, size) in enumerate({"512x512": (64, 64), "768x1024": (96, 128), "1024x1024": (128, 128)}.items()):
            for subjects in range(4):
                _, kw = unet_inputs(name, model, "unet", 100 + i, 999.0 - 300 * subjects, size)
                pass_goldens(model.unet, goldens, f"{subjects}-subjects-{label}", subjects, 0, size, 16, single(kw))
            # The self maps of PyTorch's guidance are N x N: they are compared where they fit.
            small = name == "tiny-xl" or i == 0
            for subjects in (1, 3):
                _, kw = unet_inputs(name, model, "guidance", 200 + i, 959.0 - 240 * subjects, size)
                guidance_goldens(model.unet, goldens, f"{subjects}-subjects-{label}", subjects, 0, size, SOURCES if small else SOURCES[:2], single(kw))
        b.verify(f"whole reduced U-Net, {style}", "fp32", DATA / name, goldens, LIMIT)
        b.remove(goldens)


CASES = {"wide": wide, "large": large, "eyes": eyes, "deep": deep, "sd15": sd15, "reduced": reduced}


def table(b: Bench, seconds: float) -> str:
    """One line per golden file: the worst of its tensors."""
    worst: dict[tuple, list] = {}
    for row in b.rows:
        worst.setdefault(row[:3], []).append(row)
    lines = ["| networks | weights | golden | tensors | worst of them | relative L2 | limit | |", "|---|---|---|---|---|---|---|---|"]
    for (case, weights, file), rows in worst.items():
        row = max(rows, key=lambda r: (r[7] != "ok", float(r[5] or "inf")))
        lines.append(f"| {case} | {weights} | {file} | {len(rows)} | `{row[3]}` | {row[5] or row[4]} | {row[6]} | {row[7]} |")
    return "\n".join(lines) + f"\n\n{len(b.rows)} tensors, {seconds:.0f} s.\n"


@torch.no_grad()
def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("realword", "synthetic", "work"):
        parser.add_argument("--" + name, required=True)
    parser.add_argument("--cases", default=",".join(CASES))
    parser.add_argument("--table", help="file that the table is added to, in Markdown")
    parser.add_argument("--wrap", default="", help="command that runs the memory-hungry part, `realword model verify`")
    parser.add_argument("--keep", action="store_true", help="leave the last checkpoints and goldens")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    no_initialisation()
    torch.set_num_threads(args.threads)
    Path(args.work).mkdir(parents=True, exist_ok=True)
    b, began = Bench(args), time.time()
    for case in args.cases.split(","):
        CASES[case](b)
    text = table(b, time.time() - began)
    if args.table:
        with open(args.table, "a") as f:
            f.write(f"\n{args.cases.replace(',', ', ')}: {datetime.date.today()}, PyTorch {torch.__version__.split('+')[0]}.\n\n{text}")
    print(text)
    return 1 if b.failed else 0


if __name__ == "__main__":
    sys.exit(main())

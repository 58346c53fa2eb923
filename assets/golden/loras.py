"""LoRA files for data/tiny and data/tiny-xl, and what the networks compute with them: data/loras/goldens/<model>-<case>.safetensors.

Each file data/loras/<model>-<case>.safetensors is written by the program that writes such files, and read and merged by the reference
(diffusers with PEFT, or LyCORIS). Its numbers are random. A golden has the ports of a pass as in cases.py, `unet.out.noise`, `text.in.input_ids`
and `text.out.encoder_hidden_states` (`pooled`) under the weight `weight` of the metadata; `weights` are merged weights of some modules.

  diffusers   PEFT's lora_A and lora_B as StableDiffusion(XL)Pipeline.save_lora_weights writes them, with alpha in the metadata; linear layers
              and convolutions, U-Net and text encoders, weight -0.7
  kohya       lora_unet_, lora_te1_, lora_te2_ with alpha, loaded by diffusers, weight 1.3
  dora        PEFT's use_dora, weight 1
  loha lokr full dora-lycoris locon   LyCORIS on the U-Net; locon and loha with Tucker decomposed kernels, weight 0.8 (DoRA: 1)
"""

from __future__ import annotations

import json
import re
import tempfile
from pathlib import Path

import torch
from cases import ids, load, unet_inputs
from common import DATA, rng, save, sort_metadata
from diffusers import StableDiffusionPipeline, StableDiffusionXLPipeline
from lycoris import LycorisNetwork
from peft import LoraConfig, get_peft_model_state_dict, inject_adapter_in_model
from peft.tuners.tuners_utils import BaseTunerLayer
from safetensors.torch import load_file, save_file

LINEAR = r"(?!encoder_hid)(.*\.)?(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2)"
CONV = r"(.*\.)?(conv1|conv2|conv_shortcut|conv_in|conv_out|time_emb_proj|downsamplers\.0\.conv|upsamplers\.0\.conv)"
TEXT = r"(.*\.)?(q_proj|k_proj|v_proj|out_proj|fc1|fc2)"
SAMPLES = ("mid_block.attentions.0.transformer_blocks.0.attn1.to_q", "mid_block.resnets.0.conv1", "down_blocks.1.downsamplers.0.conv",
           "mid_block.attentions.0.proj_in", "up_blocks.0.attentions.0.transformer_blocks.0.ff.net.0.proj")  # fmt: skip


def pipeline(name: str):
    return StableDiffusionXLPipeline if name == "tiny-xl" else StableDiffusionPipeline


def shake(module: torch.nn.Module, seed: int, match: str = "lora_|lokr|hada|diff|dora") -> None:
    """Random values for what an adapter starts with zeros."""
    g = rng(seed)
    for name, p in sorted(module.named_parameters()):
        if re.search(match, name) and "magnitude" not in name and "dora_scale" not in name:
            p.data.copy_(torch.randn(p.shape, generator=g) * (0.35 if p[0].dim() else 0.1))
        elif "magnitude" in name or "dora_scale" in name:
            p.data.mul_(1 + 0.2 * torch.randn(p.shape, generator=g).to(p))
        p.data = p.data.half().float() if re.search(match + "|magnitude", name) else p.data  # as it is stored


def merge(*modules: torch.nn.Module, weight: float = 1) -> None:
    for module in modules:
        for m in module.modules():
            if isinstance(m, BaseTunerLayer):
                m.scale_layer(weight)
                m.merge()


def outputs(name: str, model, case: str, weight: float) -> None:
    ports, kw = unet_inputs(name, model, "unet", 501, 521.0, (16, 16))
    noise, _ = model.unet(**kw)
    i = ids(name, "a toy robot and a dog on the beach")
    text = model.text(*i)
    out = ports | {"unet.out.noise": noise, "text.out.encoder_hidden_states": text.hidden}
    if text.pooled is not None and len(i) > 1:
        out["text.out.pooled"] = text.pooled
    out |= {"text.in.input_ids" + ("" if n == 0 else f"_{n + 1}"): t for n, t in enumerate(i)}
    state = model.unet.unet.state_dict()
    for s in SAMPLES:
        for k in (s + ".weight", s + ".base_layer.weight"):
            if k in state:
                out["weights." + s + ".weight"] = state[k]
    save(DATA / "loras" / "goldens" / f"{name}-{case}.safetensors", out, {"weight": weight, "lora": f"{name}-{case}.safetensors"})


def path(name: str, case: str) -> Path:
    (DATA / "loras").mkdir(exist_ok=True)
    return DATA / "loras" / f"{name}-{case}.safetensors"


def keep(source: Path, to: Path) -> None:
    to.write_bytes(source.read_bytes())
    sort_metadata(to)


def with_peft(name: str, case: str, weight: float, dora: bool) -> None:
    """As diffusers' own training scripts make it."""
    model = load(name).float()
    unet, texts = model.unet.unet, list(model.text_encoders)
    cfg = lambda match, r, alpha: LoraConfig(r=r, lora_alpha=alpha, target_modules=match, use_dora=dora, init_lora_weights=False)
    inject_adapter_in_model(cfg(LINEAR if dora else LINEAR + "|" + CONV, 2, 3), unet)
    layers, meta = {"unet_lora_layers": unet}, {"unet_lora_adapter_metadata": unet}
    for n, t in enumerate(texts if not dora else []):
        inject_adapter_in_model(cfg(TEXT, 1, 2), t)
        prefix = "text_encoder_2" if n else "text_encoder"
        layers[prefix + "_lora_layers"], meta[prefix + "_lora_adapter_metadata"] = t, t
    for n, m in enumerate(layers.values()):
        shake(m, 600 + n, "lora_[AB]|lora_magnitude")
    with tempfile.TemporaryDirectory() as d:
        pipeline(name).save_lora_weights(
            d, weight_name="x.safetensors",
            **{k: {x: y.half().contiguous() for x, y in get_peft_model_state_dict(m).items()} for k, m in layers.items()},
            **{k: m.peft_config["default"].to_dict() for k, m in meta.items()},
        )  # fmt: skip
        keep(Path(d) / "x.safetensors", path(name, case))
    model = model.double()
    merge(*layers.values(), weight=weight)
    outputs(name, model, case, weight)


def with_kohya(name: str, case: str, weight: float) -> None:
    """As kohya's scripts name it; diffusers reads it."""
    model = load(name).float()
    unet, texts = model.unet.unet, list(model.text_encoders)
    tensors, g = {}, rng(700)
    for prefix, module, match in [("lora_unet", unet, LINEAR + "|" + CONV)] + [
        (("lora_te", "lora_te1")[len(texts) > 1] if n == 0 else "lora_te2", t, TEXT) for n, t in enumerate(texts)
    ]:
        for n, m in module.named_modules():
            if not re.fullmatch(match, n):
                continue
            if prefix != "lora_unet" and not n.startswith("text_model."):
                n = "text_model." + n
            key, r, w = f"{prefix}_{n.replace('.', '_')}", 1 if m.weight.shape[0] <= 8 else 2, m.weight
            k = w.shape[2:]
            tensors[key + ".lora_down.weight"] = 0.35 * torch.randn(r, w.shape[1], *k, generator=g)
            tensors[key + ".lora_up.weight"] = 0.35 * torch.randn(w.shape[0], r, *([1] * len(k)), generator=g)
            tensors[key + ".alpha"] = torch.tensor(1.5)
    tensors = {k: v.half() for k, v in tensors.items()}
    save_file(tensors, path(name, case), {"ss_network_module": "networks.lora", "ss_network_dim": "2"})
    sort_metadata(path(name, case))
    loader = pipeline(name)
    state, alphas = loader.lora_state_dict(str(path(name, case)), unet_config=unet.config)[:2]
    state = {k: v.float() for k, v in state.items()}
    loader.load_lora_into_unet(state, network_alphas=alphas, unet=unet)
    for n, t in enumerate(texts):
        loader.load_lora_into_text_encoder(state, network_alphas=alphas, text_encoder=t, prefix="text_encoder_2" if n else "text_encoder")
    model = model.double()
    merge(unet, *texts, weight=weight)
    outputs(name, model, case, weight)


def with_lycoris(name: str, case: str, weight: float, algo: str, **more) -> None:
    model = load(name).float()
    unet = model.unet.unet
    LycorisNetwork.apply_preset({"lora_prefix": "lora_unet", "target_module": ["Transformer2DModel", "ResnetBlock2D", "Downsample2D"],
                                 "target_name": []})  # fmt: skip
    torch.manual_seed(5)
    net = LycorisNetwork(unet, multiplier=1.0, lora_dim=2, conv_lora_dim=2, alpha=1.0, conv_alpha=1.0, network_module=algo, **more)
    net.loras = [m for m in net.loras if "vision" not in m.lora_name]
    for m in net.loras:
        net.add_module(m.lora_name, m) if m.lora_name not in dict(net.named_children()) else None
    net.loras.sort(key=lambda m: m.lora_name)
    shake(torch.nn.ModuleDict({m.lora_name: m for m in net.loras}), 800, ".")
    state = {}
    for m in net.loras:
        for k, v in m.state_dict().items():
            if algo == "full" and hasattr(m, "is_diff"):  # without apply_to its weight is the difference
                v = {"diff": m.weight, "diff_b": m.bias}[k]
            if not k.startswith("org_module"):
                state[f"{m.lora_name}.{k}"] = v.detach().half().clone().contiguous()
    save_file(state, path(name, case), {"ss_network_module": "lycoris.kohya", "ss_network_args": json.dumps({"algo": algo, **more})})
    sort_metadata(path(name, case))
    model = model.double()
    for m in net.loras:
        m.double()
        if algo in ("loha", "lokr"):  # what forward adds; merge_to of 4.1.3 applies alpha / rank twice
            to = m.org_module[0].weight.data
            to.add_(m.get_weight(to.shape).reshape(to.shape), alpha=weight)
        else:
            m.merge_to(weight)
    outputs(name, model, case, weight)


def make() -> None:
    for name in ("tiny", "tiny-xl"):
        with_peft(name, "diffusers", -0.7, False)
        with_kohya(name, "kohya", 1.3)
    name = "tiny-xl"
    with_peft(name, "dora", 1, True)
    with_lycoris(name, "loha", 0.8, "loha", use_tucker=True)
    with_lycoris(name, "lokr", 0.8, "lokr", factor=2)
    with_lycoris(name, "full", 0.8, "full", train_norm=True)
    with_lycoris(name, "locon", 0.8, "locon", use_tucker=True)
    with_lycoris(name, "dora-lycoris", 1, "locon", weight_decompose=True)

"""Reference networks of RealCustom++ (arXiv 2408.09744) in PyTorch: small, readable, trainable.

Used by the training of the embedded model and by assets/golden, which freezes their outputs as tests of the Go
networks. Never needed at run time. The networks themselves are those of diffusers, transformers and timm; what is
written out here is what RealCustom++ adds:

  RealCustomUNet   a diffusers U-Net whose attn2 layers own visual keys and values, with taps for the guidance maps
  Encoders         two timm ViTs and the five views of a reference square
  Projector        cross-layer cross-scale projector (paper Eq. 5-9) and the two released variants
  guidance_scores, topk_masks, generate     paper Eq. 12-17, Algorithm 1 and the sampling loop
  RealCustom       all of the above as one diffusers-style folder on disk

Shapes: B batch, R subjects, N = h*w positions, n visual tokens of a subject, C cross_attention_dim, (gh, gw) guidance grid.
"""

from __future__ import annotations

import contextlib
import json
import math
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Sequence

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from timm.layers import resample_abs_pos_embed
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

SOURCES = ("all_cross", "low_cross", "low_cross_high_self", "low_cross_all_self")
PROJECTOR_KEY = "encoder_hidden_states_vision_projection"
POOLED_PROJECTED = "pooled_projected"  # an empty tensor: what is trained learned beside Text.projected, not Text.pooled


# --------------------------------------------------------------------------------------------------------------- U-Net


@dataclass
class Map:
    """One tapped attention layer. cross: [B, R, lh, lw] token-weighted head mean; self: [B, N, N] head mean."""

    kind: str  # "cross", "self", or in training "vision 0", "vision 1": [B, N, n] head mean of a subject's visual attention
    value: Tensor
    size: tuple[int, int]
    high: bool  # at the resolution of the guidance grid
    walks: bool = True  # of a block that RealCustomUNet.refine_masks names


@dataclass
class _Pass:
    """What the attention processors of one forward pass share."""

    latent: tuple[int, int] = (0, 0)
    grid: tuple[int, int] = (0, 0)
    vision: Sequence[Tensor] = ()
    masks: Sequence[Tensor] = ()
    tokens: Tensor | None = None  # [B or 1, R, 77] weights of the text tokens of each subject; None: no taps
    selfs: str = ""  # "", "high" or "all"
    taps_vision: bool = False
    maps: list[Map] = field(default_factory=list)

    def level(self, positions: int) -> tuple[int, int]:
        """Height and width of an attention level, from its number of positions."""
        down = round(math.sqrt(self.latent[0] * self.latent[1] / positions))
        return self.latent[0] // down, self.latent[1] // down


def resize(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, align_corners=False, no antialias. x [B, R, h, w]."""
    return x if tuple(x.shape[-2:]) == tuple(size) else F.interpolate(x, size=tuple(size), mode="bilinear", align_corners=False)


def attention(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(d)) v of tensors with split heads [B, heads, N, d]. On a CPU it is written out where the maps are
    small: the fused kernel's backward pass is up to six times slower there (64 x 64 positions, bfloat16)."""
    if q.device.type == "cpu" and q.shape[-2] * k.shape[-2] <= 1 << 16:
        return (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1) @ v
    return F.scaled_dot_product_attention(q, k, v)


class _Attention:
    """Processor of attn1 (visual=False) and attn2 (visual=True) of every transformer block."""

    def __init__(self, state: RealCustomUNet, visual: bool):
        self.state, self.visual, self.walks = state, visual, True

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None) -> Tensor:
        run, x = self.state.run, hidden_states
        text = x if encoder_hidden_states is None else encoder_hidden_states
        heads = lambda t: t.unflatten(-1, (attn.heads, -1)).transpose(1, 2)  # [B, N, D] -> [B, heads, N, d]
        merge = lambda t: t.transpose(1, 2).flatten(2)
        q, k, v = heads(attn.to_q(x)), heads(attn.to_k(text)), heads(attn.to_v(text))
        size = run.level(x.shape[1])
        high = size == run.grid
        if run.tokens is not None and (self.visual or run.selfs == "all" or (run.selfs == "high" and high)):
            p = (q @ k.transpose(-1, -2) * attn.scale).softmax(-1)
            mean = p.mean(1)
            if self.visual:
                cross = torch.einsum("bnt,brt->brn", mean, run.tokens.to(mean).expand(len(mean), -1, -1))
                run.maps.append(Map("cross", cross.unflatten(-1, size), size, high))
            else:
                run.maps.append(Map("self", mean, size, high, self.walks))
            out = merge(p @ v)
        else:
            out = merge(attention(q, k, v))
        if self.visual:
            for i, (tokens, mask) in enumerate(zip(run.vision, run.masks, strict=True)):
                rows = len(mask)  # a subject of the first rows only
                tokens = tokens.expand(rows, -1, -1)
                k, v = heads(attn.to_k_vision(tokens)), heads(attn.to_v_vision(tokens))
                if run.taps_vision:
                    p = (q[:rows] @ k.transpose(-1, -2) * attn.scale).softmax(-1)
                    run.maps.append(Map(f"vision {i}", p.mean(1), size, high))
                    seen = merge(p @ v)
                else:
                    seen = merge(attention(q[:rows], k, v))
                seen = resize(mask.to(x), size).flatten(2).transpose(1, 2) * seen  # Eq. 14, 17
                out = out + seen if rows == len(out) else torch.cat([out[:rows] + seen, out[rows:]])
        return attn.to_out[1](attn.to_out[0](out))


class RealCustomUNet(nn.Module):
    """A diffusers U-Net with masked visual cross-attention.

    self.unet owns every parameter, also `<attn2>.to_k_vision/to_v_vision` and the projector, so its state dict has the
    keys of a released checkpoint. visual_parameters() are the ones that RealCustom++ trains.
    """

    def __init__(self, unet: UNet2DConditionModel, projector: Projector):
        super().__init__()
        self.unet, self.run = unet, _Pass()
        for name, module in unet.named_modules():
            if name.endswith("attn2"):
                inner, cross = module.to_k.weight.shape
                for new, old in (("to_k_vision", module.to_k), ("to_v_vision", module.to_v)):
                    linear = nn.Linear(cross, inner, bias=False)
                    linear.weight.data.copy_(old.weight.data)  # the text weights are the best start
                    module.add_module(new, linear)
        unet.set_attn_processor({n: _Attention(self, "attn2" in n) for n in unet.attn_processors})
        unet.add_module(PROJECTOR_KEY, projector)
        # The first level with attention is the finest one: its positions are the guidance grid.
        self.grid_factor = 2 ** next(i for i, t in enumerate(unet.config.down_block_types) if "CrossAttn" in t)
        self.mask_rounds = 1

    def refine_masks(self, blocks: Sequence[str] = (), rounds: int = 1) -> None:
        """The self-attention of which blocks on the guidance grid refines the mask of a single word (none: of all), and how often."""
        self.mask_rounds = rounds
        for name, processor in self.unet.attn_processors.items():
            processor.walks = not blocks or any(name.startswith(b + ".") for b in blocks)

    @property
    def projector(self) -> Projector:
        return getattr(self.unet, PROJECTOR_KEY)

    def visual_parameters(self) -> list[nn.Parameter]:
        return [p for n, p in self.unet.named_parameters() if "_vision." in n or n.startswith(PROJECTOR_KEY)]

    def grid(self, sample: Tensor) -> tuple[int, int]:
        """(gh, gw) for a latent [B, c, h, w]."""
        return sample.shape[-2] // self.grid_factor, sample.shape[-1] // self.grid_factor

    def forward(
        self,
        sample: Tensor,
        timestep: Tensor | float,
        text: Tensor,
        vision: Sequence[Tensor] = (),
        masks: Sequence[Tensor] = (),
        tokens: Tensor | None = None,
        selfs: str = "",
        text_embeds: Tensor | None = None,
        time_ids: Tensor | None = None,
        taps_vision: bool = False,
    ) -> tuple[Tensor, list[Map]]:
        """Predicts the noise of sample [B, c, h, w]; h and w divisible by the total downsampling.

        text [B, 77, C]; vision: one [B or 1, n, C] per subject, masks: its [B, 1, gh, gw] (a zero mask switches a
        subject off, which lets one batch mix numbers of subjects; tokens and mask of fewer rows stand for the first ones).
        tokens [B or 1, R, 77] turns on the taps: one cross Map per attn2 layer in execution order, and self Maps of attn1
        ("high": only those on the grid, or "all"); taps_vision those of the visual attention. Everything is differentiable.
        text_embeds [B, P] and time_ids [B, 6] for text_time U-Nets.
        """
        grid = self.grid(sample)
        self.run = run = _Pass(tuple(sample.shape[-2:]), grid, vision, masks, tokens, selfs, taps_vision)
        added = {} if text_embeds is None else {"text_embeds": text_embeds, "time_ids": time_ids}
        noise = self.unet(sample, timestep, text, added_cond_kwargs=added).sample
        # gradient checkpointing asks the processors once more, in the backward pass
        self.run = replace(run, maps=[]) if self.unet.is_gradient_checkpointing else _Pass()
        return noise, run.maps


# ------------------------------------------------------------------------------------------------------ guidance masks


def selfs_of(source: str) -> str:
    """Which self maps a source needs: the `selfs` argument of RealCustomUNet.forward."""
    return {"low_cross_high_self": "high", "low_cross_all_self": "all"}.get(source, "")


def guidance_scores(maps: Sequence[Map], grid: tuple[int, int], source: str = "low_cross_high_self", rounds: int = 1) -> tuple[Tensor, Tensor]:
    """Scores before Top-K (Eq. 12; sources of Table V). Returns (M_cross, scores), both [B, R, gh, gw].

    rounds: how often self maps are applied, of the blocks that RealCustomUNet.refine_masks names; the paper's once. More often is a walk along
    what belongs together, and leads from one thing to another beside it: of several words the walks say what is a thing, Eq. 12 whose it is.
    A word that is not there has no cross-attention."""
    cross = [m for m in maps if m.kind == "cross"]
    low = [m for m in cross if not m.high]
    if source != "all_cross" and low:
        cross = low
    m_cross = torch.stack([resize(m.value, grid) for m in cross]).mean(0)
    if source in ("all_cross", "low_cross"):
        return m_cross, m_cross
    all_levels = source == "low_cross_all_self"
    total, layers = 0.0, 0
    for m in maps:
        if m.kind != "self" or not (m.high or all_levels):
            continue
        total, layers = total + lift(m.value, m.size, grid), layers + 1
    flat = m_cross.flatten(2)
    scores = torch.einsum("bpq,brq->brp", total / layers, flat)
    if rounds > 1:
        walks = [m.value for m in maps if m.kind == "self" and m.high and m.walks]
        walk, walked = sum(walks) / len(walks), flat
        for _ in range(rounds):
            walked = torch.einsum("bpq,brq->brp", walk, walked)
        alone = (flat.amax(2) > 0).sum(1) == 1
        scores = torch.where(alone[:, None, None], walked, shared(walked, scores))
    return m_cross, scores.unflatten(-1, grid)


def shared(walked: Tensor, refined: Tensor) -> Tensor:
    """Scores of several words [B, R, N]: all walks, each over its highest, handed out by the squared shares of Eq. 12, each over its sum."""
    place = (refined / refined.sum(2, keepdim=True).clamp_min(1e-30)).square()
    thing = (walked / walked.amax(2, keepdim=True).clamp_min(1e-30)).sum(1, keepdim=True)
    return thing * place / place.sum(1, keepdim=True).clamp_min(1e-30)


def lift(a: Tensor, size: tuple[int, int], grid: tuple[int, int]) -> Tensor:
    """R A R^T: a self map [B, n, n] of a lower level on the grid, [B, N, N]; R is the bilinear resize of positions."""
    if size == grid:
        return a
    n = size[0] * size[1]
    r = resize(torch.eye(n, dtype=a.dtype, device=a.device).reshape(1, n, *size), grid).reshape(n, -1).T  # [N, n]
    return r @ a @ r.T


def topk_mask(scores: Tensor, gamma: float) -> Tensor:
    """Eq. 13: the floor(gamma N) largest scores, divided by their maximum, zero elsewhere. scores [..., gh, gw]."""
    flat = scores.flatten(-2)
    k = int(flat.shape[-1] * gamma)
    keep = flat.sort(dim=-1, descending=True, stable=True).indices[..., :k]
    mask = torch.zeros_like(flat).scatter(-1, keep, flat.gather(-1, keep))
    return (mask / mask.amax(-1, keepdim=True).clamp_min(torch.finfo(mask.dtype).tiny)).view_as(scores)


def topk_masks(scores: Tensor, gammas: Sequence[float]) -> Tensor:
    """Multi-Subject Top-K (Algorithm 1), word for word. scores [R, gh, gw] -> masks of the same shape, disjoint.

    The subjects take turns: each takes its best position that nobody has taken. Ties go to the lower index. If the
    scopes add up to more than the grid, it ends when everything is taken (the printed algorithm would not).
    """
    subjects, rest = len(gammas), scores.detach().flatten(1).clone()
    wanted = [int(rest.shape[1] * g) for g in gammas]
    count, mask, taken = [0] * subjects, torch.zeros_like(rest), 0
    while taken < rest.shape[1] and any(c < w for c, w in zip(count, wanted)):
        for j in range(subjects):
            if count[j] == wanted[j] or taken == rest.shape[1]:
                continue
            p = int(rest[j].argmax())
            mask[j, p] = rest[j, p]
            rest[:, p] = -math.inf
            count[j], taken = count[j] + 1, taken + 1
    peak = mask.amax(1, keepdim=True)
    return torch.where(peak > 0, mask / peak, mask).view_as(scores)


# ------------------------------------------------------------------------------------------------------------ encoders


def views(squares: Tensor) -> Tensor:
    """The five views of reference squares [B, 3, 2V, 2V] in 0..1: [B, 5, 3, V, V], the global one first.

    The local views are stride-2 subsamplings in the order (0,0) (0,1) (1,0) (1,1). All are cut to 8 bits, downwards.
    """
    side = squares.shape[-1] // 2
    whole = F.interpolate(squares, size=(side, side), mode="bilinear", align_corners=True)
    local = [squares[..., i::2, j::2] for i in (0, 1) for j in (0, 1)]
    return torch.stack([whole, *local], 1).mul(255).floor().div(255)


class Encoder(nn.Module):
    """One timm ViT that gives the raw outputs of chosen blocks. `config` is vision/<name>/config.json."""

    def __init__(self, config: dict, view_size: int):
        super().__init__()
        self.config, self.stored_grid = config, config["img_size"] // config["patch_size"]
        self.vit = VisionTransformer(
            img_size=view_size,
            patch_size=config["patch_size"],
            embed_dim=config["embed_dim"],
            depth=config["depth"],
            num_heads=config["num_heads"],
            mlp_ratio=(config["mlp_hidden"] + 0.5) / config["embed_dim"],  # timm truncates the product
            class_token=config["class_token"],
            reg_tokens=config["reg_tokens"],
            no_embed_class=True,
            init_values=1.0 if config["layer_scale"] else None,
            global_pool="",
            num_classes=0,
        )
        for stat in ("mean", "std"):
            self.register_buffer(stat, torch.tensor(config[stat]).view(3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor) -> list[Tensor]:
        """[B, 3, V, V] in 0..1 -> one [B, g*g, D] per entry of config["features"], prefix tokens dropped.

        Weights that are no float32 compute in their own type: autocast would have their norms read and write float32.
        """
        own = self.mean.dtype
        with contextlib.nullcontext() if own == torch.float32 else torch.autocast(pictures.device.type, enabled=False):
            return self.vit.forward_intermediates(
                (pictures.to(own) - self.mean) / self.std,
                indices=self.config["features"],
                norm=False,
                stop_early=True,
                output_fmt="NLC",
                intermediates_only=True,
            )

    def load(self, tensors: dict[str, Tensor]) -> None:
        """Loads timm tensors; a position table of another grid is resampled (antialiased bicubic)."""
        grid = self.vit.patch_embed.grid_size
        if tensors["pos_embed"].shape[1] != grid[0] * grid[1]:
            tensors = tensors | {"pos_embed": resample_abs_pos_embed(tensors["pos_embed"], grid, num_prefix_tokens=0)}
        self.vit.load_state_dict(tensors)


class Encoders(nn.Module):
    """Both encoders; features are concatenated on channels in the order of config["encoders"]."""

    def __init__(self, config: dict, encoders: dict[str, dict]):
        super().__init__()
        self.config = config
        self.each = nn.ModuleDict({n: Encoder(encoders[n], config["view_size"]) for n in config["encoders"]})

    @property
    def width(self) -> int:
        return sum(e.config["embed_dim"] for e in self.each.values())

    def forward(self, five: Tensor, want_local: bool = True) -> tuple[list[Tensor], Tensor, Tensor | None]:
        """five [B, 5, 3, V, V] -> shallow features (each [B, g*g, W]), deep [B, g*g, W], local [B, 4 g*g, W]."""
        batch = len(five)
        pictures = five if want_local else five[:, :1]
        per_encoder = [e(pictures.flatten(0, 1)) for e in self.each.values()]
        layers = [torch.cat(layer, -1).unflatten(0, (batch, -1)) for layer in zip(*per_encoder, strict=True)]
        *shallow, deep = [layer[:, 0] for layer in layers]
        # position slowest, view fastest
        local = layers[-1][:, 1:].transpose(1, 2).flatten(1, 2) if want_local else None
        return shallow, deep, local


class MinAttn(nn.Module):
    """Cross-attention with layer norms on both sides and no output projection. q [B, n, W], kv [B, m, W]."""

    def __init__(self, width: int, head_dim: int):
        super().__init__()
        self.heads = width // head_dim
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.to_q, self.to_k, self.to_v = (nn.Linear(width, width, bias=False) for _ in range(3))

    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        heads = lambda t: t.unflatten(-1, (self.heads, -1)).transpose(1, 2)
        query, key = self.norm1(query), self.norm2(key)
        out = attention(heads(self.to_q(query)), heads(self.to_k(key)), heads(self.to_v(key)))
        return out.transpose(1, 2).flatten(2)


def mlp(width: int, out: int) -> nn.Sequential:
    """Linear, GELU, Linear, GELU, Linear, LayerNorm: keys 0, 2, 4, 5."""
    return nn.Sequential(
        nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, out), nn.GELU(), nn.Linear(out, out), nn.LayerNorm(out)
    )


class Projector(nn.Module):
    """Image features to visual tokens [B, n or 2n, C]. kind: "ccp" (paper Eq. 5-9), "highres" or "shallow" (released)."""

    def __init__(self, kind: str, width: int, out: int, head_dim: int = 64):
        super().__init__()
        self.kind, self.width, self.head_dim = kind, width, head_dim
        self.min_attention, self.projector = MinAttn(width, head_dim), mlp(width, out)
        self.projector_base = mlp(width, out) if kind == "ccp" else nn.Linear(width, out)
        if kind != "highres":
            self.min_attention2, self.projector2 = MinAttn(width, head_dim), mlp(width, out)

    def forward(self, shallow: Sequence[Tensor], deep: Tensor, local: Tensor | None) -> Tensor:
        base = self.projector_base(deep)
        if self.kind != "shallow":  # the released shallow class has the cross-scale weights but does not use them
            high = base + self.projector(self.min_attention(deep, local))
            if self.kind == "highres":
                return high
        layers = self.projector2(self.min_attention2(deep, torch.cat(list(shallow), 1)))
        return torch.cat([base, layers] if self.kind == "shallow" else [layers, high], 1)


# ---------------------------------------------------------------------------------------------------------------- text


@dataclass
class Text:
    """hidden [B, 77, C]; pooled [B, P] without and projected [B, P'] with text_projection (None where absent)."""

    hidden: Tensor
    pooled: Tensor
    projected: Tensor | None


def encode_text(encoders: Sequence[nn.Module], ids: Sequence[Tensor]) -> Text:
    """One encoder: last layer after the final norm (SD 1.5). Two: last but one layers, concatenated (SDXL)."""
    hidden = []
    for model, i in zip(encoders, ids, strict=True):
        out = model(i, output_hidden_states=True)
        hidden.append(out.last_hidden_state if len(encoders) == 1 else out.hidden_states[-2])
    # Old configs say 2 where the end of text is the largest id; both readings give its first place.
    eos = model.config.eos_token_id
    end = ids[-1].argmax(-1) if eos == 2 else (ids[-1] == eos).int().argmax(-1)
    pooled = out.last_hidden_state[torch.arange(len(end), device=end.device), end]
    projection = getattr(model, "text_projection", None)
    return Text(torch.cat(hidden, -1), pooled, projection(pooled) if projection is not None else None)


# ------------------------------------------------------------------------------------------------------------ sampling


class Schedule:
    """Noise schedule, scaled linear betas. alphas [T] are the cumulative products, float32."""

    def __init__(self, train_steps: int = 1000, beta_start: float = 0.00085, beta_end: float = 0.012):
        betas = torch.linspace(beta_start**0.5, beta_end**0.5, train_steps, dtype=torch.float32) ** 2
        self.train_steps, self.alphas = train_steps, torch.cumprod(1 - betas, 0)

    def timesteps(self, steps: int) -> list[int]:
        """Trailing spacing: 999, 959, ..., 39 for 25 steps."""
        return [round(self.train_steps - 1 - i * self.train_steps / steps) for i in range(steps)]

    def signal(self, t: int) -> tuple[float, float]:
        """(alpha_t, sigma_t) with alpha^2 + sigma^2 = 1."""
        a = float(self.alphas[t])
        return math.sqrt(a), math.sqrt(1 - a)

    def add_noise(self, x0: Tensor, noise: Tensor, t: Tensor) -> Tensor:
        a = self.alphas.to(x0.device)[t].view(-1, 1, 1, 1)
        return a.sqrt() * x0 + (1 - a).sqrt() * noise


class DDIM:
    """eta = 0."""

    def __init__(self, schedule: Schedule, steps: int):
        self.schedule, self.timesteps = schedule, schedule.timesteps(steps)

    def step(self, i: int, noise: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the next latent and the prediction of the clean latent x0."""
        alpha, sigma = self.schedule.signal(self.timesteps[i])
        x0 = (z - sigma * noise) / alpha
        last = i + 1 == len(self.timesteps)
        alpha, sigma = (1.0, 0.0) if last else self.schedule.signal(self.timesteps[i + 1])
        return alpha * x0 + sigma * noise, x0


class DPMSolver:
    """DPM-Solver++, single-step, orders 1 1 2 1 2 ..., midpoint: the sampler of the release."""

    def __init__(self, schedule: Schedule, steps: int):
        self.schedule, self.timesteps = schedule, schedule.timesteps(steps)
        self.before: tuple[int, Tensor, Tensor] | None = None

    def step(self, i: int, noise: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the next latent and the prediction of the clean latent x0."""
        signal = self.schedule.signal
        lam = lambda t: math.log(signal(t)[0]) - math.log(signal(t)[1])
        t, alpha_sigma = self.timesteps[i], signal(self.timesteps[i])
        x0 = (z - alpha_sigma[1] * noise) / alpha_sigma[0]
        following = self.timesteps[i + 1] if i + 1 < len(self.timesteps) else 0
        alpha, sigma = signal(following)
        if i % 2 == 0 and i > 0 and self.before is not None:
            start, z, x_start = self.before
            h = lam(following) - lam(start)
            direction = x_start + 0.5 * (x0 - x_start) / ((lam(t) - lam(start)) / h)
        else:
            start, direction = t, x0
            h = lam(following) - lam(t)
            self.before = (t, z, x0)
        return sigma / signal(start)[1] * z - alpha * math.expm1(-h) * direction, x0


@dataclass
class Subject:
    """One word bound to a picture: tokens [77] marks its text tokens, vision [1, n, C] its visual tokens."""

    tokens: Tensor
    vision: Tensor
    gamma: float = 0.2


@dataclass
class Preset:
    """How a picture is sampled. black: the uncond pass sees the tokens of a black picture under the same masks."""

    solver: type = DDIM
    steps: int = 25
    scale: float = 7.5
    stop: int = 12
    source: str = "low_cross_high_self"
    black: bool = False


PAPER = Preset()
RELEASE = Preset(solver=DPMSolver, scale=3.5, source="all_cross", black=True)


@torch.no_grad()
def generate(
    unet: RealCustomUNet,
    latent: Tensor,
    positive: Text,
    negative: Text,
    subjects: Sequence[Subject] = (),
    preset: Preset = PAPER,
    black: Tensor | None = None,
    time_ids: Tensor | None = None,
    schedule: Schedule | None = None,
    trace: list[dict] | None = None,
    begin: int = 0,
) -> Tensor:
    """Samples one picture from latent [1, c, h, w]; returns x0 of the last step, which is what gets decoded.

    black: visual tokens [1, n, C] of the black picture (needed when preset.black). time_ids [1, 6] marks a text_time
    U-Net. begin: the first step that runs, where latent is that of a picture noised to its level. trace receives per step: t, scores, masks (both [R, gh, gw] or None), noise, latent (the next), x0.
    """
    solver = preset.solver(schedule or Schedule(), preset.steps)
    z, scores, masks = latent, None, None
    added = lambda text: {} if time_ids is None else {"text_embeds": text.pooled, "time_ids": time_ids}
    for i, t in list(enumerate(solver.timesteps))[begin:]:
        time = torch.tensor([t], dtype=z.dtype, device=z.device)
        if subjects and i < max(preset.stop, begin + 1):
            tokens = torch.stack([s.tokens for s in subjects])[None]
            _, maps = unet(z, time, positive.hidden, tokens=tokens, selfs=selfs_of(preset.source), **added(positive))
            scores = guidance_scores(maps, unet.grid(z), preset.source, unet.mask_rounds)[1][0]
            masks = topk_masks(scores, [s.gamma for s in subjects])
        on = [m[None, None] for m in masks] if subjects else []
        vision = [s.vision for s in subjects]
        kept, _ = unet(z, time, positive.hidden, vision, on, **added(positive))
        blind = ([black] * len(subjects), on) if preset.black else ((), ())
        free, _ = unet(z, time, negative.hidden, *blind, **added(negative))
        noise = free + preset.scale * (kept - free)
        z, x0 = solver.step(i, noise, z)
        if trace is not None:
            trace.append({"t": t, "scores": scores, "masks": masks, "noise": noise, "latent": z, "x0": x0})
    return x0


# ------------------------------------------------------------------------------------------------------------- on disk


def _write(folder: Path, config: dict, tensors: dict[str, Tensor], name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    save_file({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, folder / name, {"format": "pt"})


def _config(module: nn.Module) -> dict:
    """A diffusers or transformers config as plain JSON values, without private entries."""
    full = module.config.to_dict() if hasattr(module.config, "to_dict") else dict(module.config)
    return {k: v for k, v in full.items() if not k.startswith("_") or k == "_class_name"}


class RealCustom(nn.Module):
    """Every network of one model, and the folder it lives in (layout: assets/golden/README.md)."""

    def __init__(
        self,
        unet: RealCustomUNet,
        text_encoders: Sequence[nn.Module],
        vae: AutoencoderKL,
        encoders: Encoders,
        about: dict | None = None,
    ):
        super().__init__()
        self.unet, self.vae, self.encoders = unet, vae, encoders
        self.text_encoders = nn.ModuleList(text_encoders)
        self.about, self.noise = about or {}, {}  # noise: what scheduler_config.json says otherwise than Stable Diffusion's
        self.projected = False  # whether SDXL's U-Net takes the projected text vector

    @staticmethod
    def build(
        unet: dict, text: Sequence[dict], vae: dict, vision: dict, encoders: dict[str, dict], about: dict | None = None
    ) -> RealCustom:
        """Fresh networks from the config dicts of the folder. A text config with "projected": true gets a projection."""
        eyes = Encoders(vision, encoders)
        projector = Projector(vision["projector"], eyes.width, unet["cross_attention_dim"], vision["head_dim"])
        kinds = [CLIPTextModelWithProjection if _projected(t) else CLIPTextModel for t in text]
        texts = [kind(CLIPTextConfig(**{k: v for k, v in t.items() if k != "projected"})) for kind, t in zip(kinds, text)]
        net = RealCustomUNet(UNet2DConditionModel.from_config(unet), projector)
        return RealCustom(net, texts, AutoencoderKL.from_config(vae), eyes, about).eval()

    def text(self, *ids: Tensor) -> Text:
        """ids [B, 77], one per text encoder."""
        return encode_text(self.text_encoders, ids)

    def visual_tokens(self, squares: Tensor) -> Tensor:
        """Reference squares [B, 3, reference_size, reference_size] in 0..1 -> visual tokens [B, n, C]."""
        projector = self.unet.projector
        return projector(*self.encoders(views(squares), want_local=projector.kind != "shallow"))

    def latents(self, pictures: Tensor) -> Tensor:
        """Pictures [B, 3, H, W] in -1..1 -> scaled latents (posterior mean)."""
        return self.vae.encode(pictures).latent_dist.mode() * self.vae.config.scaling_factor

    def decode(self, latent: Tensor) -> Tensor:
        """Scaled latents -> pictures [B, 3, H, W] in -1..1, not clipped."""
        return self.vae.decode(latent / self.vae.config.scaling_factor).sample

    def marks(self) -> dict[str, Tensor]:
        """What lies among the U-Net's tensors for its name alone."""
        return {POOLED_PROJECTED: torch.zeros(0)} if self.projected else {}

    def save(self, folder: str | Path) -> None:
        """Writes the folder. The tokenizer and realword.json's other entries are the caller's: self.about is written."""
        folder = Path(folder)
        weights = "diffusion_pytorch_model.safetensors"
        _write(folder / "unet", _config(self.unet.unet), self.unet.unet.state_dict() | self.marks(), weights)
        _write(folder / "vae", _config(self.vae), self.vae.state_dict(), weights)
        for i, model in enumerate(self.text_encoders):
            tensors = {k if k.startswith("text_") else "text_model." + k: v for k, v in model.state_dict().items()}
            config = _config(model) | {"architectures": [type(model).__name__]}
            _write(folder / ("text_encoder" if i == 0 else f"text_encoder_{i + 1}"), config, tensors, "model.safetensors")
        for name, e in self.encoders.each.items():
            # What is written is the table in use, so the size it belongs to is the view size.
            config = e.config | {"img_size": self.encoders.config["view_size"]}
            _write(folder / "vision" / name, config, e.vit.state_dict(), "model.safetensors")
        (folder / "vision" / "config.json").write_text(json.dumps(self.encoders.config, indent=1) + "\n")
        schedule = dict(
            _class_name="DDIMScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
            num_train_timesteps=1000, prediction_type="epsilon", timestep_spacing="trailing", steps_offset=0,
            clip_sample=False, set_alpha_to_one=True,
        ) | self.noise  # fmt: skip
        (folder / "scheduler").mkdir(exist_ok=True)
        (folder / "scheduler" / "scheduler_config.json").write_text(json.dumps(schedule, indent=1) + "\n")
        (folder / "realword.json").write_text(json.dumps(self.about, indent=1) + "\n")

    @staticmethod
    def load(folder: str | Path) -> RealCustom:
        """Reads what save wrote, strictly: missing, extra and misshapen tensors are errors."""
        folder = Path(folder)
        read = lambda *parts: json.loads(folder.joinpath(*parts).read_text())
        vision = read("vision", "config.json")
        texts = [d for d in ("text_encoder", "text_encoder_2") if (folder / d).exists()]
        about = read("realword.json") if (folder / "realword.json").exists() else {}
        model = RealCustom.build(
            read("unet", "config.json"),
            [read(d, "config.json") for d in texts],
            read("vae", "config.json"),
            vision,
            {n: read("vision", n, "config.json") for n in vision["encoders"]},
            about,
        )
        weights = "diffusion_pytorch_model.safetensors"
        unet = load_file(folder / "unet" / weights)
        model.projected = unet.pop(POOLED_PROJECTED, None) is not None
        model.unet.unet.load_state_dict(unet)
        model.vae.load_state_dict(load_file(folder / "vae" / weights))
        for d, m in zip(texts, model.text_encoders):
            tensors = load_file(folder / d / "model.safetensors")
            plain = not any(k.startswith("text_model.") for k in m.state_dict())
            m.load_state_dict({k.removeprefix("text_model.") if plain else k: v for k, v in tensors.items()})
        for name, e in model.encoders.each.items():
            e.load(load_file(folder / "vision" / name / "model.safetensors"))
        return model


def _projected(config: dict) -> bool:
    return bool(config.get("projected")) or "WithProjection" in str(config.get("architectures"))

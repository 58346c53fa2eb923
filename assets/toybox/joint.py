"""The joint stage of toybox.py: everything that makes a picture from words and references, trained at once.

Velocity prediction. What the loss is made of:
  velocity        mean squared error, subjects count more; noise levels weigh as (min(snr, 5) + 0.5) / (1 + snr)
  attention       the share of a word's cross-attention that falls inside its subject's true mask, -log
  correspondence  where in the reference a place of the subject is to be found, as target of the visual attention
  features        what the image encoders see in the finished picture, as target of the U-Net's middle (REPA, arXiv 2410.06940)
The last three use what the composer knows; at inference all of it comes from attention alone.
"""
import math
import torch
import torch.nn.functional as F
from torch import nn
from networks import Schedule, views
from store import CELLS, GRID

T_MIN, T_MAX = 20, 1000  # the last of 25 steps is at 39


def attention_loss(maps, masks):
    """-log of the share of each subject's word attention that falls on the subject, mean over samples, subjects and layers.

    masks [B, 2, GRID, GRID] in 0..1. Subjects that are not there have no attention and count nothing.
    """
    total = 0.0
    for m in maps:
        p, at = m.value.float(), F.adaptive_avg_pool2d(masks, m.size)
        whole = p.sum((2, 3))
        share = (p * at).sum((2, 3)) / whole.clamp_min(1e-8)
        there = (whole > 0) & (at.sum((2, 3)) > 0)
        total = total - (share.clamp_min(1e-4).log() * there).sum() / len(p)
    return total / max(1, len(maps))


def correspondence_loss(maps, at, inside):
    """Cross-entropy of the visual attention with where in the reference a place of the subject is to be found.

    at [B, GRID, GRID, 2]: (x, y) of each place in cells of the reference; inside [B, GRID, GRID]: is it a place of the subject that the
    reference shows? The target is spread over the four nearest tokens. Mean over places and layers.
    """
    total, inside = 0.0, inside.float()
    for m in maps:
        p = m.value.float()
        p = p[..., :CELLS * CELLS] + p[..., CELLS * CELLS:]
        side = round(math.sqrt(p.shape[1]))
        k = GRID // side
        weight = F.avg_pool2d(inside[:, None], k).flatten(1)
        xy = F.avg_pool2d(at.permute(0, 3, 1, 2), k).flatten(2)  # [B, 2, N]; maps are affine, so means are right
        axis = torch.arange(CELLS, device=p.device) + .5
        near = (1 - (xy[..., None].clamp(.5, CELLS - .5) - axis).abs()).clamp_min(0)  # [B, 2, N, CELLS]
        target = (near[:, 1, :, :, None] * near[:, 0, :, None, :]).flatten(2)
        error = -(target * p.clamp_min(1e-6).log()).sum(-1)
        total = total + (error * weight).sum() / weight.sum().clamp_min(1)
    return total / max(1, len(maps))


class Joint(nn.Module):
    """The networks and the head that is thrown away. unet and text encoders are model's."""

    def __init__(self, model):
        super().__init__()
        self.model = model
        width, seen = model.unet.unet.config.block_out_channels[-1], model.encoders.width
        self.head = nn.Sequential(nn.Linear(width, 2 * seen), nn.SiLU(), nn.Linear(2 * seen, seen))
        noise = Schedule(beta_end=model.noise.get("beta_end", .012))
        self.register_buffer("alphas", noise.alphas, persistent=False)
        self.middle = []
        model.unet.unet.mid_block.register_forward_hook(lambda module, given, out: self.middle.append(out))

    def named(self, frozen, eyes=False):
        """What learns: pairs of name and parameter, under the model's names. eyes: the image encoders, too."""
        out = [(n, p) for n, p in self.model.named_parameters() if not n.startswith(("vae", "encoders")) and (not frozen or "_vision" in n)]
        if eyes:
            out += [(n, p) for n, p in self.model.named_parameters() if n.startswith("encoders")]
        return out + ([] if frozen else [("head." + n, p) for n, p in self.head.named_parameters()])

    def forward(self, b, target, precision, frozen=False):
        """b: what store.draw() gave; target [B, 3, 128, 128] the pictures in 0..1, or None without the features loss. Returns figures, as tensors."""
        model, t = self.model, (T_MIN + b["t"] * (T_MAX - T_MIN)).long().clamp(max=999)
        alphas = self.alphas[t].view(-1, 1, 1, 1)
        z, noise, snr = b["z"], b["noise"], alphas / (1 - alphas)
        noised = (alphas.sqrt() * z + (1 - alphas).sqrt() * noise).contiguous(memory_format=torch.channels_last)
        velocity = alphas.sqrt() * noise - (1 - alphas).sqrt() * z
        self.middle.clear()
        with precision.autocast():
            text = model.text(b["ids"]).hidden
            vision = [model.visual_tokens(s) for s in b["squares"]]
            predicted, maps = model.unet(noised, t, text, vision, [m[:, None] for m in b["on"]], b["marks"], taps_vision=True)
            middle = self.middle.pop() if self.middle else None
        inside = F.interpolate(b["masks"].sum(1, keepdim=True).clamp(max=1), size=z.shape[-2:], mode="bilinear", align_corners=False)
        error = (predicted.float() - velocity) ** 2 * (.6 + inside) * (snr.clamp(max=5) + .5) / (1 + snr)
        out = dict(velocity=error.mean())
        out["attention"] = attention_loss([m for m in maps if m.kind == "cross"], b["masks"])
        found = [correspondence_loss([m for m in maps if m.kind == f"vision {s}"], b["at"][s], b["inside"][s]) for s in range(len(vision))]
        out["correspondence"] = found[0] + .2 * sum(found[1:])
        if target is not None and middle is not None and not frozen:
            with torch.no_grad(), precision.autocast():
                whole = views(target)[:, 0]
                seen = torch.cat([e(whole)[-1] for e in model.encoders.each.values()], -1).float()
                seen = F.layer_norm(seen, seen.shape[-1:])
            guess = self.head(middle.float().flatten(2).mT)
            out["features"] = (1 - F.cosine_similarity(guess, seen, dim=-1)).mean()
        return out


WEIGHTS = dict(velocity=1.0, attention=.05, correspondence=.02, features=.2)

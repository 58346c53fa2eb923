"""The joint stage of toybox.py: everything that makes a picture from words and references, trained at once.

Velocity prediction. What the loss is made of:
  velocity        mean squared error, subjects count more; noise levels weigh as (min(snr, 5) + 0.5) / (1 + snr)
  attention       the share of a word's cross-attention that falls inside its subject's true mask, -log
  correspondence  where in the reference a place of the subject is to be found, as target of the visual attention
  features        what the image encoders see in the finished picture, as target of the U-Net's middle (REPA, arXiv 2410.06940)
  shape           the guidance branch's scores, as inference computes them, against the true masks (toybox.py --guide)
These four use what the composer knows; at inference all of it comes from attention alone.
"""
import math, re
from dataclasses import replace
import torch
import torch.nn.functional as F
from torch import nn
from networks import Schedule, guidance_scores, selfs_of, views
from store import CELLS, GRID

T_MIN, T_MAX = 20, 1000  # the last of 25 steps is at 39
GUIDED = .4  # what the guidance branch learns from lies between this share of them and the last: from the start to T_stop and some steps beyond
SOURCE = "low_cross_high_self"  # of the guidance maps, as the embedded model is used


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


SHARP = 4.0  # a score twice as high as the threshold is inside with odds of 16 to 1


def crossed(x, true, weight):
    """Cross-entropy of sigmoid(x - b) with true, at the b at which it is least: there the map has the true area, as far as weight counts.

    x, true (0..1), weight [B, N] -> [B]. b needs no gradient of its own, because the loss does not change with it.
    """
    with torch.no_grad():
        wanted = (weight * true).sum(1)
        low, high = x.amin(1) - 12, x.amax(1) + 12
        for _ in range(20):
            b = (low + high) / 2
            more = (weight * (x - b[:, None]).sigmoid()).sum(1) > wanted
            low, high = torch.where(more, b, low), torch.where(more, high, b)
    error = F.binary_cross_entropy_with_logits(x - b[:, None], true, reduction="none")
    return (error * weight).sum(1) / weight.sum(1).clamp_min(1e-6)


def shape_loss(scores, masks):
    """How far the guidance branch's scores [B, 2, GRID, GRID] are from the true masks [B, 2, GRID, GRID] in 0..1: of each subject alone, inside
    against outside, and of two subjects where they are, whose place it is. Only the order of a subject's scores and their proportions
    count, as in Top-K. Returns (loss, IoU of Top-K at the true area), means over subjects; one that is not there counts nothing."""
    x, true = SHARP * scores.float().clamp_min(1e-8).log().flatten(2), masks.flatten(2)
    there = ((scores.flatten(2).amax(2) > 0) & (true.sum(2) > 0)).float()
    alone = crossed(x.flatten(0, 1), true.flatten(0, 1), torch.ones_like(true).flatten(0, 1)).view_as(there)
    total = true.sum(1)
    whose = crossed(x[:, 0] - x[:, 1], true[:, 0] / total.clamp_min(1e-6), total) * there.prod(1)
    with torch.no_grad():
        inside = true > .5
        rank = x.argsort(2, descending=True).argsort(2)
        top = rank < inside.sum(2, keepdim=True)
        iou = (top & inside).sum(2) / (top | inside).sum(2).clamp_min(1)
    count = there.sum().clamp_min(1)
    return ((alone * there).sum() + whose.sum()) / count, (iou * there).sum() / count


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

    def named(self, frozen, eyes=False, looks=False):
        """What learns: pairs of name and parameter, under the model's names. eyes: the image encoders, too. looks: nothing but where the U-Net looks,
        the queries and keys of its attention and the norms before them."""
        if looks:
            return [(n, p) for n, p in self.model.named_parameters() if re.search(r"^unet.*\.transformer_blocks\..*(norm[12]|attn[12]\.to_[qk])\.", n)]
        out = [(n, p) for n, p in self.model.named_parameters() if not n.startswith(("vae", "encoders")) and (not frozen or "_vision" in n)]
        if eyes:
            out += [(n, p) for n, p in self.model.named_parameters() if n.startswith("encoders")]
        return out + ([] if frozen else [("head." + n, p) for n, p in self.head.named_parameters()])

    def noised(self, b):
        """(step [B], latents with its noise, error(predicted) -> mean weighted error of the velocity) of a batch."""
        t = (T_MIN + b["t"] * (T_MAX - T_MIN)).long().clamp(max=999)
        alphas = self.alphas[t].view(-1, 1, 1, 1)
        z, noise, snr = b["z"], b["noise"], alphas / (1 - alphas)
        inside = F.interpolate(b["masks"].sum(1, keepdim=True).clamp(max=1), size=z.shape[-2:], mode="bilinear", align_corners=False)
        velocity, weight = alphas.sqrt() * noise - (1 - alphas).sqrt() * z, (.6 + inside) * (snr.clamp(max=5) + .5) / (1 + snr)
        return t, (alphas.sqrt() * z + (1 - alphas).sqrt() * noise).contiguous(memory_format=torch.channels_last), lambda p: ((p.float() - velocity) ** 2 * weight).mean()

    def guide(self, b, precision):
        """The pass of the guidance branch: text alone. b: what store.guided() gave. Returns figures, as tensors; `overlap` is none to learn from."""
        t, noised, error = self.noised(b)
        self.middle.clear()
        with precision.autocast():
            predicted, maps = self.model.unet(noised, t, self.model.text(b["ids"]).hidden, tokens=b["marks"], selfs=selfs_of(SOURCE))
        scores = guidance_scores([replace(m, value=m.value.float()) for m in maps], (GRID, GRID), SOURCE, self.model.unet.mask_rounds)[1]
        shape, overlap = shape_loss(scores, b["masks"])
        return dict(alone=error(predicted), shape=shape, overlap=overlap)

    def forward(self, b, target, precision, frozen=False):
        """b: what store.draw() gave; target [B, 3, 128, 128] the pictures in 0..1, or None without the features loss. Returns figures, as tensors."""
        model, (t, noised, error) = self.model, self.noised(b)
        self.middle.clear()
        with precision.autocast():
            text = model.text(b["ids"]).hidden
            vision = [model.visual_tokens(s) for s in b["squares"]]
            predicted, maps = model.unet(noised, t, text, vision, [m[:, None] for m in b["on"]], b["marks"], taps_vision=True)
            middle = self.middle.pop() if self.middle else None
        out = dict(velocity=error(predicted))
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


WEIGHTS = dict(velocity=1.0, attention=.05, correspondence=.02, features=.2, alone=.5, shape=.2, overlap=0.0)

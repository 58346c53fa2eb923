"""What the two image encoders of the toybox learn, which no release has at this size. Afterwards they stay as they are.

Both see the reference square at 64x64, as the projector will ask them. What they learn from:
  siglip   which word and which place (what SigLIP learns from captions), and
  dino     which individual: its twin picture is nearer than all others (what DINOv2 learns from views);
  both     every token: its own pixels, the share of the subject in it, and where on the subject it is (0..1 of the drawing).
The last one is what makes the features of toys dense enough: released encoders have it from a thousand times more pictures.
"""
import torch
import torch.nn.functional as F
from torch import nn
from model import ENCODERS, VISION
from networks import Encoders
from store import CELLS, SIDE, cut, resampled
from words import PLACES, SUBJECTS

PATCH = 8


class Heads(nn.Module):
    """What is predicted in training only."""

    def __init__(self, width):
        super().__init__()
        self.dense = nn.Linear(width, 3 * PATCH * PATCH + 3)
        self.word, self.place, self.identity = nn.Linear(width, len(SUBJECTS)), nn.Linear(width, len(PLACES)), nn.Linear(width, 64)


def build():
    """(encoders, their heads), fresh."""
    eyes = Encoders(VISION, ENCODERS)
    return eyes, nn.ModuleDict({n: Heads(e.config["embed_dim"]) for n, e in eyes.each.items()})


def around(masks, g):
    """Squares around the subjects of masks [B, m, m] uint8, up to 1.4 times as large as they are: corners [B, 2] (x, y) in pixels, scales [B]."""
    m, d = masks.shape[-1], masks.device
    low, size, shown = [], [], masks.amax((1, 2)) > 40
    for axis in (1, 2):  # columns, then rows
        hit = (masks.amax(axis) > 40).to(torch.uint8)
        first, last = hit.argmax(1), m - 1 - hit.flip(1).argmax(1)
        low.append((first + last + 1) * (SIDE / m) / 2), size.append((last - first + 2) * (SIDE / m))
    side = torch.maximum(*size).float() * (1 + .4 * torch.rand(len(masks), generator=g, device=d))
    side = torch.where(shown, side, torch.full_like(side, SIDE)).clamp(SIDE / 4, SIDE)
    return torch.minimum((torch.stack(low, 1) - side[:, None] / 2).clamp_min(0), SIDE - side[:, None]), side / SIDE


def twins(store, count, r_max, g):
    """`count` scenes, each as what is around its first subject and as that subject's reference, cut to up to 1/r_max (store.cut).

    Returns views [2 count, 3, 64, 64] in 0..1, the scenes before the references; at [2 count, 64, 2], where on the drawing each token is;
    share [2 count, 64] of the subject in it; words [2 count] and places [count], as indices.
    """
    d = store.device
    i = torch.randint(len(store), (count,), generator=g, device=d)
    who = store.first[i]
    maps, own = store.maps[who].float(), store.masks[i, 0]
    corner, scale = around(own, g)
    seen, corner_2, scale_2 = cut(store.references[who], store.reference_masks[who], r_max, g)
    squares = torch.cat([resampled(store.pictures[i], corner, scale), seen])
    corner, scale = torch.cat([corner, corner_2]), torch.cat([scale, scale_2])
    centre = (torch.arange(CELLS, device=d) + .5) * SIDE / CELLS
    y, x = torch.meshgrid(centre, centre, indexing="ij")
    pixel = corner[:, None] + scale[:, None, None] * torch.stack([x, y], -1).view(1, -1, 2)
    maps = maps.transpose(0, 1).flatten(0, 1)  # of the scenes, then of the references
    at = pixel @ maps[:, :, :2].mT + maps[:, None, :, 2]
    share = []
    for p, m in zip(pixel.split(count), (own, store.reference_masks[who])):
        cell = (p * m.shape[-1] / SIDE).long().clamp(0, m.shape[-1] - 1)
        share.append(m.flatten(1).gather(1, cell[..., 1] * m.shape[-1] + cell[..., 0]).float() / 255)
    whole = F.interpolate(squares, size=(SIDE // 2, SIDE // 2), mode="bilinear", align_corners=True)
    views = torch.where(torch.rand(2 * count, 1, 1, 1, generator=g, device=d) < .5, whole, squares[..., ::2, ::2])  # the two ways that views() has
    return views, at, torch.cat(share), store.word[i].repeat(2), store.place[i]


def loss_of(name, tokens, heads, batch):
    """(loss, dict of figures) of one encoder's tokens [2B, 64, W]."""
    views, at, share, word, place = batch
    tokens, count = tokens.float(), len(place)
    dense = heads.dense(tokens)
    pixels = F.l1_loss(dense[..., 3:], F.pixel_unshuffle(views, PATCH).flatten(2).mT)
    subject = F.binary_cross_entropy_with_logits(dense[..., 2], share)
    inside = (share > .5).float()
    where = ((dense[..., :2] - at).abs().sum(-1) * inside).sum() / inside.sum().clamp_min(1)
    pooled = (tokens * (.05 + share[..., None])).sum(1) / (.05 + share).sum(1, keepdim=True)
    if name == "siglip":
        said = heads.word(pooled)
        what = F.cross_entropy(said, word) + F.cross_entropy(heads.place(tokens[:count].mean(1)), place)
        right = (said.argmax(1) == word).float().mean()
    else:
        e = F.normalize(heads.identity(pooled), dim=1)
        similar, target = e[:count] @ e[count:].mT / .07, torch.arange(count, device=e.device)
        what = (F.cross_entropy(similar, target) + F.cross_entropy(similar.mT, target)) / 2
        right = (similar.argmax(1) == target).float().mean()
    figures = dict(pixels=pixels, subject=subject, where=where, what=what, right=right)
    return 4 * pixels + subject + 2 * where + .5 * what, {f"{name}_{k}": v for k, v in figures.items()}

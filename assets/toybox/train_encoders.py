"""Trains the two image encoders of the toybox, which no release has at this size. Afterwards they stay as they are.

    python train_encoders.py --work DIR --minutes 7 --compile         resumable; writes DIR/encoders.pt

Both see the reference square at 64x64, as the projector will ask them. What they learn from:
  siglip   which word and which place (what SigLIP learns from captions), and
  dino     which individual: a twin picture is nearer than all others (what DINOv2 learns from views);
  both     every token: its own pixels, the share of the subject in it, and where on the subject it is (0..1 of the drawing).
The last one is what makes the features of toys dense enough: released encoders have it from a thousand times more pictures.
"""
import argparse, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from data import Scenes
from fast import Team, explicit_attention
from model import ENCODERS, VISION
from networks import Encoders
from optim import Muon
from words import PLACES, SUBJECTS

WORDS, WHERE = list(SUBJECTS), list(PLACES)


def square(picture, mask, to_sprite, rng, r_max, keep=.25):
    """A random square of 1/r of the side, r uniform in 1..r_max, that keeps enough of the subject (paper Eq. 11).

    picture [n, n, 3] uint8, mask [g, g], to_sprite [2, 3] from pixels to the drawing. Returns [3, n, n] in 0..1 and the origin
    (x, y) and scale with which: pixel of the picture = origin + scale * pixel of the square.
    """
    n, k = picture.shape[0], picture.shape[0] // mask.shape[0]
    for _ in range(8):
        side = int(n / rng.uniform(1, r_max))
        y, x = (int(v) for v in rng.integers(0, n - side + 1, 2))
        if mask[y // k:(y + side) // k, x // k:(x + side) // k].sum() >= keep * mask.sum():
            break
    else:
        side, y, x = n, 0, 0
    part = torch.from_numpy(np.array(picture[y:y + side, x:x + side])).permute(2, 0, 1)[None].float() / 255
    if side != n:
        part = F.interpolate(part, size=(n, n), mode="bilinear", align_corners=False)
    return part[0], (x, y, side / n)


class Heads(nn.Module):
    """What is predicted in training only."""

    def __init__(self, width, patch):
        super().__init__()
        self.dense = nn.Linear(width, 3 * patch * patch + 3)
        self.word, self.place, self.identity = nn.Linear(width, len(WORDS)), nn.Linear(width, len(WHERE)), nn.Linear(width, 64)


def batch_of(scenes, chosen, rng, r_max, tokens=8):
    """Pairs of twins: views [2B, 3, 64, 64], coordinates [2B, 64, 2], share [2B, 64], word [2B], place [2B] (-1: not known)."""
    out = []
    for i in chosen:
        m, maps = scenes.meta[i], scenes.maps(i)
        for which in (0, 1):
            picture, mask = (scenes.picture(i), scenes.masks(i)[0]) if which == 0 else scenes.reference(i)
            if which == 0:  # only what is around the subject, or a pair would show two
                ys, xs = np.nonzero(mask > 40)
                n, k = picture.shape[0], picture.shape[0] // mask.shape[0]
                c = np.array([xs.min() + xs.max() + 1, ys.min() + ys.max() + 1]) * k / 2 if len(ys) else np.array([n / 2, n / 2])
                size = max(np.ptp(xs), np.ptp(ys)) * k + 2 * k if len(ys) else n
                side = int(np.clip(size * rng.uniform(1, 1.4), 32, n))
                x, y = (int(v) for v in np.clip(c - side / 2, 0, n - side))
                part = torch.from_numpy(np.array(picture[y:y + side, x:x + side])).permute(2, 0, 1)[None].float() / 255
                part, (x, y, scale) = F.interpolate(part, size=(n, n), mode="bilinear", antialias=True)[0], (x, y, side / n)
            else:
                n = picture.shape[0]
                part, (x, y, scale) = square(picture, mask, maps[1], rng, r_max)
            centre = (np.arange(tokens) + .5) * n / tokens * scale
            px, py = np.meshgrid(x + centre, y + centre)
            at = np.stack([px, py, np.ones_like(px)], -1) @ maps[which].T
            cell = np.clip((np.stack([py, px], -1) * mask.shape[0] / n).astype(int), 0, mask.shape[0] - 1)
            share = mask[cell[..., 0], cell[..., 1]].astype(np.float32) / 255
            out.append((part, at.reshape(-1, 2), share.reshape(-1), WORDS.index(m["words"][0]), WHERE.index(m["place"]) if which == 0 else -1))
    parts, at, share, word, place = zip(*out)
    views = torch.stack(parts)
    views = F.interpolate(views, size=(64, 64), mode="bilinear", align_corners=True) if rng.random() < .5 else views[..., ::2, ::2]
    return views, torch.from_numpy(np.stack(at)).float(), torch.from_numpy(np.stack(share)), torch.tensor(word), torch.tensor(place)


def loss_of(features, heads, batch, name):
    views, at, share, word, place = batch
    tokens = features.float()
    dense = heads.dense(tokens)
    patches = F.pixel_unshuffle(views, 8).flatten(2).transpose(1, 2)
    pixels = F.l1_loss(dense[..., 3:], patches)
    subject = F.binary_cross_entropy_with_logits(dense[..., 2], share)
    inside = (share > .5).float()
    where = ((dense[..., :2] - at).abs().sum(-1) * inside).sum() / inside.sum().clamp_min(1)
    pooled = (tokens * (.05 + share[..., None])).sum(1) / (.05 + share).sum(1, keepdim=True)
    if name == "siglip":
        what = F.cross_entropy(heads.word(pooled), word) + F.cross_entropy(heads.place(tokens.mean(1)), place, ignore_index=-1)
        hit = (heads.word(pooled).argmax(1) == word).float().mean()
    else:
        e = F.normalize(heads.identity(pooled), dim=1)
        similar = e[0::2] @ e[1::2].T / .07
        target = torch.arange(len(similar))
        what = (F.cross_entropy(similar, target) + F.cross_entropy(similar.T, target)) / 2
        hit = (similar.argmax(1) == target).float().mean()
    return 4 * pixels + subject + 2 * where + .5 * what, (pixels.item(), subject.item(), where.item(), what.item(), hit.item())


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, default=7)
    p.add_argument("--batch", type=int, default=48, help="pairs of twins, per process")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--compile", action="store_true")
    a = p.parse_args()
    team = Team()
    explicit_attention()
    torch.manual_seed(0)
    eyes = Encoders(VISION, ENCODERS)
    heads = nn.ModuleDict({n: Heads(e.config["embed_dim"], e.config["patch_size"]) for n, e in eyes.each.items()})
    if a.compile:
        for e in eyes.each.values():
            e.compile(dynamic=False)
    named = [*eyes.named_parameters(), *(("head." + n, q) for n, q in heads.named_parameters())]
    params = [q for _, q in named]
    for q in params:  # each encoder uses only its own heads
        q.grad = torch.zeros_like(q)
    opt = Muon(named, a.lr)
    scenes, out = Scenes(a.work), a.work / "encoders.pt"
    step, before = 0, 0.0
    if out.exists():
        state = torch.load(out)
        eyes.load_state_dict(state["now"]), heads.load_state_dict(state["heads"]), opt.load_state_dict(state["opt"])
        step, before = state["step"], state["seconds"]
    start = saved = time.time()
    done, log = before / 60 / a.minutes, []

    def save(seconds):
        torch.save(dict(now=eyes.state_dict(), heads=heads.state_dict(), opt=opt.state_dict(), step=step, seconds=seconds), out)

    while done < 1:
        seconds = before + time.time() - start
        for g in opt.param_groups:
            g["lr"] = a.lr * min(1, (step + 1) / 100) * (1 - .98 * done)
        rng = np.random.default_rng([5, step, team.rank])
        batch = batch_of(scenes, rng.integers(0, len(scenes), a.batch), rng, 1 + .8 * done)
        total, figures = 0, []
        with torch.autocast("cpu", torch.bfloat16):
            features = {n: e(batch[0])[-1] for n, e in eyes.each.items()}
        for n, f in features.items():
            loss, figure = loss_of(f, heads[n], batch, n)
            total, figures = total + loss, figures + list(figure)
        opt.zero_grad(set_to_none=False)
        total.backward()
        done, *figures = team.average(params, seconds / 60 / a.minutes, *figures)
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        step += 1
        log.append(figures)
        if step % 50 == 0 and team.rank == 0:
            m = np.mean(log[-50:], 0)
            print(f"{seconds:.0f} s step {step} ({step * a.batch * team.size * 2 / seconds:.0f}/s): " + ", ".join(
                f"{n} pixels {v[0]:.3f} subject {v[1]:.3f} where {v[2]:.3f} what {v[3]:.3f} right {v[4]:.2f}" for n, v in zip(eyes.each, (m[:5], m[5:]))), flush=True)
        if time.time() - saved > 100 and team.rank == 0:
            saved = time.time()
            save(seconds)
    if team.rank == 0:
        save(before + time.time() - start)


if __name__ == "__main__":
    main()

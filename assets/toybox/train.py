"""Trains the toybox: first text to image, then the reference.

    ./train.sh train.py --work DIR --stage base --minutes 18 --compile
    ./train.sh train.py --work DIR --stage reference --minutes 60 --compile
    ./train.sh train.py --work DIR --stage reference --frozen --steps 2000      the paper's way: the base stays as it is

base trains U-Net and text encoder; reference adds the projector (CCP) and the visual keys and values. The image encoders stay as
train_encoders.py left them. The paper freezes a base that saw billions of pictures. Ours is as young as its visual part, so by
default it learns on while the reference joins; a third of the subjects has none and keeps the text-only passes honest.

Everything random about a step follows from --seed and the step's number, sample by sample. So a run that was stopped goes on exactly
where it was, and N processes see the same samples as one with the same --batch, which counts over all of them. Writes DIR/<stage>.pt
(weights, averaged weights, optimizer, step) every two minutes and one line per 25 steps to DIR/<stage>.jsonl.
"""
import argparse, contextlib, json, math, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
from data import Scenes
from fast import Team, explicit_attention
from model import build
from networks import Schedule
from optim import Muon
from train_encoders import square
from train_vae import to_tensor

T_MIN = 20  # the last step of 25 is at 39: smaller timesteps are never asked for
R_MAX = math.sqrt(10)
CELLS = 8  # visual tokens are CELLS x CELLS of the reference, twice
GRID = 16


def encode_latents(work, scenes, model):
    """Latents of all training scenes, scaled to unit deviation, and the least-squares latent -> RGB map for previews."""
    means = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for i in range(0, len(scenes), 50):
            x = to_tensor(np.stack([scenes.picture(k) for k in range(i, min(i + 50, len(scenes)))])).contiguous(memory_format=torch.channels_last)
            means.append(model.vae.encode(x).latent_dist.mean.half())
    latents = torch.cat(means).float()
    scaling = 1 / latents.std().item()
    latents *= scaling
    n, c = 1000, latents.shape[1]
    rgb = F.avg_pool2d(to_tensor(np.stack([scenes.picture(k) for k in range(n)])), 8) / 2 + .5
    a = torch.cat([latents[:n].permute(0, 2, 3, 1).reshape(-1, c), torch.ones(n * GRID * GRID, 1)], 1)
    fit = torch.linalg.lstsq(a, rgb.permute(0, 2, 3, 1).reshape(-1, 3)).solution
    torch.save(dict(latents=latents.half(), scaling=scaling, latent_rgb=fit[:c].tolist(), latent_rgb_bias=fit[c].tolist()), work / "latents.pt")
    print(f"latents: scaling {scaling:.4f}, channel means {latents.mean((0, 2, 3)).tolist()}, stds {latents.std((0, 2, 3)).tolist()}", flush=True)


def attention_loss(maps, masks):
    """-log of the share of each subject's word attention that falls on the subject, mean over samples, subjects and layers.

    masks [B, 2, 16, 16] in 0..1. Subjects that are not there have no attention and count nothing.
    """
    total = 0.0
    for m in maps:
        p, at = m.value.float(), F.adaptive_avg_pool2d(masks, m.size)
        whole = p.sum((2, 3))
        share = (p * at).sum((2, 3)) / whole.clamp_min(1e-8)
        there = (whole > 0) & (at.sum((2, 3)) > 0)
        total = total - (share.clamp_min(1e-4).log() * there).sum() / len(p)
    return total / len(maps)


def correspondence_loss(maps, at, inside):
    """Cross-entropy of the visual attention with where in the reference a place of the subject is to be found.

    at [B, 16, 16, 2]: (x, y) of each place of the grid in cells of the reference; inside [B, 16, 16] 0..1: subject that the reference
    shows. The target is spread over the four nearest tokens. Mean over samples, places and layers.
    """
    total = 0.0
    for m in maps:
        p = m.value.float()
        p = p[..., :CELLS * CELLS] + p[..., CELLS * CELLS:]
        side = round(math.sqrt(p.shape[1]))
        k = GRID // side
        weight = F.avg_pool2d(inside[:, None], k).flatten(1)
        xy = F.avg_pool2d(at.permute(0, 3, 1, 2), k).flatten(2)  # [B, 2, N]; maps are affine, so means are right
        axis = torch.arange(CELLS) + .5
        near = (1 - (xy[..., None].clamp(.5, CELLS - .5) - axis).abs()).clamp_min(0)  # [B, 2, N, CELLS]
        target = (near[:, 1, :, :, None] * near[:, 0, :, None, :]).flatten(2)
        error = -(target * p.clamp_min(1e-6).log()).sum(-1)
        total = total + (error * weight).sum() / weight.sum().clamp_min(1)
    return total / len(maps)


def random_mask(true, rng):
    """What the guidance branch may hand over at inference: the true mask, or Top-K of a blurred, noisy score of it.

    true [16, 16] float tensor in 0..1 -> same shape, maximum 1.
    """
    true = true[None, None]
    if rng.random() < .35:
        return (true / true.amax().clamp_min(1e-6))[0, 0]
    pool = lambda k: F.avg_pool2d(F.pad(true, (k // 2,) * 4), k, 1)
    noise = torch.from_numpy(rng.standard_normal((1, 1, 6, 6), np.float32))
    score = pool(5) + .5 * pool(3)
    score = (score + .12 * rng.random() * F.interpolate(noise, size=(GRID, GRID), mode="bilinear")).clamp_min(0).flatten()
    k = int(GRID * GRID * rng.uniform(.12, .32))
    top = torch.zeros(GRID * GRID)
    order = score.argsort(descending=True)[:k]
    top[order] = score[order]
    return (top / top.amax().clamp_min(1e-6)).pow(rng.uniform(.3, 1)).view(GRID, GRID)


class Samples:
    """Draws training samples. Sample `place` of step `step` is the same whoever draws it.

    A caption that names the colour gets no reference, so that a colour comes from either the words or the picture.
    Curriculum (Eq. 10): the share of twins, pictures of the same individual elsewhere, grows to all; the others see the target itself.
    (Eq. 11): so does the crop of the reference.
    """

    def __init__(self, scenes, latents, tokenizer, seed, pairs, base, drop, start=.3):
        self.scenes, self.latents, self.tokenizer, self.seed, self.base, self.drop, self.start = scenes, latents, tokenizer, seed, base, drop, start
        n = np.array([len(m["words"]) for m in scenes.meta])
        self.single, self.double, self.pairs = np.flatnonzero(n == 1), np.flatnonzero(n == 2), pairs

    def draw(self, step, place, done):
        rng = np.random.default_rng([self.seed, step, place])
        choice = self.double if place < self.pairs else self.single
        i = int(choice[rng.integers(len(choice))])
        meta, scenes = self.scenes.meta[i], self.scenes
        blank = rng.random() < .1  # the unconditional pass
        ids, marks = self.tokenizer("") if blank else self.tokenizer(meta["caption"], meta["spans"])
        z = self.latents[i].float()
        sample = dict(ids=torch.from_numpy(ids), marks=torch.from_numpy(marks), z=z, noise=torch.from_numpy(rng.standard_normal(tuple(z.shape), np.float32)),
                      t=int(rng.integers(T_MIN, 1000 - T_MIN // 2)), masks=torch.from_numpy(np.array(scenes.masks(i))).float() / 255)
        if self.base:
            return sample
        n = 2 if place < self.pairs else 1
        sample |= dict(squares=torch.zeros(n, 3, 128, 128), there=torch.zeros(n), on=torch.zeros(n, GRID, GRID), at=torch.zeros(n, GRID, GRID, 2), inside=torch.zeros(n, GRID, GRID))
        for s in range(n):
            if blank or meta["colour"] or rng.random() < self.drop:
                continue
            maps = scenes.maps(i, s)
            if n == 1 and rng.random() > self.start + (1 - self.start) * min(1, 1.3 * done):
                picture, mask, back = scenes.picture(i), np.repeat(np.repeat(scenes.masks(i)[s], 2, 0), 2, 1), maps[0]
            else:
                (picture, mask), back = scenes.reference(i, s), maps[1]
            sample["squares"][s], (x, y, scale) = square(picture, mask, back, rng, 1 + (R_MAX - 1) * done * .5)
            centre = (np.arange(GRID) + .5) * picture.shape[0] / GRID
            px, py = np.meshgrid(centre, centre)
            there = np.stack([px, py, np.ones_like(px)], -1) @ maps[0].T - back[:, 2]  # pixel -> drawing -> pixel of the reference
            there = (there @ np.linalg.inv(back[:, :2]).T - (x, y)) / scale / picture.shape[0] * CELLS
            seen = ((there > 0) & (there < CELLS)).all(-1)
            sample["at"][s] = torch.from_numpy(there).float()
            sample["inside"][s] = (sample["masks"][s] > .5) * torch.from_numpy(seen)
            sample["on"][s], sample["there"][s] = random_mask(sample["masks"][s], rng), 1
        return sample

    def batch(self, step, places, done):
        """The samples of these places as one batch: subject 1 of all, subject 2 of the pairs, which come first."""
        drawn = [self.draw(step, p, done) for p in places]
        b = {k: torch.stack([d[k] for d in drawn]) for k in ("ids", "marks", "z", "noise", "masks")} | {"t": torch.tensor([d["t"] for d in drawn])}
        if not self.base:
            both = [d for d in drawn if len(d["there"]) == 2]
            for k in ("squares", "there", "on", "at", "inside"):
                b[k] = [torch.stack([d[k][0] for d in drawn]), torch.stack([d[k][1] for d in both]) if both else None]
        return b


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--stage", choices=("base", "reference"), required=True)
    p.add_argument("--minutes", type=float, help="end by the clock")
    p.add_argument("--steps", type=int, help="or after so many steps")
    p.add_argument("--batch", type=int, default=40, help="samples per step, over all processes")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--frozen", action="store_true", help="train only what sees the reference")
    p.add_argument("--attention", type=float, default=.05, help="weight of the attention loss")
    p.add_argument("--correspondence", type=float, default=.02, help="weight of the correspondence loss")
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--compile", action="store_true", help="two minutes more before the first step, a third less per step")
    a = p.parse_args()
    if (a.minutes is None) == (a.steps is None):
        p.error("give --minutes or --steps")
    team = Team()
    explicit_attention()
    torch.manual_seed(0)
    scenes, base = Scenes(a.work), a.stage == "base"
    if not (a.work / "latents.pt").exists():
        raise SystemExit("no latents.pt: run `python latents.py --work DIR` first")
    cache = torch.load(a.work / "latents.pt")
    model, tokenizer = build(a.work, cache["scaling"])
    unet, text = model.unet, model.text_encoders[0]
    model.encoders.load_state_dict(torch.load(a.work / "encoders.pt")["now"])
    if base:
        train = {n: q for n, q in model.named_parameters() if n.startswith(("unet", "text_encoders")) and "_vision" not in n}
    else:
        model.load_state_dict(torch.load(a.work / "base.pt")["ema" if a.frozen else "now"], strict=False)
        for n, m in unet.unet.named_modules():
            if n.endswith("attn2"):  # the text's weights as they are now are the best start
                m.to_k_vision.weight.data.copy_(m.to_k.weight.data)
                m.to_v_vision.weight.data.copy_(.5 * m.to_v.weight.data)
        train = {n: q for n, q in model.named_parameters() if not n.startswith(("vae", "encoders")) and ("_vision" in n or not a.frozen)}
    model.requires_grad_(False)
    params = list(train.values())
    for q in params:
        q.requires_grad_(True)
        q.grad = torch.zeros_like(q)
        if team.size > 1:
            torch.distributed.broadcast(q.data, 0)
    unet.to(memory_format=torch.channels_last)
    opt = Muon(train.items(), a.lr)
    ema = {n: q.detach().clone() for n, q in train.items()}
    step, before, out = 0, 0.0, a.work / f"{a.stage}.pt"
    if out.exists():
        state = torch.load(out)
        for n, q in train.items():
            q.data.copy_(state["now"][n])
        ema, step, before = state["ema"], state["step"], state["seconds"]
        opt.load_state_dict(state["opt"])
    if team.rank == 0:
        print(f"{a.stage}: {sum(q.numel() for q in params) / 1e6:.2f} M parameters to train, from step {step}", flush=True)
    if a.compile:
        unet.unet.compile(dynamic=False)
    schedule = Schedule()
    pairs = a.batch // 8 // team.size * team.size
    samples = Samples(scenes, cache["latents"], tokenizer, a.seed, pairs, base, .1 if a.frozen else .3)
    places = [*range(team.rank, pairs, team.size), *range(pairs + team.rank, a.batch, team.size)]
    start = saved = time.time()
    done, log, clock = (step / a.steps if a.steps else before / 60 / a.minutes), [], np.zeros(4)
    grad_of_text = contextlib.nullcontext if not a.frozen else torch.no_grad

    def save(seconds):
        state = dict(ema=ema, now={n: q.data for n, q in train.items()}, opt=opt.state_dict(), step=step, seconds=seconds, seen=step * a.batch)
        torch.save(state, out.with_suffix(".tmp"))
        out.with_suffix(".tmp").rename(out)

    while done < 1:
        seconds = before + time.time() - start
        for g in opt.param_groups:
            g["lr"] = a.lr * min(1, (step + 1) / 100) * (1 - .98 * done ** 1.3)
        marks = [time.time()]
        b = samples.batch(step, places, done)
        marks.append(time.time())
        z, noise, t = b["z"], b["noise"], b["t"]
        noised = schedule.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16):
            with grad_of_text():
                unique, back = torch.unique(b["ids"], dim=0, return_inverse=True)
                hidden = text(unique).last_hidden_state[back]
            if base:
                predicted, maps = unet(noised, t, hidden, tokens=b["marks"])
            else:
                vision, on = [], []
                for s in (0, 1):
                    if b["squares"][s] is None:
                        continue
                    there = b["there"][s].nonzero()[:, 0] if b["there"][s].any() else torch.tensor([0])
                    visual = model.visual_tokens(b["squares"][s][there])
                    vision.append(torch.zeros(len(b["there"][s]), *visual.shape[1:], dtype=visual.dtype).index_copy(0, there, visual))
                    on.append(b["on"][s][:, None])
                predicted, maps = unet(noised, t, hidden, vision, on, b["marks"], taps_vision=True)
        snr = schedule.alphas[t] / (1 - schedule.alphas[t])
        # min-SNR weighting, with a floor: what the text decides (place, colours) is decided where the signal is weakest
        weight = ((snr.clamp(max=5) + .1) / snr).view(-1, 1, 1, 1)
        error = weight * (predicted.float() - noise) ** 2
        inside = b["masks"].sum(1, keepdim=True).clamp(max=1)
        loss = (error * (.6 + (0 if base else 1) * inside)).mean()
        focus = attention_loss([m for m in maps if m.kind == "cross"], b["masks"])
        found = torch.zeros(())
        if not base:
            for s in (0, 1):
                ours = [m for m in maps if m.kind == f"vision {s}"]
                if ours:
                    found = found + (1, .2)[s] * correspondence_loss(ours, b["at"][s], b["inside"][s])
        (loss + (0 if a.frozen else a.attention) * focus + a.correspondence * found).backward()
        marks.append(time.time())
        done, *figures = team.average(params, (step + 1) / a.steps if a.steps else seconds / 60 / a.minutes, loss.item(), focus.item(), float(found))
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        for q in params:
            q.grad.zero_()
        step += 1
        decay = min(.9985, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()), [q.data for q in params], 1 - decay)
        marks.append(time.time())
        log.append(figures)
        clock[:3] += np.diff(marks)
        if team.rank == 0 and step % 25 == 0:
            m, last = np.mean(log[-100:], 0), np.mean(log[-25:], 0)
            with open(a.work / f"{a.stage}.jsonl", "a") as f:
                f.write(json.dumps(dict(step=step, seen=step * a.batch, seconds=round(seconds, 1), loss=last[0], attention=last[1], correspondence=last[2])) + "\n")
            if step % 50 == 0:
                share = clock[:3] / clock[:3].sum()
                print(f"{seconds:.0f} s step {step} seen {step * a.batch} ({(step * a.batch) / seconds:.0f}/s) loss {m[0]:.4f} attention {m[1]:.4f} "
                      f"correspondence {m[2]:.3f} (drawing {share[0]:.0%}, networks {share[1]:.0%}, optimizer {share[2]:.0%})", flush=True)
        if team.rank == 0 and time.time() - saved > 120:
            saved = time.time()
            save(seconds)
    if team.rank == 0:
        save(before + time.time() - start)


if __name__ == "__main__":
    main()

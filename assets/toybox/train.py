"""Trains the toybox: first text to image, then the reference.

    ./train.sh train.py --work DIR --stage base --minutes 24          U-Net and text encoder
    ./train.sh train.py --work DIR --stage reference --minutes 48     image encoders, projector, visual keys and values, and the base on
                                                                      (--frozen: as in the paper, the base stays as it is)

Both are resumable and write DIR/<stage>.pt every two minutes. The paper freezes a base that saw billions of pictures. Ours is as young as
its visual part, so by default both learn on; a third of the samples has no reference and keeps the text-only passes honest.
"""
import argparse, math, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
from data import Scenes
from fast import Team, explicit_attention
from model import build
from networks import Schedule
from train_vae import to_tensor

T_MIN = 20  # the last step of 25 is at 39: smaller timesteps are never asked for


def encode_latents(work, scenes, model):
    """Latents of all training scenes, scaled to unit deviation, and the least-squares latent -> RGB map for previews."""
    means = []
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        for i in range(0, len(scenes), 100):
            x = to_tensor(np.stack([scenes.picture(k) for k in range(i, min(i + 100, len(scenes)))]))
            means.append(model.vae.encode(x).latent_dist.mean.float())
    latents = torch.cat(means)
    scaling = 1 / latents.std().item()
    latents *= scaling
    rgb = F.avg_pool2d(to_tensor(np.stack([scenes.picture(k) for k in range(1000)])), 4) / 2 + .5
    a = torch.cat([latents[:1000].permute(0, 2, 3, 1).reshape(-1, 4), torch.ones(256000, 1)], 1)
    fit = torch.linalg.lstsq(a, rgb.permute(0, 2, 3, 1).reshape(-1, 3)).solution
    torch.save(dict(latents=latents.half(), scaling=scaling, latent_rgb=fit[:4].tolist(), latent_rgb_bias=fit[4].tolist()), work / "latents.pt")
    print(f"latents: scaling {scaling:.4f}, channel means {latents.mean((0, 2, 3)).tolist()}, stds {latents.std((0, 2, 3)).tolist()}", flush=True)


def attention_loss(maps, masks, present):
    """-log of the share of each subject's word attention that falls on the subject. masks [B, 2, 16, 16] in 0..1, present [B, 2]."""
    total = 0.0
    for m in maps:
        p, at = m.value.float(), F.adaptive_avg_pool2d(masks, m.size)
        share = (p * at).sum((2, 3)) / p.sum((2, 3)).clamp_min(1e-8)
        total = total - (present * share.clamp_min(1e-4).log()).sum() / present.sum()
    return total / len(maps)


def random_masks(true, rng):
    """What the guidance branch may hand over at inference: the true mask, or Top-K of a blurred, noisy score of it.

    true [B, 1, 16, 16] in 0..1 -> same shape, maximum 1.
    """
    b = len(true)
    score = F.avg_pool2d(F.pad(true, (2, 2, 2, 2)), 5, 1) + .5 * F.avg_pool2d(F.pad(true, (1, 1, 1, 1)), 3, 1)
    noise = F.interpolate(torch.randn(b, 1, 6, 6), size=(16, 16), mode="bilinear")
    score = (score + .12 * torch.rand(b, 1, 1, 1) * noise).clamp_min(0)
    k = (256 * torch.empty(b).uniform_(.12, .32)).long()
    order = score.flatten(1).argsort(1, descending=True).argsort(1).view(b, 1, 16, 16)
    top = torch.where(order < k.view(b, 1, 1, 1), score, torch.zeros(()))
    top = top / top.amax((1, 2, 3), keepdim=True).clamp_min(1e-6)
    exact = true / true.amax((1, 2, 3), keepdim=True).clamp_min(1e-6)
    return torch.where(torch.rand(b, 1, 1, 1) < .4, exact, top.pow(torch.empty(b, 1, 1, 1).uniform_(.3, 1)))


def crop(picture, mask, rng, r_max):
    """A random square of 1/r of the side (r uniform in 1..r_max) that keeps a quarter of the subject; back at full size."""
    n = picture.shape[0]
    for _ in range(8):
        side = int(n / rng.uniform(1, r_max))
        y, x = rng.integers(0, n - side + 1, 2)
        k = n // mask.shape[0]
        if mask[y // k:(y + side) // k, x // k:(x + side) // k].sum() >= .25 * mask.sum():
            part = to_tensor(picture[None, y:y + side, x:x + side])
            return F.interpolate(part, size=(n, n), mode="bilinear", align_corners=False)[0]
    return to_tensor(picture[None])[0]


def references(scenes, chosen, rng, done, drop):
    """Reference squares [B, 2, 3, 128, 128] in 0..1 and which exist [B, 2]; drop: the share of subjects without one.

    A caption that names the colour gets none, so that a colour comes from either the words or the picture.

    Curriculum (Eq. 10): the share of twins grows from one half to all; the others see the target itself. (Eq. 11): so does the crop.
    """
    squares, present = torch.full((len(chosen), 2, 3, 128, 128), 0.0), torch.zeros(len(chosen), 2)
    for b, i in enumerate(chosen):
        n = len(scenes.meta[i]["words"])
        for s in range(n):
            if rng.random() < drop or scenes.meta[i]["colour"]:
                continue
            if n == 1 and rng.random() > .5 + .8 * done:
                x = F.interpolate(to_tensor(scenes.picture(i)[None]), size=(128, 128), mode="bilinear", align_corners=False)[0]
            else:
                x = crop(*scenes.reference(i, s), rng, 1 + (math.sqrt(10) - 1) * min(1, done) * .5)
            squares[b, s], present[b, s] = x / 2 + .5, 1
    return squares, present


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--stage", choices=("base", "reference"), required=True)
    p.add_argument("--minutes", type=float, required=True)
    p.add_argument("--batch", type=int, default=24, help="per process")
    p.add_argument("--lr", type=float, default=1e-3)
    p.add_argument("--frozen", action="store_true", help="train only what sees the reference")
    p.add_argument("--attention", type=float, default=.05, help="weight of the attention loss")
    a = p.parse_args()
    team = Team()
    explicit_attention()
    torch.manual_seed(team.rank)
    scenes, base = Scenes(a.work), a.stage == "base"
    if not (a.work / "latents.pt").exists():
        raise SystemExit("no latents.pt: run `python latents.py --work DIR` first")
    cache = torch.load(a.work / "latents.pt")
    model, tokenizer = build(a.work, cache["scaling"])
    torch.manual_seed(team.rank + 1)
    unet, text = model.unet, model.text_encoders[0]
    if base:
        train = {n: q for n, q in model.named_parameters() if n.startswith(("unet", "text_encoders")) and "_vision" not in n}
    else:
        model.load_state_dict(torch.load(a.work / "base.pt")["ema" if a.frozen else "now"], strict=False)
        for n, q in unet.named_parameters():
            if n.endswith("to_v_vision.weight"):
                q.data.mul_(.5)  # a gentle start
        train = {n: q for n, q in model.named_parameters() if "_vision" in n or not (a.frozen or n.startswith("vae"))}
        if a.frozen:
            train |= {n: q for n, q in model.named_parameters() if n.startswith("encoders")}
    model.requires_grad_(False)
    params = list(train.values())
    for q in params:
        q.requires_grad_(True)
        q.grad = torch.zeros_like(q)
        if team.size > 1:  # both start from the same weights
            torch.distributed.broadcast(q.data, 0)
    if base or not a.frozen:
        unet.to(memory_format=torch.channels_last)
    opt = torch.optim.AdamW(params, a.lr, betas=(.9, .99), weight_decay=1e-2)
    ema = {n: q.detach().clone() for n, q in train.items()}
    step, before, seen, out = 0, 0.0, 0, a.work / f"{a.stage}.pt"
    if out.exists():
        state = torch.load(out)
        for n, q in train.items():
            q.data.copy_(state["now"][n])
        ema, step, before, seen = state["ema"], state["step"], state["seconds"], state["seen"]
        opt.load_state_dict(state["opt"])
    if team.rank == 0:
        print(f"{a.stage}: {sum(q.numel() for q in params) / 1e6:.2f} M parameters to train", flush=True)
    schedule, rng = Schedule(), np.random.default_rng([step, team.rank, 5])
    empty = tokenizer("")[0]
    start = saved = time.time()
    done, log = before / 60 / a.minutes, []

    def save(seconds):
        state = dict(ema=ema, now={n: q.data for n, q in train.items()}, opt=opt.state_dict(), step=step, seconds=seconds, seen=seen)
        torch.save(state, out.with_suffix(".tmp"))
        out.with_suffix(".tmp").rename(out)

    while done < 1:
        seconds = before + time.time() - start
        for g in opt.param_groups:
            g["lr"] = a.lr * min(1, (step + 1) / 150) * (1 - .97 * done ** 1.5)
        chosen = rng.integers(0, len(scenes), a.batch)
        ids, marks = zip(*(tokenizer(scenes.meta[i]["caption"], scenes.meta[i]["spans"]) for i in chosen))
        ids, marks = torch.from_numpy(np.stack(ids)), torch.from_numpy(np.stack(marks))
        drop = torch.rand(a.batch) < (0 if a.frozen else .1)
        ids[drop], marks[drop] = torch.from_numpy(empty), 0
        masks = torch.from_numpy(np.stack([scenes.masks(i) for i in chosen])).float() / 255
        z = cache["latents"][chosen].float()
        t = T_MIN + ((torch.randperm(a.batch) + torch.rand(a.batch)) / a.batch * (1000 - T_MIN)).long().clamp(max=999 - T_MIN)
        noise = torch.randn_like(z)
        with torch.autocast("cpu", torch.bfloat16), torch.set_grad_enabled(True):
            with torch.set_grad_enabled(not a.frozen):
                unique, back = torch.unique(ids, dim=0, return_inverse=True)
                hidden = text(unique).last_hidden_state[back]
            if base:
                predicted, maps = unet(schedule.add_noise(z, noise, t), t, hidden, tokens=marks)
            else:
                squares, present = references(scenes, chosen, rng, done, .1 if a.frozen else .3)
                present[drop] = 0  # the unconditional pass sees no reference
                there = present.flatten().nonzero()[:, 0] if present.any() else torch.tensor([0])
                visual = model.visual_tokens(squares.flatten(0, 1)[there])
                tokens = torch.zeros(a.batch * 2, *visual.shape[1:]).to(visual).index_copy(0, there, visual)
                tokens = tokens.unflatten(0, (a.batch, 2))
                on = [random_masks(masks[:, s:s + 1], rng) * present[:, s].view(-1, 1, 1, 1) for s in (0, 1)]
                predicted, maps = unet(schedule.add_noise(z, noise, t), t, hidden, [tokens[:, 0], tokens[:, 1]], on, None if a.frozen else marks)
        snr = schedule.alphas[t] / (1 - schedule.alphas[t])
        # min-SNR weighting, with a floor: what the text decides (place, colours) is decided where the signal is weakest
        weight = ((snr.clamp(max=5) + .1) / snr).view(-1, 1, 1, 1)
        error = weight * (predicted.float() - noise) ** 2
        inside = masks.sum(1, keepdim=True).clamp(max=1)
        loss = error.mean() if base else (error * (.6 + inside)).mean()
        if a.frozen:
            focus = (error * inside).sum() / inside.sum() / 4
            loss.backward()
        else:
            focus = attention_loss(maps, masks, (marks.sum(2) > 0).float())
            (loss + a.attention * focus).backward()
        done, l, f = team.average(params, seconds / 60 / a.minutes, loss.item(), focus.item())
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
        opt.zero_grad(set_to_none=False)
        step, seen = step + 1, seen + a.batch * team.size
        decay = min(.9985, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(list(ema.values()), [q.data for q in params], 1 - decay)
        log.append((l, f))
        if team.rank == 0 and step % 50 == 0:
            m = np.mean(log[-200:], 0)
            print(f"{seconds:.0f} s step {step} seen {seen} ({seen / seconds:.0f}/s) loss {m[0]:.4f} "
                  f"{'inside' if a.frozen else 'attention'} {m[1]:.4f}", flush=True)
        if team.rank == 0 and time.time() - saved > 120:
            saved = time.time()
            save(seconds)
    if team.rank == 0:
        save(before + time.time() - start)


if __name__ == "__main__":
    main()

"""Trains the toybox, first text to image, then the reference; with another --config the reference of SD 1.5 or SDXL.

    ./train.sh train.py --work DIR --stage base --minutes 18 --compile
    ./train.sh train.py --work DIR --stage reference --minutes 60 --compile
    ./train.sh train.py --work DIR --stage reference --frozen --steps 2000      the paper's way: the base stays as it is
    torchrun --nproc_per_node 8 train.py --work DIR --config configs/sdxl.json  a released base on its own data, see README.md

A config is JSON: "options" are defaults for this command line, "model" (pretrained.py) and "data" (webdata.py) say what is trained on
what; without these two it is the toybox and its scenes.

base trains U-Net and text encoder; reference adds the projector (CCP) and the visual keys and values. The image encoders stay as
train_encoders.py left them. The paper freezes a base that saw billions of pictures. Ours is as young as its visual part, so by
default it learns on while the reference joins; a third of the subjects has none and keeps the text-only passes honest.

Everything random about a step follows from --seed and the step's number, sample by sample. So a run that was stopped goes on exactly
where it was, and N processes see the same samples as one with the same --batch, which counts over all of them. Writes DIR/<stage>.pt
(weights, averaged weights, optimizer, step) every two minutes and when it is asked to stop (Ctrl-C, SIGTERM), one line per 25 steps
to DIR/<stage>.jsonl, and their curves to DIR/<stage>-loss.png.
"""
import argparse, contextlib, json, math, pathlib, time
import numpy as np
import torch
import torch.nn.functional as F
import curves
from curriculum import CROP, DATA, FEATURES, choose_features, crop_limit, multiview_share
from data import Scenes
from fast import TYPES, Precision, Team, explicit_attention
from model import build
from networks import Schedule
from optim import Muon
from train_encoders import square
from tokenizer import LENGTH
from train_vae import to_tensor
from watch import Bar, Budget, Grids, Stop

T_MIN = 20  # the last step of 25 is at 39: smaller timesteps are never asked for
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


def correspondence_loss(maps, at, inside, team):
    """Cross-entropy of the visual attention with where in the reference a place of the subject is to be found.

    at [B, 16, 16, 2]: (x, y) of each place of the grid in cells of the reference; inside [B, 16, 16] 0..1: subject that the reference
    shows. The target is spread over the four nearest tokens. Mean over samples, places and layers; the samples are the whole team's,
    so that it does not matter how they are shared out.
    """
    total, whole = 0.0, team.mean(inside.sum())
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
        total = total + (error * weight).sum() / (whole / k ** 2).clamp_min(1)
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
    (Eq. 11): so does the crop of the reference. Both reach their end early or not quite: toys lose their parts when they are cut small.
    """

    def __init__(self, scenes, latents, tokenizer, seed, pairs, base, drop, data="curriculum", crop="curriculum"):
        self.scenes, self.latents, self.tokenizer, self.seed, self.base, self.drop = scenes, latents, tokenizer, seed, base, drop
        self.data, self.crop = data, crop
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
            if n == 1 and rng.random() > multiview_share(done, self.data, start=.3, speed=1.3):
                picture, mask, back = scenes.picture(i), np.repeat(np.repeat(scenes.masks(i)[s], 2, 0), 2, 1), maps[0]
            else:
                (picture, mask), back = scenes.reference(i, s), maps[1]
            sample["squares"][s], (x, y, scale) = square(picture, mask, back, rng, crop_limit(done, self.crop, share=.5))
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


def weight_of(schedule, t):
    """min-SNR weighting, with a floor: what the text decides (place, colours) is decided where the signal is weakest."""
    alphas = schedule.alphas.to(t.device)[t]
    snr = alphas / (1 - alphas)
    return ((snr.clamp(max=5) + .1) / snr).view(-1, 1, 1, 1)


def predict(model, b, noised, text_learns, projected=True):
    """The noise that the model sees in a batch, and the taps of its attention where the batch marks words.

    b: ids [B, 77] or [B, text encoders, 77], t [B]; optional marks [B, 2, 77], time_ids [B, 6], and per subject squares, there, on.
    """
    with contextlib.nullcontext() if text_learns else torch.no_grad():
        unique, back = torch.unique(b["ids"], dim=0, return_inverse=True)
        text = model.text(*unique.view(len(unique), -1, LENGTH).unbind(1))
    vision, on, added = [], [], {}
    for squares, there, mask in zip(*(b.get(k, ()) for k in ("squares", "there", "on"))):
        if squares is None:
            continue
        rows = there.nonzero()[:, 0] if there.any() else torch.zeros(1, dtype=torch.int64, device=there.device)
        visual = model.visual_tokens(squares[rows])
        vision.append(torch.zeros(len(there), *visual.shape[1:], dtype=visual.dtype, device=visual.device).index_copy(0, rows, visual))
        on.append(mask[:, None])
    if model.unet.unet.config.addition_embed_type == "text_time":
        added = dict(text_embeds=(text.projected if projected else text.pooled)[back], time_ids=b["time_ids"])
    marks = b.get("marks")
    return model.unet(noised, b["t"], text.hidden[back], vision, on, marks, taps_vision=bool(vision) and marks is not None, **added)


def losses(model, b, schedule, precision, team, a):
    """(error of the noise, attention loss, correspondence loss); the last two are zero where a batch has nothing to compare with."""
    with precision.autocast():
        z, noise, t = b["z"], b["noise"], b["t"]
        noised = schedule.add_noise(z, noise, t).contiguous(memory_format=torch.channels_last)
        predicted, maps = predict(model, b, noised, text_learns=not a.frozen, projected=a.pooled == "projected")
    error = (predicted.float() - noise) ** 2
    if a.weighting == "min-snr":
        error = weight_of(schedule, t) * error
    focus = found = torch.zeros((), device=z.device)
    if "masks" in b:
        inside = b["masks"].sum(1, keepdim=True).clamp(max=1)
        if inside.shape[-2:] != z.shape[-2:]:
            inside = F.interpolate(inside, size=z.shape[-2:], mode="bilinear", align_corners=False)
        error = error * (.6 + (0 if a.stage == "base" else 1) * inside)
    if "marks" in b:
        focus = attention_loss([m for m in maps if m.kind == "cross"], b["masks"])
    for s in range(len(b.get("at", ()))):
        ours = [m for m in maps if m.kind == f"vision {s}"]
        if ours:
            found = found + (1, .2)[s] * correspondence_loss(ours, b["at"][s], b["inside"][s], team)
    return error.mean(), focus, found


def move(x, device):
    """Tensors in dicts and lists, to the device."""
    if isinstance(x, dict):
        return {k: move(v, device) for k, v in x.items()}
    if isinstance(x, list):
        return [move(v, device) for v in x]
    return x.to(device, non_blocking=True) if isinstance(x, torch.Tensor) else x


def toybox(a, team):
    """(model, tokenizer, samples) of the toybox."""
    if not (a.work / "latents.pt").exists():
        raise SystemExit("no latents.pt: run `python latents.py --work DIR` first")
    scenes, cache = Scenes(a.work), torch.load(a.work / "latents.pt")
    model, tokenizer = build(a.work, cache["scaling"])
    model.encoders.load_state_dict(torch.load(a.work / "encoders.pt")["now"])
    if a.stage == "reference":
        model.load_state_dict(torch.load(a.work / "base.pt")["ema" if a.frozen else "now"], strict=False)
    pairs = a.batch // 8 // team.size * team.size
    return model, tokenizer, Samples(scenes, cache["latents"], tokenizer, a.seed, pairs, a.stage == "base", .1 if a.frozen else .3, a.data, a.crop)


def options(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, help="folder of the run")
    p.add_argument("--config", type=pathlib.Path, help="JSON file with defaults for these options, and the model and data of SD 1.5 or SDXL")
    p.add_argument("--stage", choices=("base", "reference"))
    p.add_argument("--minutes", type=float, help="end by the clock")
    p.add_argument("--steps", type=int, help="or after so many steps")
    p.add_argument("--batch", type=int, default=40, help="samples per step, over all processes")
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--optimizer", choices=("muon", "adamw"), default="muon")
    p.add_argument("--frozen", action=argparse.BooleanOptionalAction, default=False, help="train only what sees the reference")
    p.add_argument("--attention", type=float, default=.05, help="weight of the attention loss")
    p.add_argument("--correspondence", type=float, default=.02, help="weight of the correspondence loss")
    p.add_argument("--weighting", choices=("min-snr", "none"), default="min-snr", help="of the timesteps")
    p.add_argument("--data", choices=DATA, default="curriculum", help="references: the picture itself, another of the subject, half and half, or Eq. 10 (Table X)")
    p.add_argument("--crop", choices=CROP, default="curriculum", help="of references: Eq. 11, its last range from the start, or none (Table XI)")
    p.add_argument("--features", choices=FEATURES, default="both", help="blocks of the image encoders that are used (Table VIII)")
    p.add_argument("--pooled", choices=("projected", "unprojected"), default="projected", help="text vector of SDXL; the release trained on the unprojected one")
    p.add_argument("--seed", type=int, default=5)
    p.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    p.add_argument("--precision", choices=tuple(TYPES), default="bf16")
    p.add_argument("--checkpointing", action=argparse.BooleanOptionalAction, default=False, help="compute the U-Net's activations twice instead of keeping them")
    p.add_argument("--compile", action=argparse.BooleanOptionalAction, default=False, help="two minutes more before the first step, a third less per step")
    p.add_argument("--pictures", type=float, default=0, metavar="MINUTES", help="sample held-out prompts that often, in at most 2 %% of the time; 0: never")
    config = p.parse_known_args(argv)[0].config
    config = json.loads(config.read_text()) if config else {}
    given = config.pop("options", {})
    unknown = [k for k in given if k not in {o.dest for o in p._actions}] + [k for k in config if k not in ("model", "data")]
    if unknown:
        p.error(f"the config has entries that mean nothing here: {', '.join(unknown)}")
    p.set_defaults(**given)
    a = p.parse_args(argv)
    a.model, a.shards = config.get("model"), config.get("data")
    if a.work is None or a.stage is None:
        p.error("give --work and --stage")
    if (a.minutes is None) == (a.steps is None):
        p.error("give --minutes or --steps")
    if a.model and (a.steps is None or a.stage == "base" or not a.shards):
        p.error("a released base trains its reference stage, by --steps, on the config's data")
    if a.model and a.pictures:
        p.error("--pictures shows the toybox's held-out scenes: leave it away here")
    return a


def main(argv=None):
    """Trains. Returns the model and the figures of every step of this run: loss, attention loss, correspondence loss."""
    a = options(argv)
    team = Team(device=a.device)
    if team.device.type == "cpu":
        explicit_attention()
    torch.manual_seed(0)
    a.work.mkdir(parents=True, exist_ok=True)
    out, base = a.work / f"{a.stage}.pt", a.stage == "base"
    state = torch.load(out, map_location="cpu") if out.exists() else None
    step, before = (state["step"], state["seconds"]) if state else (0, 0.0)
    if a.model:
        from pretrained import prepare
        model, tokenizer, samples = prepare(a, team, step)
    else:
        model, tokenizer, samples = toybox(a, team)
    choose_features(model.encoders, a.features)
    unet, precision = model.unet, Precision(team.device, a.precision)
    if base:
        train = {n: q for n, q in model.named_parameters() if n.startswith(("unet", "text_encoders")) and "_vision" not in n}
    else:
        for n, m in unet.unet.named_modules():
            if n.endswith("attn2"):  # the text's weights as they are now are the best start
                m.to_k_vision.weight.data.copy_(m.to_k.weight.data)
                m.to_v_vision.weight.data.copy_(.5 * m.to_v.weight.data)
        train = {n: q for n, q in model.named_parameters() if not n.startswith(("vae", "encoders")) and ("_vision" in n or not a.frozen)}
    model.requires_grad_(False).to(team.device)
    params = list(train.values())
    for q in params:
        q.requires_grad_(True)
        q.grad = torch.zeros_like(q)
        if team.size > 1:
            torch.distributed.broadcast(q.data, 0)
    unet.to(memory_format=torch.channels_last)
    opt = Muon(train.items(), a.lr) if a.optimizer == "muon" else torch.optim.AdamW(params, a.lr, weight_decay=.01)
    ema = {n: q.detach().clone() for n, q in train.items()}
    if state:
        for n, q in train.items():
            q.data.copy_(state["now"][n])
        ema = move(state["ema"], team.device)
        opt.load_state_dict(state["opt"])
        if "scaler" in state and precision.scaler.is_enabled():
            precision.scaler.load_state_dict(state["scaler"])
        del state
    if team.rank == 0:
        print(f"{a.stage}: {sum(q.numel() for q in params) / 1e6:.2f} M parameters to train, from step {step}", flush=True)
    if a.checkpointing:
        unet.unet.enable_gradient_checkpointing()
    if a.compile:
        unet.unet.compile(dynamic=False)
    schedule = Schedule()
    pairs = getattr(samples, "pairs", 0)
    places = [*range(team.rank, pairs, team.size), *range(pairs + team.rank, a.batch, team.size)]
    start = saved = time.time()
    done, log, clock = (step / a.steps if a.steps else before / 60 / a.minutes), [], np.zeros(4)
    bar, budget, grids = Bar(), Budget(a.pictures * 60), Grids(a.work, a.stage) if a.pictures and team.rank == 0 else None

    def save(seconds):
        state = dict(ema=ema, now={n: q.data for n, q in train.items()}, opt=opt.state_dict(), step=step, seconds=seconds, seen=step * a.batch)
        if precision.scaler.is_enabled():
            state["scaler"] = precision.scaler.state_dict()
        if a.features != "both":
            state["features"] = a.features
        torch.save(state, out.with_suffix(".tmp"))
        out.with_suffix(".tmp").rename(out)
        lines = out.with_suffix(".jsonl")
        if lines.exists():
            curves.draw({a.stage: curves.read(lines)}, a.work / f"{a.stage}-loss.png")

    def report():
        m, share = np.mean(log[-100:], 0), clock[:3] / clock[:3].sum()
        return (f"{seconds:.0f} s step {step} seen {step * a.batch} ({(step * a.batch) / seconds:.0f}/s) loss {m[0]:.4f} attention {m[1]:.4f} "
                f"correspondence {m[2]:.3f} (drawing {share[0]:.0%}, networks {share[1]:.0%}, optimizer {share[2]:.0%})")

    stopped = False
    with Stop() as stop:
        while done < 1 and not stopped:
            seconds = before + time.time() - start
            for g in opt.param_groups:
                g["lr"] = a.lr * min(1, (step + 1) / 100) * (1 - .98 * done ** 1.3)
            marks = [time.time()]
            b = move(samples.batch(step, places, done), team.device)
            marks.append(time.time())
            if "z" not in b:
                with torch.no_grad():  # one by one and in float32: large pictures, and SDXL's autoencoder overflows in fp16
                    b["z"] = torch.cat([model.latents(x) for x in b["pictures"].split(1)])
            loss, focus, found = losses(model, b, schedule, precision, team, a)
            precision.scaler.scale(loss + (0 if a.frozen else a.attention) * focus + a.correspondence * found).backward()
            marks.append(time.time())
            clocked, asked, *figures = team.average(params, seconds / 60 / (a.minutes or 1), float(stop.asked), loss.item(), focus.item(), found.item())
            precision.scaler.unscale_(opt)
            torch.nn.utils.clip_grad_norm_(params, 1.0)
            precision.scaler.step(opt)
            precision.scaler.update()
            for q in params:
                q.grad.zero_()
            step += 1
            stopped = asked > 0  # all of the team, or none
            done = step / a.steps if a.steps else clocked
            decay = min(.9985, (1 + step) / (10 + step))
            with torch.no_grad():
                torch._foreach_lerp_(list(ema.values()), [q.data for q in params], 1 - decay)
            marks.append(time.time())
            log.append(figures)
            clock[:3] += np.diff(marks)
            if team.rank != 0:
                continue
            if step % 25 == 0:
                last = np.mean(log[-25:], 0)
                with open(out.with_suffix(".jsonl"), "a") as f:
                    f.write(json.dumps(dict(step=step, seen=step * a.batch, seconds=round(seconds, 1), loss=last[0], attention=last[1], correspondence=last[2])) + "\n")
            bar.show(step, done, report)
            if grids and budget.due(seconds, grids.expected(clock[:3].sum() / len(log), len(places))):
                began = time.time()
                grids.draw(model, tokenizer, ema, step)
                budget.paid(seconds, time.time() - began)
            if time.time() - saved > 120:
                saved = time.time()
                save(seconds)
    bar.close()
    if team.rank == 0:
        save(before + time.time() - start)
    if team.size > 1:
        torch.distributed.barrier()
        torch.distributed.destroy_process_group()
    return model, np.array(log)


if __name__ == "__main__":
    main()

"""Looks at a trained toybox: text-only grids, reference sheets on held-out individuals, and figures.

    python sample.py --work DIR --grid grid.png                    text to image
    python sample.py --work DIR --sheet sheet.png                  reference, text only, mask, customised
    python sample.py --work DIR --figures figures.json             guidance masks and what the reference changes, in numbers
"""
import argparse, json, pathlib
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw
from data import Scenes
from fast import explicit_attention
from model import load
from networks import DDIM, Schedule, guidance_scores, selfs_of, topk_masks

GRID = ["a cat on the beach", "a dog in the snow", "a red car in the desert", "a rocket in space", "a teddy bear in a living room", "a penguin on a blue background",
        "a fish under water", "a dinosaur in the jungle", "a robot in the city at night", "a flower in a flower meadow", "a house in the mountains", "a blue balloon in the clouds",
        "a cup on a yellow background", "a cat and a robot in the snow", "an elephant on a pink background", "a dragon near a volcano"]


def to_tensor(pictures):
    """uint8 [B, H, W, 3] -> float [B, 3, H, W] in -1..1"""
    return torch.from_numpy(np.array(pictures)).permute(0, 3, 1, 2).float() / 127.5 - 1


def spans_of(caption, words):
    """Character spans of the words, each searched after the one before."""
    at, out = 0, []
    for w in words:
        at = caption.index(w, at)
        out.append((at, at + len(w)))
        at += len(w)
    return out


@torch.no_grad()
def sampled(model, tokenizer, captions, spans, squares=None, present=None, cfg=2.5, gamma=.25, steps=25, stop=12,
            source="low_cross_high_self", seed=0, fixed=None):
    """sample(), as tensors where the model is."""
    unet, schedule = model.unet, Schedule(beta_end=model.noise.get("beta_end", .012))
    velocity, side, d = model.noise.get("prediction_type") == "v_prediction", unet.unet.config.sample_size, next(model.parameters()).device
    ids, marks = zip(*(tokenizer(c, s) for c, s in zip(captions, spans)))
    hidden = model.text(torch.from_numpy(np.stack(ids)).to(d)).hidden
    marks = torch.from_numpy(np.stack(marks)).to(d)
    nothing = model.text(torch.from_numpy(tokenizer("")[0])[None].to(d)).hidden.expand_as(hidden)
    b = len(captions)
    z = torch.stack([torch.randn(unet.unet.config.in_channels, side, side, generator=torch.Generator().manual_seed(seed + i)) for i in range(b)]).to(d)
    vision, masks = [], torch.zeros(b, 2, 16, 16)
    if squares is not None:
        tokens = model.visual_tokens(squares.to(d).flatten(0, 1)).unflatten(0, (b, 2))
        vision = [tokens[:, 0], tokens[:, 1]]
        on = present.view(b, 2, 1, 1)
    solver = DDIM(schedule, steps)
    for i, t in enumerate(solver.timesteps):
        time = torch.tensor([t], device=d)
        if vision and fixed is not None:
            masks = fixed * on
        elif vision and i < stop:
            _, maps = unet(z, time, hidden, tokens=marks, selfs=selfs_of(source))
            scores = guidance_scores(maps, (16, 16), source, model.unet.mask_rounds)[1].cpu()  # Top-K takes its places one by one
            for k in range(b):
                subjects = [s for s in (0, 1) if present[k, s]]
                masks[k, subjects] = topk_masks(scores[k, subjects], [gamma] * len(subjects))
        there = masks.to(d)
        kept, _ = unet(z, time, hidden, vision, [there[:, :1], there[:, 1:]] if vision else [])
        free, _ = unet(z, time, nothing)
        out = free + cfg * (kept - free)
        if velocity:
            alpha, sigma = schedule.signal(t)
            out = alpha * out + sigma * z
        z, x0 = solver.step(i, out, z)
    return model.decode(x0).clamp(-1, 1), masks


def sample(model, tokenizer, captions, spans, *given, **more):
    """The paper preset, a batch at a time.

    squares [B, 2, 3, 128, 128] in 0..1, present [B, 2]: the references; None for text alone. fixed: masks to use instead of the
    guidance branch's. Returns pictures [B, 128, 128, 3] uint8 and the last masks [B, 2, 16, 16] (zero without reference).
    """
    pictures, masks = sampled(model, tokenizer, captions, spans, *given, **more)
    return ((pictures + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy(), masks


def held_out(work, count, single=True):
    """Held-out scenes: (scenes, indices), one per word first."""
    scenes = Scenes(work, "test")
    seen, first, rest = set(), [], []
    for i, m in enumerate(scenes.meta):
        if (len(m["words"]) == 1) == single and m["caption"][m["spans"][0][0]:m["spans"][0][1]] == m["words"][0] and m["colour"] is None:
            (rest if m["words"][0] in seen else first).append(i)
            seen.add(m["words"][0])
    return scenes, (first + rest)[:count]


def with_references(scenes, indices):
    squares, present = torch.zeros(len(indices), 2, 3, 128, 128), torch.zeros(len(indices), 2)
    for b, i in enumerate(indices):
        for s in range(len(scenes.meta[i]["words"])):
            squares[b, s] = to_tensor(scenes.reference(i, s)[0][None])[0] / 2 + .5
            present[b, s] = 1
    meta = [scenes.meta[i] for i in indices]
    return [m["caption"] for m in meta], [m["spans"] for m in meta], squares, present


def big(a, side=128):
    return Image.fromarray(a).resize((side, side), Image.BICUBIC)


def grid(model, tokenizer, path, cfgs=(3.0, 6.0)):
    words = [[w for w in ("cat", "dog", "robot") if w in c][:1] for c in GRID]
    sheet = Image.new("RGB", (len(GRID) * 130, len(cfgs) * 130 + 14), "white")
    draw = ImageDraw.Draw(sheet)
    for j, cfg in enumerate(cfgs):
        pictures, _ = sample(model, tokenizer, GRID, [spans_of(c, w) for c, w in zip(GRID, words)], cfg=cfg)
        for i, p in enumerate(pictures):
            sheet.paste(big(p), (i * 130, j * 130 + 14))
            draw.text((i * 130, 0), GRID[i][:22], fill="black")
    sheet.quantize(256).save(path, optimize=True)


def sheet(model, tokenizer, work, path, cfg, count=12, gamma=.2, seed=0, stop=12, steps=25):
    scenes, indices = held_out(work, count - 2)
    _, pairs = held_out(work, 2, single=False)
    indices += pairs
    captions, spans, squares, present = with_references(scenes, indices)
    text, _ = sample(model, tokenizer, captions, spans, cfg=cfg, seed=seed, steps=steps)
    made, masks = sample(model, tokenizer, captions, spans, squares, present, cfg, gamma, seed=seed, stop=stop, steps=steps)
    out = Image.new("RGB", (3 * 400, (count + 2) // 3 * 150), "white")
    draw = ImageDraw.Draw(out)
    for k, i in enumerate(indices):
        x, y = k % 3 * 400, k // 3 * 150
        for s in range(len(scenes.meta[i]["words"])):
            out.paste(big(scenes.reference(i, s)[0], 62), (x, y + 66 * s))
        mask = Image.fromarray((masks[k].sum(0).clamp(max=1).numpy() * 255).astype(np.uint8)).resize((62, 62), Image.NEAREST)
        out.paste(mask, (x + 64, y))
        out.paste(big(text[k]), (x + 130, y))
        out.paste(big(made[k]), (x + 262, y))
        draw.text((x, y + 132), captions[k][:60], fill="black")
    out.quantize(256).save(path, optimize=True)


@torch.no_grad()
def guidance_figures(model, tokenizer, work, count=96, timesteps=(939, 779, 619, 459), sources=("all_cross", "low_cross", "low_cross_high_self", "low_cross_all_self")):
    """Noised held-out scenes: IoU of Top-K (gamma = the true area, and 0.2) with the true mask, and the pointing game."""
    scenes, indices = held_out(work, count)
    captions, spans, _, _ = with_references(scenes, indices)
    ids, marks = zip(*(tokenizer(c, s) for c, s in zip(captions, spans)))
    d = next(model.parameters()).device
    hidden, marks = model.text(torch.from_numpy(np.stack(ids)).to(d)).hidden, torch.from_numpy(np.stack(marks)).to(d)
    z = model.latents(to_tensor(np.stack([scenes.picture(i) for i in indices])).to(d))
    true = torch.from_numpy(np.stack([scenes.masks(i)[0] for i in indices])).float() / 255
    noise = torch.randn(z.shape, generator=torch.Generator().manual_seed(0)).to(d)
    out = {"random": {"iou_at_area": float((true.mean((1, 2)) / (2 - true.mean((1, 2)))).mean()), "pointing": float((true > .5).float().mean())}}
    for t in timesteps:
        _, maps = model.unet(Schedule(beta_end=model.noise.get("beta_end", .012)).add_noise(z, noise, torch.full((len(z),), t, device=d)), torch.tensor([t], device=d), hidden, tokens=marks, selfs="all")
        for source in sources:
            scores = guidance_scores(maps, (16, 16), source, model.unet.mask_rounds)[1][:, 0].cpu()
            area, fifth, hit = [], [], []
            for s, m in zip(scores, true > .5):
                order = s.flatten().argsort(descending=True)
                for store, k in ((area, int(m.sum())), (fifth, 51)):
                    top = torch.zeros(256, dtype=torch.bool)
                    top[order[:k]] = True
                    store.append((top & m.flatten()).sum() / (top | m.flatten()).sum())
                hit.append(m.flatten()[order[0]].float())
            out[f"{source} t={t}"] = {"iou_at_area": round(float(np.nanmean(area)), 3), "iou_at_0.2": round(float(np.mean(fifth)), 3), "pointing": round(float(np.mean(hit)), 3)}
    return out


def lab(rgb):
    x = rgb.astype(np.float64) / 255
    x = np.where(x > .04045, ((x + .055) / 1.055) ** 2.4, x / 12.92) @ np.array([[.4124, .3576, .1805], [.2126, .7152, .0722], [.0193, .1192, .9505]]).T / [.9505, 1, 1.089]
    f = np.where(x > .008856, np.cbrt(x), 7.787 * x + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)


def reference_figures(model, tokenizer, work, cfg, count=96, gamma=.2, steps=25):
    """What the reference changes on held-out individuals, against the same seed without it."""
    scenes, indices = held_out(work, count)
    captions, spans, squares, present = with_references(scenes, indices)
    text, _ = sample(model, tokenizer, captions, spans, cfg=cfg, steps=steps)
    made, masks = sample(model, tokenizer, captions, spans, squares, present, cfg, gamma, steps=steps, stop=steps // 2)
    shuffled = np.roll(np.arange(len(indices)), 7)
    inside, outside, near, far, other = [], [], [], [], []
    for k, i in enumerate(indices):
        m = F.interpolate(masks[k:k + 1, :1], size=made.shape[1:3], mode="nearest")[0, 0].numpy() > 0
        soft = F.max_pool2d(torch.from_numpy(m)[None, None].float(), 25, 1, 12)[0, 0].numpy() > 0  # twelve pixels of margin
        d = np.abs(made[k].astype(int) - text[k].astype(int)).mean(-1)
        inside.append(d[m].mean()), outside.append(d[~soft].mean() if (~soft).any() else 0)

        def subject_colour(j):
            ref, rm = scenes.reference(indices[j])
            return np.array([lab(np.asarray(Image.fromarray(ref).resize((32, 32), Image.BOX)))[rm > 200].mean(0)])
        own, strange = subject_colour(k), subject_colour(shuffled[k])
        core = F.interpolate(masks[k:k + 1, :1], size=made.shape[1:3], mode="nearest")[0, 0].numpy() > .5
        near.append(np.linalg.norm(lab(made[k])[core].mean(0) - own)), far.append(np.linalg.norm(lab(text[k])[core].mean(0) - own))
        other.append(np.linalg.norm(lab(made[k])[core].mean(0) - strange))
    mean = lambda v: round(float(np.mean(v)), 2)
    return {"mean |change| inside the mask, of 255": mean(inside), "mean |change| outside, 12 px margin": mean(outside),
            "Lab distance to the reference's mean colour, customised": mean(near), "text only": mean(far), "customised, to another's reference": mean(other)}


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--grid"), p.add_argument("--sheet"), p.add_argument("--figures")
    p.add_argument("--cfg", type=float, default=2.5)
    p.add_argument("--gamma", type=float, default=.25)
    p.add_argument("--stop", type=int, default=12)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--count", type=int, default=12)
    p.add_argument("--threads", type=int, default=1)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    explicit_attention()
    model, tokenizer = load(a.work)
    if a.grid:
        grid(model, tokenizer, a.grid)
    if a.sheet:
        sheet(model, tokenizer, a.work, a.sheet, a.cfg, a.count, a.gamma, a.seed, a.stop)
    if a.figures:
        result = {"guidance": guidance_figures(model, tokenizer, a.work)}
        result["reference"] = reference_figures(model, tokenizer, a.work, a.cfg)
        pathlib.Path(a.figures).write_text(json.dumps(result, indent=1) + "\n")
        print(json.dumps(result, indent=1))

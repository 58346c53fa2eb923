"""Composes training scenes: target picture, true subject masks, caption, and reference pictures.

A subject's identity (which individual, hue turn, saturation, brightness curve) is shared by target and reference;
everything else (rendering, warp, flip, scale, place, light, background) is drawn anew for a reference, its "twin".

    python scenes.py --work DIR --split train --count 30000        writes DIR/train-*.npy; --sheet draws 24 of them
    python scenes.py --work DIR --side 256 --count 4000            DIR/large-*.npy: pictures and masks alone, of twice the side
"""
import argparse, json, multiprocessing, os, pathlib, time
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
import bank, captions
from places import paint
from words import FLOATING, HATS, HYPERNYMS, PLACES, SEATLESS, SEATS, WEARERS

SIDE, GRID = 128, 16
LARGE = "large"  # what blocks of larger pictures are called
ANIMALS = 2  # how many times as often animals come: their many parts are the hardest to learn
SIZES, BIG_SIZES = (.5, .8), (.6, .88)  # a subject's longer side, of the picture's
VARIANTS = 40  # backgrounds painted per place
HELD_OUT_HUES = (255, 290)  # degrees; no training subject is turned so that its main hue falls here
COLOURS = [("red", 0), ("orange", 28), ("yellow", 52), ("green", 120), ("blue", 215), ("purple", 280), ("pink", 325)]
BIG = {"house", "castle", "tree", "palm tree", "dinosaur", "bus", "truck", "train", "ship", "elephant", "giraffe", "whale", "fountain"}


def main_hue(sprite):
    """Saturation-weighted mean hue in degrees of an RGBA sprite, and how colourful it is (0..1)."""
    hsv = np.asarray(Image.fromarray(sprite[..., :3]).convert("HSV")).astype(float)
    w = hsv[..., 1] / 255 * hsv[..., 2] / 255 * (sprite[..., 3] / 255)
    a = hsv[..., 0] / 255 * 2 * np.pi
    z = (w * np.exp(1j * a)).sum()
    return np.degrees(np.angle(z)) % 360, abs(z) / max(1, (sprite[..., 3] > 127).sum())


class Identity:
    """What makes an individual look like itself, apart from its drawing."""

    def __init__(self, rng, hue, colourful, free, natural):
        self.turn, self.saturation, self.gamma, self.colour = 0.0, rng.uniform(.85, 1.15), rng.uniform(.9, 1.12), None
        if colourful < .08 or rng.random() < natural:
            self.turn = rng.uniform(-12, 12)
        else:
            for _ in range(20):
                self.turn = rng.uniform(0, 360)
                if free or not HELD_OUT_HUES[0] <= (hue + self.turn) % 360 <= HELD_OUT_HUES[1]:
                    break
            self.saturation, self.gamma = rng.uniform(.7, 1.3), rng.uniform(.7, 1.4)
        if colourful > .2:
            off = [(abs((hue + self.turn - h + 180) % 360 - 180), name) for name, h in COLOURS]
            if min(off)[0] < 14:
                self.colour = min(off)[1]

    def apply(self, sprite):
        hsv = np.array(Image.fromarray(sprite[..., :3]).convert("HSV"))
        hsv[..., 0] = ((hsv[..., 0].astype(int) + round(self.turn / 360 * 256)) % 256).astype(np.uint8)
        hsv[..., 1] = np.clip(hsv[..., 1] * self.saturation, 0, 255).astype(np.uint8)
        hsv[..., 2] = (255 * (hsv[..., 2] / 255.0) ** self.gamma).astype(np.uint8)
        return np.dstack([np.asarray(Image.fromarray(hsv, "HSV").convert("RGB")), sprite[..., 3]])


def bend(rng, sprite, most=.04):
    """Another pose of the drawing: it sways sideways along its height and up and down along its width, by a share of its side."""
    n, parts = sprite.shape[0], 6
    t = np.linspace(0, 1, parts + 1)
    sway, nod = (rng.uniform(-most, most) * np.sin(np.pi * (rng.uniform(.6, 1.6) * t + rng.uniform(0, 2))) * n for _ in (0, 1))
    x, y = t[None] * n + sway[:, None], t[:, None] * n + nod[None]
    cells = [((int(t[j] * n), int(t[i] * n), int(t[j + 1] * n), int(t[i + 1] * n)),
              (x[i, j], y[i, j], x[i + 1, j], y[i + 1, j], x[i + 1, j + 1], y[i + 1, j + 1], x[i, j + 1], y[i, j + 1]))
             for i in range(parts) for j in range(parts)]
    return np.asarray(Image.fromarray(sprite).convert("RGBa").transform((n, n), Image.MESH, cells, Image.BILINEAR).convert("RGBA"))


class Composer:
    def __init__(self, work, split, seed=0, side=SIDE):
        """side: of the pictures; split: "train", "test" (held-out individuals) or "new" (individuals of new words), see bank.py."""
        self.side = side
        self.sprites, rows = bank.load(work, bank.SIDE if side == SIDE else bank.LARGE)
        self.individuals = {}  # word -> individual -> sprite indices
        for i, r in enumerate(rows):
            if r["split"] == split:
                self.individuals.setdefault(r["word"], {}).setdefault(r["individual"], []).append(i)
        self.words = sorted(self.individuals)
        often = np.array([ANIMALS if w in HYPERNYMS["animal"] else 1 for w in self.words], float)
        self.often = often / often.sum() if split == "train" else None
        self.hues = [main_hue(s) for s in self.sprites]
        self.free = split != "train"
        self.hats = {h: [i for i, r in enumerate(rows) if r["word"] == h] for h in HATS}
        self.seats = {s: [i for i, r in enumerate(rows) if r["word"] == s] for s in SEATS}
        rng = np.random.default_rng(seed + 99)  # the same backgrounds in every worker
        self.places = {p: [paint(p, rng, side) for _ in range(VARIANTS)] for p in PLACES}

    def background(self, rng, place):
        im = self.places[place][rng.integers(VARIANTS)]
        if rng.random() < .5:
            im = im[:, ::-1]
        return np.clip(im * rng.uniform(.92, 1.06), 0, 255).astype(np.float32) / 255

    def draw(self, rng, sprite, canvas, floating, x, y, height, light=None):
        """Puts the sprite (RGBA uint8) on the canvas (float, changed in place), foot or centre at x, y.

        Returns its alpha [side, side] and the affine map [2, 3] from pixels to the sprite's 0..1.
        """
        n = sprite.shape[0]
        k = float(n / height)
        angle = np.radians(rng.uniform(-20, 20) if floating else rng.uniform(-6, 6))
        shear, wide = rng.uniform(-.08, .08), rng.uniform(.92, 1.08)
        flip = -1 if rng.random() < .5 else 1
        c, s = np.cos(angle), np.sin(angle)
        # output pixel -> sprite pixel
        m = np.array([[flip * (c / wide + shear * s), flip * (s / wide - shear * c)], [-s, c]]) * k
        cy = y if floating else y - height / 2
        off = np.array([n / 2, n / 2]) - m @ np.array([x, cy])
        im = Image.fromarray(sprite).convert("RGBa").transform(
            (self.side, self.side), Image.AFFINE, (m[0, 0], m[0, 1], off[0], m[1, 0], m[1, 1], off[1]), Image.BILINEAR)
        if k > 1.6:  # bilinear sampling alone would alias
            im = im.filter(ImageFilter.GaussianBlur(.35 * k - .2))
        rgba = np.asarray(im).astype(np.float32) / 255
        alpha = rgba[..., 3:]
        shadow, light = light is None, canvas.mean((0, 1)) if light is None else light
        tint = (1 + .22 * (light - .55)) * rng.uniform(.92, 1.08)
        side = 1 + rng.uniform(-.12, .12) * np.linspace(-1, 1, self.side, dtype=np.float32)[None, :, None]
        if shadow and not floating:
            ys, xs = np.mgrid[0:self.side, 0:self.side].astype(np.float32)
            r = ((xs - x) / (height * .42)) ** 2 + ((ys - y + 1) / (height * .09)) ** 2
            canvas *= 1 - (.38 * np.exp(-r * 1.2))[..., None]
        canvas *= 1 - alpha
        canvas += np.clip(rgba[..., :3] * tint * side, 0, alpha)
        return alpha[..., 0], np.concatenate([m, off[:, None]], 1) / n

    def wear(self, rng, hat, canvas, mask, light):
        """Puts a hat on the top of the subject whose mask [side, side] this is. Returns the hat's alpha."""
        rows = np.flatnonzero((mask > .5).sum(1))
        top, tall = rows[0], len(rows)
        head = mask[top + round(.12 * tall):top + round(.3 * tall) + 1] > .5
        columns = np.flatnonzero(head.any(0))
        wide = np.clip(columns[-1] - columns[0] + 1, .3 * tall, .9 * tall)
        peak = np.flatnonzero((mask[top:top + round(.08 * tall) + 1] > .5).any(0))
        choice = self.hats[hat]
        sprite = Identity(rng, 0, 0, True, 1).apply(self.sprites[choice[rng.integers(len(choice))]])
        height = wide * rng.uniform(.8, 1.0)
        inside = np.flatnonzero(sprite[..., 3].any(1))  # the cut-out touches its square's sides only along its longer axis
        lift = (sprite.shape[0] - 1 - inside[-1]) / sprite.shape[0] * height
        return self.draw(rng, sprite, canvas, False, .5 * (peak.mean() + columns.mean()), top + .13 * tall + lift, height, light)[0]

    def seat(self, rng, seat, canvas, x, foot, wide, floating, light):
        """Draws what a subject [wide] pixels wide at x is on or in, with its lowest row at foot. Returns its alpha and its height."""
        choice = self.seats[seat]
        sprite = Identity(rng, 0, 0, True, 1).apply(self.sprites[choice[rng.integers(len(choice))]])
        rows, columns = np.flatnonzero(sprite[..., 3].any(1)), np.flatnonzero(sprite[..., 3].any(0))
        side = wide * rng.uniform(1.05, 1.25) * sprite.shape[0] / len(columns)  # of the whole square
        lift = (sprite.shape[0] - 1 - rows[-1]) / sprite.shape[0] * side
        y = foot + lift - (side / 2 if floating else 0)
        return self.draw(rng, sprite, canvas, floating, x, y, side, None if not floating else light)[0], len(rows) / sprite.shape[0] * side

    def compose(self, rng, subjects, place, sizes=(.5, .8), hat=None, seat=None):
        """subjects: recoloured sprites, left to right; hat: what the first one wears; seat: what it is on or in.

        Returns picture [side, side, 3] uint8, masks [n, side, side] uint8, and the subjects' maps from pixels to sprites [n, 2, 3].
        """
        canvas = self.background(rng, place).copy()
        floating = place in FLOATING
        n, masks, maps, light = len(subjects), [], [], canvas.mean((0, 1))
        for i, sprite in enumerate(subjects):
            if n == 1:
                height = min(rng.uniform(*sizes), .66 if hat else .62 if seat else 1) * self.side
                x = self.side * .5 + rng.uniform(-1, 1) * max(0, self.side * .46 - height * .45)
            else:
                height = rng.uniform(.42, .55) * self.side
                x = self.side * (.28 + .44 * i + rng.uniform(-.05, .05))
            foot = rng.uniform(max(.74, min(height / self.side + .03, .95)), .96) * self.side
            y = foot if not floating else rng.uniform(height / 2 + 3, self.side - height / 2 - 3)
            if hat:  # room above the head
                y = max(y, height * (.95 if floating else 1.35))
            under = seat and not SEATS[seat][1]
            wide = np.ptp(np.flatnonzero(sprite[..., 3].any(0))) / sprite.shape[0] * height
            if under:  # the seat stands where the subject would, the subject on it
                foot = min(y + (height / 2 if floating else 0), .98 * self.side)
                tall = self.seat(rng, seat, canvas, x, foot, wide, floating, light)[1]
                y = foot - .62 * tall - (height / 2 if floating else 0)
            alpha, to_sprite = self.draw(rng, sprite, canvas, floating, x, y, height, light if under else None)
            masks = [m * (1 - alpha) for m in masks] + [alpha]
            if seat and not under:  # it hides the lower part
                foot = min(y + (height / 2 if floating else 0) + .08 * height, .99 * self.side)
                front = self.seat(rng, seat, canvas, x, foot, min(wide, .75 * height), floating, light)[0]
                masks = [m * (1 - front) for m in masks]
            maps.append(to_sprite)
        if hat:
            alpha = self.wear(rng, hat, canvas, masks[0], light)
            masks = [m * (1 - alpha) for m in masks]
        canvas += rng.normal(0, .004, canvas.shape)
        return ((np.clip(canvas, 0, 1) * 255).astype(np.uint8), (np.stack(masks) * 255).astype(np.uint8), np.stack(maps))

    def pick(self, rng, word, natural):
        """An individual of the word with an identity: (name, identity, sprite indices)."""
        names = sorted(self.individuals[word])
        # Fluent draws the prettiest pictures: it leads, the others are its variety
        weight = np.array([3.0 if "/fluent/" in n else 1.0 for n in names])
        name = names[rng.choice(len(names), p=weight / weight.sum())]
        indices = self.individuals[word][name]
        return name, Identity(rng, *self.hues[indices[0]], self.free, natural), indices

    def posed(self, rng, identity, indices):
        """One rendering of the individual in its colours, mostly bent a little."""
        sprite = identity.apply(self.sprites[indices[rng.integers(len(indices))]])
        return bend(rng, sprite) if rng.random() < .7 else sprite

    def reference(self, rng, identity, indices):
        """Another picture of the same individual, at reference size."""
        sprite = self.posed(rng, identity, indices)
        plain = rng.random() < .6
        place = ["white", "blue", "pink", "yellow", "green", "purple"][rng.integers(6)] if plain else list(PLACES)[rng.integers(len(PLACES))]
        return self.compose(rng, [sprite], place, (.6, .92))

    def sample(self, rng, natural=.6, references=True):
        """One training scene as a dict: picture, masks, caption, spans, words, place, references (one per subject), same."""
        pair = rng.random() < .15
        words = [self.words[i] for i in rng.choice(len(self.words), 2 if pair else 1, replace=False, p=self.often)]
        wearers = [w for w in WEARERS if w in self.individuals]
        if not pair and wearers and rng.random() < .15:
            words = [wearers[rng.integers(len(wearers))]]
        place = list(PLACES)[rng.integers(len(PLACES))]
        who = [self.pick(rng, w, natural) for w in words]
        sprites = [self.posed(rng, i, ix) for _, i, ix in who]
        sizes = SIZES if rng.random() < .85 else (.35, .9)
        if words[0] in BIG:
            sizes = BIG_SIZES
        hat = list(HATS)[rng.integers(len(HATS))] if not pair and words[0] in WEARERS and rng.random() < .6 else None
        seat = list(SEATS)[rng.integers(len(SEATS))] if not pair and not hat and words[0] not in SEATLESS and rng.random() < .12 else None
        picture, masks, maps = self.compose(rng, sprites, place, sizes, hat, seat)
        colour = who[0][1].colour if rng.random() < .35 and not pair else None
        text, spans = captions.caption(rng, words, place, colour, hat, seat)
        refs = [self.reference(rng, *w[1:]) for w in who] if references else []
        return dict(picture=picture, masks=masks, caption=text, spans=spans, words=words, place=place, hat=hat, seat=seat,
                    references=[r for r, _, _ in refs], reference_masks=[m[0] for _, m, _ in refs], colour=colour,
                    individuals=[names for names, _, _ in who], turns=[round(i.turn) for _, i, _ in who],
                    to_sprite=maps, reference_to_sprite=[m[0] for _, _, m in refs])


def shrink(a, side):
    """Box-filtered uint8 picture or mask, square, last two spatial axes first."""
    k = a.shape[0] // side
    return a.reshape(side, k, side, k, *a.shape[2:]).mean((1, 3)).round().astype(np.uint8)


def block(composer, out, split, seed, count, index, natural, go_on=lambda: True):
    """Composes block `index` into the folder `out`. Its -meta.json comes last: a block that has one is whole."""
    rng = np.random.default_rng([seed, index])
    side, alone = composer.side, composer.side != SIDE
    kept = {"pictures": np.zeros((count, side, side, 3), np.uint8), "masks": np.zeros((count, 2, GRID, GRID), np.uint8)}
    if not alone:
        kept |= {"references": [], "reference_masks": [], "maps": []}  # one entry per subject, in the order of the scenes
    meta, name = [], LARGE if alone else split
    for n in range(count):
        if not go_on():
            return
        s = composer.sample(rng, natural, not alone)
        kept["pictures"][n] = s["picture"]
        for i, m in enumerate(s["masks"]):
            kept["masks"][n, i] = shrink(m, GRID)
            if alone:
                continue
            kept["references"].append(s["references"][i])
            kept["reference_masks"].append(shrink(s["reference_masks"][i], 32))
            kept["maps"].append([s["to_sprite"][i], s["reference_to_sprite"][i]])
        meta.append({k: s[k] for k in ("caption", "spans", "words", "place", "hat", "seat", "colour", "individuals", "turns")})
    for k, v in kept.items():
        np.save(out / f"{name}-{index:03d}-{k}.npy", np.asarray(v, np.float32 if k == "maps" else np.uint8))
    path = out / f"{name}-{index:03d}-meta.json"
    path.with_suffix(".tmp").write_text(json.dumps(meta))
    path.with_suffix(".tmp").rename(path)


def build(work, split, count, seed, workers, natural, first=0, size=1500, out=None, side=SIDE):
    """Composes `count` scenes in blocks of `size`, from block `first` on; blocks that are there are not made again. The composer is made
    once, the workers are forks that share it, and end when whoever asked for them is gone."""
    out, boss, start = out or work, os.getppid(), time.time()
    out.mkdir(parents=True, exist_ok=True)
    jobs = [(first + i, min(size, count - i * size)) for i in range((count + size - 1) // size)]
    jobs = [j for j in jobs if not (out / f"{split if side == SIDE else LARGE}-{j[0]:03d}-meta.json").exists()]
    if not jobs:
        return
    composer = Composer(work, split, side=side)

    def worker(number, parent):
        for index, n in jobs[number::workers]:
            block(composer, out, split, seed, n, index, natural, lambda: os.getppid() == parent)
            print(f"{split} block {index} written, {time.time() - start:.0f} s", flush=True)

    team = [multiprocessing.get_context("fork").Process(target=worker, args=(i, os.getpid()), daemon=True) for i in range(min(workers, len(jobs)))]
    for p in team:
        p.start()
    while any(p.is_alive() for p in team) and os.getppid() == boss:
        for p in team:
            p.join(.1)
    if os.getppid() == boss and any(p.exitcode != 0 for p in team):
        raise SystemExit("not all scenes could be composed")


def contact_sheet(work, split, seed, path, side=SIDE):
    composer, rng = Composer(work, split, side=side), np.random.default_rng(seed)
    sheet = Image.new("RGB", (6 * (side + 76), 4 * (side + 22)), (250, 250, 250))
    draw = ImageDraw.Draw(sheet)
    for n in range(24):
        s = composer.sample(rng)
        x, y = n % 6 * (side + 76), n // 6 * (side + 22)
        sheet.paste(Image.fromarray(s["picture"]), (x, y))
        sheet.paste(Image.fromarray(s["references"][0]).resize((64, 64), Image.BOX), (x + side + 3, y))
        sheet.paste(Image.fromarray(s["masks"].max(0)).resize((64, 64)), (x + side + 3, y + 66))
        draw.text((x, y + side + 2), s["caption"][:40], fill=(0, 0, 0))
    sheet.save(path)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--split", choices=("train", "test", "new"), default="train")
    p.add_argument("--count", type=int, default=30000)
    p.add_argument("--first", type=int, default=0, help="number of the first block, to add to what is there")
    p.add_argument("--block", type=int, default=1500, help="scenes per block")
    p.add_argument("--out", type=pathlib.Path, help="folder of the blocks (default: DIR)")
    p.add_argument("--natural", type=float, default=.6, help="share of subjects that keep their own colours")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--side", type=int, choices=(SIDE, 2 * SIDE), default=SIDE, help="of the pictures; the larger ones have no references")
    p.add_argument("--sheet", help="only draw 24 scenes into this PNG")
    a = p.parse_args()
    if a.sheet:
        contact_sheet(a.work, a.split, a.seed, a.sheet, a.side)
    else:
        build(a.work, a.split, a.count, a.seed, a.workers, a.natural, a.first, a.block, a.out, a.side)

"""Judges of toybox pictures, trained on composed scenes alone, apart from the model that they judge.

    python judges.py --work DIR --minutes 30     trains, resumable; writes DIR/judges.pt
    python judges.py --work DIR --ceiling FILE   how right they are on real held-out scenes: the best that a model could score

The segmenter (picture, word -> mask) and the classifier (place, hat, word inside a mask) are heads on one trunk; the
embedder sees the picture inside a mask and nothing else. None of them saw a held-out individual or a new word.
"""
import argparse, json, pathlib, sys, time
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F
from PIL import Image, ImageOps

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from data import Scenes  # noqa: E402
from words import HATS, HYPERNYMS, NEW_WORDS, PLACES, SUBJECTS, WEARERS, hypernyms_of  # noqa: E402

WORDS = list(SUBJECTS)  # what the classifier knows
NAMES = WORDS + list(HYPERNYMS) + ["thing"]  # what the segmenter may be asked for
PLACE_KEYS, HAT_KEYS = list(PLACES), [""] + list(HATS)
GRID, CROP = 16, 40
ROOM = 8  # cached crops are so much larger, to be moved about
SAME_TURN = 30  # degrees: less than that apart, one individual in two hues is one identity


def conv(a, b, stride=1, k=3):
    return nn.Sequential(nn.Conv2d(a, b, k, stride, k // 2, bias=False), nn.BatchNorm2d(b), nn.ReLU(inplace=True))


class Scene(nn.Module):
    """Segmenter and classifier. Pictures come as 64x64."""

    def __init__(self):
        super().__init__()
        self.fine = nn.Sequential(conv(3, 32, 2, 5), conv(32, 64, 2), conv(64, 64))  # 16x16
        self.coarse = nn.Sequential(conv(64, 128, 2), conv(128, 128))  # 8x8
        self.name, self.up = nn.Embedding(len(NAMES), 128), nn.Conv2d(128, 64, 1)
        self.head = nn.Sequential(conv(64, 64), nn.Conv2d(64, 1, 1))
        self.place, self.hat, self.word = nn.Linear(128, len(PLACES)), nn.Linear(256, len(HAT_KEYS)), nn.Linear(192, len(WORDS))

    def forward(self, x):
        fine = self.fine(x)
        return fine, self.coarse(fine)

    def segment(self, fine, coarse, names):
        scale, shift = self.name(names)[:, :, None, None].chunk(2, 1)
        x = fine + F.interpolate(self.up(coarse), scale_factor=2)
        return self.head(F.relu(x * (1 + scale) + shift))[:, 0]  # [B, 16, 16], logits

    def classify(self, fine, coarse, masks):
        """masks [B, 16, 16] in 0..1. Logits of place, hat, and the word of what is inside the mask."""
        mean = coarse.mean((2, 3))
        m, small = masks[:, None], F.avg_pool2d(masks[:, None], 2)
        inside = torch.cat([(fine * m).sum((2, 3)) / (m.sum((2, 3)) + .5), (coarse * small).sum((2, 3)) / (small.sum((2, 3)) + .5)], 1)
        return self.place(mean), self.hat(torch.cat([coarse.amax((2, 3)), inside[:, 64:]], 1)), self.word(inside)


class Embedder(nn.Module):
    """What is inside the mask, 40x40 -> a direction of 64 numbers."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(conv(3, 32, 2, 5), conv(32, 64, 2), conv(64, 64), conv(64, 128, 2), conv(128, 128))
        self.out = nn.Linear(128 * 10, 64)

    def forward(self, x):
        x = self.body(x)
        x = torch.cat([x.mean((2, 3)), F.adaptive_avg_pool2d(x, 3).flatten(1)], 1)
        return F.normalize(self.out(x).float(), dim=1)


class Judges(nn.Module):
    def __init__(self):
        super().__init__()
        self.scene, self.embedder, self.temperature = Scene(), Embedder(), nn.Parameter(torch.tensor(2.5))

    @torch.inference_mode()
    def segment(self, pictures, names, batch=64):
        """uint8 pictures [B, 128, 128, 3] and what to look for -> masks [B, 16, 16] in 0..1"""
        ids = torch.tensor([NAMES.index(n) if n in NAMES else NAMES.index("thing") for n in names])
        return torch.cat([self.scene.segment(*self.scene(small(p)), i).sigmoid() for p, i in zip(split(pictures, batch), ids.split(batch))])

    def find(self, pictures, names):
        """Masks of the only subject of each picture: what the segmenter says of the name and of "thing", of the picture and of its mirror."""
        mirrored = pictures[:, :, ::-1]
        logits = [torch.logit(m.clamp(1e-4, 1 - 1e-4)) for n in (names, ["thing"] * len(names)) for m in (self.segment(pictures, n), self.segment(mirrored, n).flip(2))]
        return torch.stack(logits).mean(0).sigmoid()

    def find_two(self, pictures, names, places):
        """Masks [B, 2, 16, 16] of the two subjects: what the segmenter says of either name, each cell for the subject whose own mask in
        places [B, 2, 16, 16] is nearer. The segmenter often mistakes one unknown individual for another; where they stand is known."""
        either = torch.stack([self.segment(pictures, [n[k] for n in names]) for k in (0, 1)]).amax(0)
        spread = (places > 0).float()
        for _ in range(8):
            spread = F.avg_pool2d(spread, 5, 1, 2)
        first = spread[:, 0] >= spread[:, 1]
        return torch.stack([either * first, either * ~first], 1)

    @torch.inference_mode()
    def classify(self, pictures, masks, batch=64):
        """(place [B], hat [B], word [B, words] logits): indices into PLACE_KEYS, HAT_KEYS, WORDS"""
        out = [self.scene.classify(*self.scene(small(p)), m) for p, m in zip(split(pictures, batch), masks.split(batch))]
        place, hat, word = (torch.cat(o) for o in zip(*out))
        return place.argmax(1), hat.argmax(1), word

    @torch.inference_mode()
    def embed(self, pictures, masks, batch=64):
        """Directions [B, 64]: their dot product is the identity cosine."""
        cuts = np.stack([cut(p, m) for p, m in zip(pictures, masks.float().numpy())])
        return torch.cat([self.embedder(floats(c)) for c in split(cuts, batch)])


def split(pictures, batch):
    return [pictures[i:i + batch] for i in range(0, len(pictures), batch)]


def floats(pictures):
    """uint8 [B, H, W, 3] -> [B, 3, H, W] in -1..1, channels last in memory"""
    return (torch.from_numpy(np.array(pictures)).float() / 127.5 - 1).permute(0, 3, 1, 2)


def small(pictures):
    return F.avg_pool2d(floats(pictures), 2)


def cut(picture, mask, side=CROP):
    """The square around a mask [G, G] in 0..1, on grey: uint8 [side, side, 3]."""
    g, n = len(mask), len(picture)
    on = mask >= min(.5, mask.max())  # at least where it is highest
    ys, xs = np.flatnonzero(on.any(1)), np.flatnonzero(on.any(0))
    r = max(ys[-1] - ys[0], xs[-1] - xs[0], 1) / 2 + 1
    r *= 1.1 * n / g * side / CROP
    cy, cx = (ys[0] + ys[-1] + 1) / 2 * n / g, (xs[0] + xs[-1] + 1) / 2 * n / g
    m = Image.fromarray((np.clip(1.6 * mask, 0, 1) * 255).astype(np.uint8)).resize((n, n), Image.BILINEAR)
    grey = Image.new("RGB", (n, n), (127, 127, 127))
    grey.paste(Image.fromarray(picture), (0, 0), m)
    pad = int(np.ceil(max(0, r - cx, r - cy, cx + r - n, cy + r - n)))
    if pad:
        grey = ImageOps.expand(grey, pad, (127, 127, 127))
    return np.asarray(grey.resize((side, side), Image.BILINEAR, (cx - r + pad, cy - r + pad, cx + r + pad, cy + r + pad)))


class Subjects:
    """All subjects of a split, one entry each."""

    def __init__(self, work, split):
        self.scenes = Scenes(work, split)
        self.entries = [(i, s) for i, m in enumerate(self.scenes.meta) for s in range(len(m["words"]))]
        meta = [self.scenes.meta[i] for i, _ in self.entries]
        self.words = [m["words"][s] for m, (_, s) in zip(meta, self.entries)]
        self.places = np.array([PLACE_KEYS.index(m["place"]) for m in meta])
        self.hats = np.array([HAT_KEYS.index(m["hat"] or "") for m in meta])
        self.alone = np.array([len(m["words"]) == 1 for m in meta])
        names = [m["individuals"][s] for m, (_, s) in zip(meta, self.entries)]
        self.individuals = np.unique(names, return_inverse=True)[1]
        self.turns = np.array([m["turns"][s] for m, (_, s) in zip(meta, self.entries)])
        self.by_word = [np.flatnonzero(np.array(self.words) == w) for w in sorted(set(self.words))]

    def __len__(self):
        return len(self.entries)

    def pictures(self, indices):
        return np.stack([self.scenes.picture(self.entries[i][0]) for i in indices])

    def masks(self, indices):
        return torch.from_numpy(np.stack([self.scenes.masks(self.entries[i][0])[self.entries[i][1]] for i in indices])).float() / 255

    def references(self, indices):
        """(pictures, masks [B, 32, 32])"""
        pairs = [self.scenes.reference(*self.entries[i]) for i in indices]
        return np.stack([p for p, _ in pairs]), torch.from_numpy(np.stack([m for _, m in pairs])).float() / 255

    def alike(self, a, b):
        """[A, B]: the same individual in (nearly) the same hue"""
        turn = np.abs((self.turns[a][:, None] - self.turns[b][None] + 180) % 360 - 180)
        return (self.individuals[a][:, None] == self.individuals[b][None]) & (turn <= SAME_TURN)


class Cached:
    """What training reads of all subjects, small: made once, kept in DIR/judges.npz."""

    def __init__(self, data, path, seed=0):
        if path.exists():
            kept = np.load(path)
        else:
            rng = np.random.default_rng(seed)
            kept = {"pictures": np.zeros((len(data.scenes), 64, 64, 3), np.uint8)}
            for i in range(len(data.scenes)):
                kept["pictures"][i] = np.asarray(Image.fromarray(data.scenes.picture(i)).reduce(2))
            n, side = len(data), CROP + ROOM
            kept |= {k: np.zeros((n, side, side, 3), np.uint8) for k in ("own", "twin")}
            for n, (i, s) in enumerate(data.entries):
                mask = data.scenes.masks(i)[s].astype(np.float32) / 255
                if rng.random() < .4:  # what a segmenter might say
                    mask = np.roll(mask, rng.integers(-1, 2, 2), (0, 1))
                kept["own"][n] = cut(data.scenes.picture(i), mask, side)
                ref, mask = data.scenes.reference(i, s)
                kept["twin"][n] = cut(ref, mask.astype(np.float32) / 255, side)
            np.savez(path, **kept)
        self.pictures, self.own, self.twin = (kept[k] for k in ("pictures", "own", "twin"))


def shifted(rng, cuts):
    """A window of each cached crop, mirrored or not; softer and noisier at times, as generated pictures are."""
    y, x = rng.integers(0, ROOM + 1, 2)
    cuts = cuts[:, y:y + CROP, x:x + CROP]
    return soften(rng, floats(cuts[:, :, ::-1] if rng.random() < .5 else cuts))


def soften(rng, x):
    if rng.random() < .3:
        x = x + rng.uniform(0, 1) * (F.avg_pool2d(x, 3, 1, 1, count_include_pad=False) - x)
    return x + rng.uniform(0, .06) * torch.randn(x.shape) if rng.random() < .3 else x


def losses(judges, data, cache, rng, batch, hats):
    # a few subjects of each of many words, so that the embedder must tell a cat from another cat
    words = rng.choice(len(data.by_word), batch // 4, replace=batch // 4 > len(data.by_word))
    some = np.concatenate([rng.choice(data.by_word[w], 4) for w in words])
    if len(hats):
        some[rng.choice(len(some), len(some) // 10, replace=False)] = rng.choice(hats, len(some) // 10)
    pictures, m = cache.pictures[[data.entries[i][0] for i in some]], data.masks(some)
    names = [(hypernyms_of(data.words[i]) or ["thing"])[0] if k < .2 else "thing" if k < .3 and data.alone[i] else data.words[i]
             for i, k in zip(some, rng.random(len(some)))]
    if rng.random() < .5:
        pictures, m = pictures[:, :, ::-1], m.flip(2)
    given = F.avg_pool2d(m[:, None], 3, 1, 1)[:, 0] if rng.random() < .3 else m
    with torch.autocast("cpu", torch.bfloat16):
        fine, coarse = judges.scene(soften(rng, floats(pictures)))
        logits = judges.scene.segment(fine, coarse, torch.tensor([NAMES.index(n) for n in names])).float()
        place, hat, word = (o.float() for o in judges.scene.classify(fine, coarse, given.bfloat16()))
        embedded = judges.embedder(torch.cat([shifted(rng, cache.own[some]), shifted(rng, cache.twin[some])]))
    p = logits.sigmoid()
    dice = 1 - (2 * (p * m).sum((1, 2)) + 1) / (p.sum((1, 2)) + m.sum((1, 2)) + 1)
    segment = F.binary_cross_entropy_with_logits(logits, m) * 2 + dice.mean()
    kind = torch.tensor([WORDS.index(data.words[i]) for i in some])
    classify = (F.cross_entropy(place, torch.from_numpy(data.places[some])) + F.cross_entropy(hat, torch.from_numpy(data.hats[some]))
                + F.cross_entropy(word, kind, label_smoothing=.05))
    cosines = embedded[:len(some)] @ embedded[len(some):].T * judges.temperature.exp().clamp(max=60)
    own = torch.arange(len(some))
    cosines = cosines.masked_fill(torch.from_numpy(data.alike(some, some)) & (own[:, None] != own), -30)
    identity = (F.cross_entropy(cosines, own) + F.cross_entropy(cosines.T, own)) / 2
    return segment, classify, identity, (word.argmax(1) == kind).float().mean(), (cosines.argmax(1) == own).float().mean()


def train(work, minutes, batch, lr, seed=0):
    torch.manual_seed(seed)
    judges, data = Judges().to(memory_format=torch.channels_last), Subjects(work, "train")
    optimizer = torch.optim.AdamW(judges.parameters(), lr, betas=(.9, .98), weight_decay=.02)
    path, spent, step, cache = work / "judges.pt", 0.0, 0, Cached(data, work / "judges.npz")
    if path.exists():
        saved = torch.load(path)
        judges.load_state_dict(saved["judges"]), optimizer.load_state_dict(saved["optimizer"])
        spent, step = saved["seconds"], saved["step"]
    print(f"{sum(p.numel() for p in judges.scene.parameters())} + {sum(p.numel() for p in judges.embedder.parameters())} parameters, {len(data)} subjects", flush=True)
    rng, hats = np.random.default_rng([seed, step]), np.flatnonzero(data.hats)
    start, told, means = time.time() - spent, time.time(), None
    while (spent := time.time() - start) < minutes * 60:
        rate = lr * min(1, (step + 1) / 60) * min(1, 2.2 * (1 - spent / minutes / 60) + .01)  # falls in the last 45 %
        for g in optimizer.param_groups:
            g["lr"] = rate
        values = losses(judges, data, cache, rng, batch, hats)
        sum(values[:3]).backward()
        nn.utils.clip_grad_norm_(judges.parameters(), 2.0)
        optimizer.step(), optimizer.zero_grad()
        step += 1
        now = torch.stack(values).detach()
        means = now if means is None else means + .05 * (now - means)
        if time.time() - told > 60 or spent > minutes * 60 - 20:
            told = time.time()
            print(f"{spent:.0f} s step {step} segment {means[0]:.3f} classify {means[1]:.3f} identity {means[2]:.3f} word {means[3]:.3f} retrieval {means[4]:.3f}", flush=True)
            save(path, judges, optimizer, spent, step)
    save(path, judges, optimizer, spent, step)


def save(path, judges, optimizer, seconds, step):
    torch.save({"judges": judges.state_dict(), "optimizer": optimizer.state_dict(), "seconds": seconds, "step": step}, path.with_suffix(".new"))
    path.with_suffix(".new").replace(path)


def load(work):
    judges = Judges()
    judges.load_state_dict(torch.load(pathlib.Path(work) / "judges.pt")["judges"])
    return judges.eval().to(memory_format=torch.channels_last)


def iou(masks, true):
    """Per picture, of [B, H, W] halves."""
    a, b = masks > .5, true > .5
    return (a & b).sum((1, 2)) / (a | b).sum((1, 2)).clamp(min=1)


def gallery(data, rng, size, among):
    """Indices of subjects whose identities differ: no individual twice in nearly the same hue."""
    chosen = []
    for i in rng.permutation(among):
        if not data.alike([i], chosen).any():
            chosen.append(i)
            if len(chosen) == size:
                break
    return np.array(chosen)


def ceiling(judges, work, split, size=200, draws=5):
    """The judges' own figures on real scenes of a split that show one subject; and the embedder's inside true masks."""
    data = Subjects(work, split)
    alone = np.flatnonzero(data.alone)
    pictures, true, words = data.pictures(alone), data.masks(alone), [data.words[i] for i in alone]
    new = split == "new"
    names = [hypernyms_of(w)[0] if new else w for w in words]
    masks = judges.find(pictures, names)
    place, hat, word = judges.classify(pictures, masks)
    best, hats = [WORDS[i] for i in word.argmax(1)], data.hats[alone]
    out = {"scenes": len(alone), "segmenter IoU": iou(masks, true).mean(), "place": (place.numpy() == data.places[alone]).mean()}
    if new:
        out["hypernym"] = np.mean([n in hypernyms_of(b) for n, b in zip(names, best)])
    else:
        may = np.array([w in WEARERS for w in words])
        out["word"] = np.mean([b == w for b, w in zip(best, words)])
        out["hat where one is worn"] = (hat.numpy() == hats)[may & (hats > 0)].mean()
        out["no hat where none is"] = (hat.numpy() == hats)[may & (hats == 0)].mean()
    refs, ref_masks = data.references(alone)
    judged, ideal, b = judges.embed(pictures, masks), judges.embed(pictures, true), judges.embed(refs, ref_masks)
    rng, rows = np.random.default_rng(0), []
    for _ in range(draws):
        g = gallery(data, rng, size, alone)
        at = np.searchsorted(alone, g)
        own, c = torch.arange(len(g)), judged[at] @ b[at].T
        rows.append([(c.argmax(1) == own).float().mean(), ((ideal[at] @ b[at].T).argmax(1) == own).float().mean(), c.diagonal().mean(), (c.sum() - c.diagonal().sum()) / (len(g) * (len(g) - 1))])
    out |= dict(zip((f"retrieval@1 of {len(g)}", f"retrieval@1 of {len(g)} inside the true mask", "cosine to the own reference", "cosine to another's"), np.mean(rows, 0)))
    return {k: v if isinstance(v, int) else round(float(v), 3) for k, v in out.items()}


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, help="train up to this many minutes in all")
    p.add_argument("--batch", type=int, default=192)
    p.add_argument("--lr", type=float, default=2e-3)
    p.add_argument("--ceiling", type=pathlib.Path, help="write the judges' own figures into this JSON file")
    a = p.parse_args()
    torch.set_num_threads(1)
    if a.minutes:
        train(a.work, a.minutes, a.batch, a.lr)
    if a.ceiling:
        judges = load(a.work)
        figures = {split: ceiling(judges, a.work, split, size) for split, size in (("test", 200), ("new", 80))}
        a.ceiling.write_text(json.dumps(figures, indent=1) + "\n")
        print(json.dumps(figures, indent=1))

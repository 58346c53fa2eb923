"""Streams <text-image> and <multiview> training data from tar shards, laid out as the webdataset library does.

Files of one sample stand together and share the name up to the first dot of the file name:

    text-image   KEY.jpg (or .png, .webp) and KEY.txt (the caption) or KEY.json {"caption": ..., "words": ["dog"]}
    multiview    KEY.0.jpg, KEY.1.jpg, ... and the same; two or more pictures of one subject
    masks        optional: KEY.mask.png, KEY.0.mask.png, ...: white where the subject is in the upright picture; "words" then says which words name it

A shard is a path, a pattern ("part-{0000..0099}.tar", "*.tar") or "pipe:COMMAND", whose output is read. Nothing is unpacked to disk.

Order. The shards of a kind are dealt to lanes. A lane reads its shards in an order that follows from seed and epoch, and shuffles
`shuffle` samples at a time. Sample `place` of a step comes from lane place % lanes; each process, and each worker in it, owns
whole lanes. So the samples follow from the seed alone, are the same for every number of processes and workers that divides
the lanes, and a stopped run finds its position again by passing over what it has seen, reading headers only.
"""
import glob, io, itertools, json, re, subprocess, tarfile
from contextlib import contextmanager
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageOps
from curriculum import crop_limit, multiview_share

PICTURES = ("jpg", "jpeg", "png", "webp")
KINDS = ("text_image", "multiview")
T_MAX = 1000


def expand(patterns):
    """Shards named by patterns, in order. Raises FileNotFoundError for a pattern that finds nothing."""
    out = []
    for pattern in [patterns] if isinstance(patterns, str) else patterns:
        found = re.search(r"\{(\d+)\.\.(\d+)\}", pattern)
        if found:
            first, last = found.groups()
            out += expand([pattern[:found.start()] + str(i).zfill(len(first)) + pattern[found.end():] for i in range(int(first), int(last) + 1)])
        elif pattern.startswith("pipe:"):
            out.append(pattern)
        elif names := sorted(glob.glob(pattern)):
            out += names
        else:
            raise FileNotFoundError(f"no shard matches {pattern}: correct the config's \"data\"")
    return out


@contextmanager
def opened(shard):
    if not shard.startswith("pipe:"):
        with tarfile.open(shard) as tar:
            yield tar
        return
    with subprocess.Popen(shard[5:], shell=True, stdout=subprocess.PIPE) as process, tarfile.open(fileobj=process.stdout, mode="r|*") as tar:
        yield tar
        process.stdout.read()  # padding behind the last file
    if process.returncode:
        raise OSError(f"{shard} ended with status {process.returncode}")


def read(shard, skip=0):
    """The shard's samples (key, {extension: bytes}), one after the other; None for each of the first `skip`, which are not read."""
    with opened(shard) as tar:
        count, key, parts = -1, None, None
        for member in tar:
            tar.members = []  # it would keep them all
            if not member.isfile():
                continue
            folder, _, name = member.name.rpartition("/")
            stem, _, extension = name.partition(".")
            if (folder, stem) != key:
                if key:
                    yield parts and (f"{shard}: {key[1]}", parts)
                count, key = count + 1, (folder, stem)
                parts = {} if count >= skip else None
            if parts is not None:
                parts[extension.lower()] = tar.extractfile(member).read()
        if key:
            yield parts and (f"{shard}: {key[1]}", parts)


class Lane:
    """An endless shuffled stream over shards. decode(parts) makes a sample of a file's parts, or raises ValueError or OSError;
    then the next sample of the same shuffled chunk takes its place."""

    def __init__(self, shards, seed, shuffle, decode, position=0):
        self.shards, self.seed, self.shuffle, self.decode = shards, list(seed), shuffle, decode
        self.position, self.chunk = position, None
        self.stream = self._stream(position // shuffle * shuffle)

    def _stream(self, skip):
        for epoch in itertools.count():
            count = 0
            for s in np.random.default_rng([*self.seed, 0, epoch]).permutation(len(self.shards)):
                for sample in read(self.shards[s], skip):
                    count += 1
                    if skip:
                        skip -= 1
                    else:
                        yield sample
            if not count:
                raise ValueError(f"no samples in {', '.join(self.shards)}")
            skip %= count

    def __next__(self):
        number, at = divmod(self.position, self.shuffle)
        if self.chunk is None or at == 0:
            self.chunk = list(itertools.islice(self.stream, self.shuffle))
            self.order = np.random.default_rng([*self.seed, 1, number]).permutation(self.shuffle)
        self.position += 1
        for k in range(self.shuffle):
            key, parts = self.chunk[self.order[(at + k) % self.shuffle]]
            try:
                return self.decode(parts)
            except (OSError, ValueError) as e:
                print(f"{key} is passed over: {e}", flush=True)
        raise ValueError(f"none of {self.shuffle} samples in a row is usable, the last one is {key}")


def picture_of(data):
    """Upright, and on white where it is transparent, as the program sees references."""
    im = Image.open(io.BytesIO(data))
    im.load()
    im = ImageOps.exif_transpose(im)
    if im.has_transparency_data:
        im = Image.alpha_composite(Image.new("RGBA", im.size, "white"), im.convert("RGBA"))
    return im.convert("RGB")


def decode(parts):
    """dict(caption, words, views: list of (picture, mask or None)) of a sample's files."""
    meta = json.loads(parts["json"]) if "json" in parts else {}
    caption = meta.get("caption") or parts.get("txt", b"").decode("utf-8", "replace").strip()
    if not caption:
        raise ValueError("it has no caption: KEY.txt, or \"caption\" in KEY.json")
    views = {}
    for extension, data in parts.items():
        number, _, kind = extension.rpartition(".")
        if kind in PICTURES and (number == "" or number.isdigit()):
            mask = parts.get((number + "." if number else "") + "mask.png")
            views[int(number or 0)] = picture_of(data), mask and Image.open(io.BytesIO(mask)).convert("L")
    if not views:
        raise ValueError("it has no picture: KEY.jpg or KEY.0.jpg, KEY.1.jpg, ...")
    return dict(caption=caption, words=meta.get("words", []), views=[views[i] for i in sorted(views)])


def cut(im, side, box):
    """Resizes so that the square of box = (x, y) in 0..1 of what is left over has that side, and cuts it out."""
    k = side / min(im.size)
    size = [max(side, round(n * k)) for n in im.size]
    x, y = (round((n - side) * b) for n, b in zip(size, box))
    return im.resize(size, Image.LANCZOS).crop((x, y, x + side, y + side))


def square(picture, mask, rng, r_max, keep=.25):
    """A random square of 1/r of the side, r uniform in 1..r_max, that keeps enough of the subject (paper Eq. 11).

    picture [n, n, 3] uint8, mask [g, g]. Returns [3, n, n] in 0..1.
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
    return part[0]


class Pairs(torch.utils.data.IterableDataset):
    """The samples of one process, from step `first` on: dicts of tensors for train.py.

    tokenizers: one per text encoder, tokenizer.Tokenizer. latent: (channels, pixels per latent cell); grid: side of the guidance grid.
    """

    def __init__(self, data, tokenizers, latent, grid, reference, a, rank, size, first):
        self.shards = {k: expand(data[k]) for k in KINDS if k in data}
        self.side, self.shuffle, self.workers = data["size"], data.get("shuffle", 256), data.get("workers", 4)
        self.masks, self.drop = data.get("masks", False), data.get("drop", .1)
        self.tokenizers, self.latent, self.grid, self.reference = tokenizers, latent, grid, reference
        self.a, self.rank, self.size, self.first = a, rank, size, first
        owners = size * max(1, self.workers)
        self.lanes = data.get("lanes", owners)
        if not self.shards:
            raise SystemExit('the config\'s "data" names no shards: "text_image", "multiview" or both')
        if self.lanes % owners or a.batch % self.lanes:
            raise SystemExit(f"batch {a.batch} must be a multiple of lanes {self.lanes}, and that one of {size} processes x {max(1, self.workers)} workers")
        for kind, shards in self.shards.items():
            if len(shards) < self.lanes:
                raise SystemExit(f"{len(shards)} {kind} shards are too few for {self.lanes} lanes: make more shards, or fewer workers")
        self.open = {}

    def rng(self, step, place):
        return np.random.default_rng([self.a.seed, step, place])

    def kind(self, rng, step):
        if len(self.shards) == 1:
            return next(iter(self.shards))
        return KINDS[int(rng.random() < multiview_share(step / self.a.steps, self.a.data))]

    def lane(self, kind, number, step, place):
        """The lane, where it stands before this sample."""
        if (kind, number) not in self.open:
            before = ((s, p) for s in range(step + 1) for p in range(number, self.a.batch, self.lanes) if (s, p) < (step, place))
            position = sum(self.kind(self.rng(*sp), sp[0]) == kind for sp in before)
            self.open[kind, number] = Lane(self.shards[kind][number::self.lanes], (self.a.seed, KINDS.index(kind), number), self.shuffle, decode, position)
        return self.open[kind, number]

    def draw(self, step, place):
        """The sample of this place. Its parts are drawn in a fixed order from (seed, step, place)."""
        rng, done = self.rng(step, place), step / self.a.steps
        kind = self.kind(rng, step)
        found = next(self.lane(kind, place % self.lanes, step, place))
        views = found["views"]
        target = int(rng.integers(len(views)))
        other = target if kind == "text_image" else int(rng.choice([i for i in range(len(views)) if i != target] or [target]))
        box, t, blank, dropped = rng.random(2), int(rng.integers(20, T_MAX - 10)), rng.random() < .1, rng.random() < self.drop
        (picture, mask), (seen, seen_mask) = views[target], views[other]
        picture, whole = cut(picture, self.side, box), cut(seen, self.reference, box if other == target else (.5, .5))
        caption = "" if blank else found["caption"]
        spans = [(m.start(), m.end()) for w in found["words"][:1] if (m := re.search(rf"\b{re.escape(w)}\b", caption, re.IGNORECASE))]
        ids, marks = zip(*(tokenizer(caption, spans) for tokenizer in self.tokenizers))
        inside = torch.ones(self.grid, self.grid)
        if mask is not None:
            inside = torch.from_numpy(np.asarray(cut(mask, self.side, box).resize((self.grid, self.grid), Image.BOX), np.float32) / 255)
        shown = np.full((8, 8), 255, np.uint8)  # where the reference's subject is, coarsely
        if seen_mask is not None:
            shown = np.asarray(cut(seen_mask, self.reference, box if other == target else (.5, .5)).resize((8, 8), Image.BOX))
        part = square(np.asarray(whole), shown, rng, crop_limit(done, self.a.crop), keep=.25 if seen_mask is not None else 0)
        cells = self.side // self.latent[1]
        sample = dict(
            step=step, ids=torch.from_numpy(np.stack(ids)), t=t, picture=torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 127.5 - 1,
            noise=torch.from_numpy(rng.standard_normal((self.latent[0], cells, cells), np.float32)),
            squares=part, on=inside / inside.amax().clamp_min(1e-6) * float(not (blank or dropped)))
        if self.masks:  # for the attention loss
            sample |= dict(marks=torch.from_numpy(marks[0]), masks=torch.stack([inside * float(mask is not None), torch.zeros_like(inside)]))
        return sample

    def __iter__(self):
        info = torch.utils.data.get_worker_info()
        worker, workers = (info.id, info.num_workers) if info else (0, 1)
        per = self.a.batch // self.size
        for k in itertools.count():  # the loader takes a sample of each worker in turn
            step, place = self.first + k // per, self.rank + k % per * self.size
            if step >= self.a.steps:
                return
            if k % workers == worker:
                yield self.draw(step, place)

    def loader(self):
        return torch.utils.data.DataLoader(self, batch_size=None, num_workers=self.workers, pin_memory=torch.cuda.is_available())

    def batch(self, step, places, done):
        """The next batch, in the order of the steps from `first` on."""
        if not hasattr(self, "coming"):
            self.coming = iter(self.loader())
        drawn = [next(self.coming) for _ in places]
        if any(d["step"] != step for d in drawn):
            raise ValueError(f"step {step} was asked for, the stream is at {drawn[0]['step']}")
        b = {k: torch.stack([d[k] for d in drawn]) for k in ("ids", "noise", "marks", "masks") if k in drawn[0]}
        b |= {k: [torch.stack([d[k] for d in drawn])] for k in ("squares", "on")}
        return b | {"t": torch.tensor([d["t"] for d in drawn]), "pictures": torch.stack([d["picture"] for d in drawn]),
                    "time_ids": torch.tensor([[self.side, self.side, 0, 0, self.side, self.side]]).float().expand(len(drawn), -1)}

"""Composed scenes as tensors on the device that trains, and everything random about a training sample as tensor code.

Shapes never depend on the data: a batch has `pairs` scenes of two subjects first, then scenes of one; its last `free` rows have no
reference (every third of them no caption either), and only they may have a caption that names the colour. So a colour comes from
either the words or the picture, and nothing waits for the device.
"""
import json, pathlib
import numpy as np
import torch
import torch.nn.functional as F
from words import PLACES, SUBJECTS

WORDS, WHERE = ({k: i for i, k in enumerate(d)} for d in (SUBJECTS, PLACES))
CELLS = 8  # visual tokens are CELLS x CELLS of the reference, twice
GRID = 16  # guidance grid
SIDE = 128


class Store:
    """Grows block by block: add() takes what scenes.py wrote, at any time. All tensors lie on one device.

    pictures [n, 3, SIDE, SIDE], masks [n, 2, GRID, GRID] uint8, ids [n, 77], marks [n, 2, 77], word and place [n] (of the first subject, as
    indices), first [n]: its place among the subjects' references [m, 3, SIDE, SIDE], reference_masks [m, 32, 32] and maps [m, 2, 2, 3].
    single, plain, double: scenes of one subject, those whose caption names no colour, and of two. latents [n, 1 or 2, c, h, w]: of the
    scenes and with flips of their mirror images, made by `encoder` (pictures uint8 -> latents), where there is one.
    room: for how many scenes memory is taken at once.
    """

    def __init__(self, device="cpu", flips=False, room=0):
        self.device, self.flips, self.room, self.encoder = torch.device(device), flips, room, None
        self.blocks, self.count, self.subjects, self.memory = [], 0, 0, {}

    def __len__(self):
        return self.count

    def add(self, prefix, tokenizer):
        """prefix: path of a block without its last part, as in DIR/train-000."""
        prefix = str(prefix)
        meta = json.loads(pathlib.Path(prefix + "-meta.json").read_text())
        read = lambda k: torch.from_numpy(np.load(f"{prefix}-{k}.npy", mmap_mode="c"))
        ids, marks = zip(*(tokenizer(m["caption"], m["spans"]) for m in meta))
        two = np.array([len(m["words"]) == 2 for m in meta])
        plain = np.array([m["colour"] is None for m in meta])
        n, rows = self.count, lambda which: torch.from_numpy(self.count + np.flatnonzero(which))
        self._put("pictures", n, read("pictures"), (0, 3, 1, 2)), self._put("masks", n, read("masks"))
        self._put("ids", n, torch.from_numpy(np.stack(ids)).short()), self._put("marks", n, torch.from_numpy(np.stack(marks)).half())
        self._put("word", n, torch.tensor([WORDS.get(m["words"][0], 0) for m in meta]))
        self._put("place", n, torch.tensor([WHERE[m["place"]] for m in meta]))
        self._put("first", n, torch.from_numpy(self.subjects + np.cumsum(1 + two) - 1 - two))
        self._put("references", self.subjects, read("references"), (0, 3, 1, 2))
        self._put("reference_masks", self.subjects, read("reference_masks")), self._put("maps", self.subjects, read("maps"))
        for k, which in (("single", ~two), ("plain", ~two & plain), ("double", two & plain)):
            self._put(k, len(getattr(self, k, ())), rows(which))
        self.blocks.append(prefix)
        self.count, self.subjects = n + len(meta), self.subjects + len(meta) + int(two.sum())
        if self.encoder:
            self.encode(n)

    def encode(self, start=0):
        """Latents of the scenes from `start` on."""
        self._put("latents", start, self.encoder(self.pictures[start:]))

    def _put(self, name, at, values, order=None):
        """Writes values behind the first `at` of this name; order: how its axes are shown."""
        have, size = self.memory.get(name), at + len(values)
        if have is None or size > len(have):
            room = self.room * (6 if name in ("references", "reference_masks", "maps") else 5) // 5
            more = torch.empty(max(size, room if have is None else size * 3 // 2), *values.shape[1:], dtype=values.dtype, device=self.device)
            if have is not None:
                more[:at] = have[:at]
            have = self.memory[name] = more
        have[at:size].copy_(values)
        setattr(self, name, have[:size].permute(order) if order else have[:size])


def floats(pictures):
    """uint8 [B, 3, H, W] -> float in -1..1"""
    return pictures.float() / 127.5 - 1


def crops(store, count, side, g):
    """Random square parts of pictures, every other one mirrored: float [count, 3, side, side] in -1..1, and the subject's share [count, 1, side, side].

    Two of three are around a place of a subject, where the parts are that matter."""
    d = store.device
    i = torch.randint(len(store), (count,), generator=g, device=d)
    masks = store.masks[i].amax(1).flatten(1).float()
    weight = masks + .5 * (masks.sum(1, keepdim=True) + 1) / masks.shape[1]
    spot = (weight.log() - (-torch.rand(weight.shape, generator=g, device=d).log()).log()).argmax(1)  # as multinomial, which waits for the device
    whole = store.pictures.shape[-1]
    scale = whole // GRID
    corner = torch.stack([spot // GRID, spot % GRID], 1) * scale + scale // 2 - side // 2
    corner = (corner + torch.randint(-side // 4, side // 4 + 1, (count, 2), generator=g, device=d)).clamp(0, whole - side)
    y, x = (corner[:, k, None] + torch.arange(side, device=d) for k in (0, 1))
    flip = torch.rand(count, 1, generator=g, device=d) < .5
    x = torch.where(flip, x.flip(1), x)
    part = store.pictures[i[:, None, None], :, y[:, :, None], x[:, None, :]].permute(0, 3, 1, 2)
    share = (masks.view(-1, GRID, GRID)[torch.arange(count, device=d)[:, None, None], y[:, :, None] // scale, x[:, None, :] // scale] / 255)[:, None]
    return floats(part).contiguous(memory_format=torch.channels_last), share


def resampled(pictures, corner, scale):
    """Squares of pictures uint8 [B, 3, n, n] at full size, in 0..1: pixel of the picture = corner [B, 2] (x, y) + scale [B] * pixel of the square."""
    n = pictures.shape[-1]
    p = torch.arange(n, device=pictures.device) + .5
    xy = [(corner[:, k, None] + scale[:, None] * p) * 2 / n - 1 for k in (0, 1)]
    grid = torch.stack([xy[0][:, None, :].expand(-1, n, -1), xy[1][:, :, None].expand(-1, -1, n)], -1)
    return F.grid_sample(pictures.float() / 255, grid, mode="bilinear", padding_mode="border", align_corners=False)


def cut(pictures, masks, r_max, g, keep=.25, tries=4):
    """Random squares of 1/r of the side, r uniform in 1..r_max, that keep enough of the subject (paper Eq. 11), at full size.

    pictures uint8 [B, 3, n, n], masks [B, m, m]. Returns squares [B, 3, n, n] in 0..1, corners
    [B, 2] (x, y) and scales [B]: pixel of the picture = corner + scale * pixel of the square. Where no try keeps enough it is the whole.
    """
    b, n, m, d = len(pictures), pictures.shape[-1], masks.shape[-1], pictures.device
    side = n / (1 + torch.rand(b, tries, generator=g, device=d) * (r_max - 1))
    corner = torch.rand(b, tries, 2, generator=g, device=d) * (n - side)[..., None]
    total = F.pad(masks.float().cumsum(1).cumsum(2), (1, 0, 1, 0))
    cell = lambda v: (v * m / n).long().clamp(0, m)
    x0, y0 = cell(corner[..., 0]), cell(corner[..., 1])
    x1, y1 = cell(corner[..., 0] + side), cell(corner[..., 1] + side)
    at = lambda y, x: total[torch.arange(b, device=d)[:, None], y, x]
    kept = at(y1, x1) - at(y0, x1) - at(y1, x0) + at(y0, x0)
    fits = (kept >= keep * total[:, -1:, -1]).float()
    best = (fits * torch.arange(tries, 0, -1, device=d)).argmax(1, keepdim=True)
    ok = fits.gather(1, best)[:, 0] > 0
    side = torch.where(ok, side.gather(1, best)[:, 0], torch.full((b,), float(n), device=d))
    corner = torch.where(ok[:, None], corner.gather(1, best[..., None].expand(-1, 1, 2))[:, 0], torch.zeros(b, 2, device=d))
    return resampled(pictures, corner, side / n), corner, side / n


def guidance_like(true, g):
    """What the guidance branch may hand over at inference: Top-K of a soft, disturbed oval where the subject is, or everything.

    Nothing of the subject's outline may be in it. A network that gets outlines from its masks learns to fill them, and draws blobs where
    the guidance branch gives blobs. true [B, GRID, GRID] in 0..1 -> the same shape, maximum 1.
    """
    b, d = len(true), true.device
    u = lambda low, high: low + (high - low) * torch.rand(b, 1, 1, generator=g, device=d)
    axis = torch.arange(GRID, device=d) + .5
    total = true.sum((1, 2)).clamp_min(1e-3)
    oval = 0.0
    for k, side in ((1, 2), (2, 1)):  # along y, along x
        along = true.sum(side)
        centre = (along * axis).sum(1) / total
        spread = ((along * (axis - centre[:, None]) ** 2).sum(1) / total).sqrt().clamp_min(.8)
        at = (axis - centre[:, None] - u(-.8, .8)[:, :, 0]) / (spread[:, None] * u(.8, 1.25)[:, :, 0])
        oval = oval + (at ** 2).unsqueeze(2 if k == 1 else 1)
    noise = F.interpolate(torch.randn(b, 1, 6, 6, generator=g, device=d), size=(GRID, GRID), mode="bilinear")[:, 0]
    score = (torch.exp(-oval / 4) * (1 + u(0, .5) * noise)).clamp_min(0).flatten(1)
    k = (total / (GRID * GRID) * u(.8, 2.2)[:, 0, 0]).clamp(.08, .7) * GRID * GRID
    order = score.argsort(1, descending=True)
    rank = torch.zeros_like(order).scatter(1, order, torch.arange(GRID * GRID, device=d).expand(b, -1))
    top = (score * (rank < k[:, None])).view_as(true)
    top = (top / top.amax((1, 2), keepdim=True).clamp_min(1e-6)) ** u(.3, 1)
    return torch.where(u(0, 1) < .2, torch.ones_like(top), top)


def correspondence(masks, maps, back, corner, scale):
    """Where in the reference each place of the grid is to be found: at [B, GRID, GRID, 2] (x, y) in cells of the reference, and
    inside [B, GRID, GRID], 1 where the subject is and the reference shows that part of it. maps, back [B, 2, 3]: pixels of the picture
    and of the reference to the drawing."""
    d = masks.device
    centre = (torch.arange(GRID, device=d) + .5) * SIDE / GRID
    px, py = torch.meshgrid(centre, centre, indexing="xy")
    drawing = torch.stack([px, py, torch.ones_like(px)], -1) @ maps.mT[:, None]  # [B, GRID, GRID, 2]
    a, b, c, e = back[:, 0, 0], back[:, 0, 1], back[:, 1, 0], back[:, 1, 1]
    inverse = torch.stack([torch.stack([e, -b], -1), torch.stack([-c, a], -1)], -2) / (a * e - b * c)[:, None, None]
    pixel = (drawing - back[:, None, None, :, 2]) @ inverse.mT[:, None]
    at = (pixel - corner[:, None, None]) / scale[:, None, None, None] / SIDE * CELLS
    return at, (masks > .5) * ((at > 0) & (at < CELLS)).all(-1)


def draw(store, batch, pairs, free, twins, r_max, g, timesteps, empty):
    """One batch: dict of ids [B, 77], marks [B, 2, 77], z, noise [B, c, h, w], target [B, 3, SIDE, SIDE] in 0..1, t [B], masks [B, 2, GRID, GRID], and per subject lists of
    squares, on, at, inside, there; the first subject of the rows before the last `free`, the second one of the first `pairs`.

    twins: share of references that show the subject elsewhere (Eq. 10); the others show the target itself. r_max: see cut. timesteps
    [B] in 0..1 is where each t lies. empty [77]: the empty caption.
    """
    d, n = store.device, batch - pairs - free
    pick = lambda rows, k: rows[torch.randint(len(rows), (k,), generator=g, device=d)]
    i = torch.cat([pick(store.double, pairs), pick(store.plain, n), pick(store.single, free)])
    ids, marks = store.ids[i].long(), store.marks[i].float()
    blank = torch.arange(batch, device=d) >= batch - free // 3
    ids = torch.where(blank[:, None], empty, ids)
    marks = marks * ~blank[:, None, None]
    masks, maps = store.masks[i].float() / 255, store.maps[store.first[i]].float()
    z = store.latents[i, 0].float()
    out = dict(ids=ids, marks=marks, masks=masks, squares=[], on=[], at=[], inside=[], t=timesteps)
    if store.flips:
        flip = torch.rand(batch, generator=g, device=d) < .5
        z = torch.where(flip.view(-1, 1, 1, 1), store.latents[i, 1].float(), z)
        out["masks"] = masks = torch.where(flip.view(-1, 1, 1, 1), masks.flip(-1), masks)
    for s, rows in ((0, batch - free), (1, pairs)):
        if not rows:
            continue
        who = store.first[i[:rows]] + s
        maps = store.maps[who].float()
        picture, mask, back = store.references[who], store.reference_masks[who], maps[:, 1]
        here = maps[:, 0].clone()
        if store.flips:
            f = flip[:rows]
            mirrored = here.clone()
            mirrored[:, :, 2] += here[:, :, 0] * SIDE
            mirrored[:, :, 0] *= -1
            here = torch.where(f.view(-1, 1, 1), mirrored, here)
        if s == 0:  # of two subjects the picture shows both, so pairs always see twins
            own = torch.rand(rows, generator=g, device=d) > twins
            own[:pairs] = False
            target, around = store.pictures[i[:rows]], store.masks[i[:rows], 0].repeat_interleave(2, 1).repeat_interleave(2, 2)
            if store.flips:
                target, around = torch.where(f.view(-1, 1, 1, 1), target.flip(-1), target), torch.where(f.view(-1, 1, 1), around.flip(-1), around)
            picture = torch.where(own.view(-1, 1, 1, 1), target, picture)
            mask, back = torch.where(own.view(-1, 1, 1), around, mask), torch.where(own.view(-1, 1, 1), here, back)
        square, corner, scale = cut(picture, mask, r_max, g)
        at, inside = correspondence(masks[:rows, s], here, back, corner, scale)
        out["squares"].append(square), out["at"].append(at), out["inside"].append(inside)
        out["on"].append(guidance_like(masks[:rows, s], g))
    target = store.pictures[i].float() / 255
    out["target"] = torch.where(flip.view(-1, 1, 1, 1), target.flip(-1), target) if store.flips else target
    out["z"], out["noise"] = z, torch.randn(z.shape, generator=g, device=d)
    return out


def guided(store, batch, pairs, g, timesteps):
    """What the guidance branch sees, and what it should find: `pairs` scenes of two subjects and others of one, without references. A dict of ids,
    marks, masks, z, noise and t, as from draw()."""
    d = store.device
    pick = lambda rows, k: rows[torch.randint(len(rows), (k,), generator=g, device=d)]
    i = torch.cat([pick(store.double, pairs), pick(store.single, batch - pairs)])
    masks, z = store.masks[i].float() / 255, store.latents[i, 0].float()
    if store.flips:
        flip = (torch.rand(batch, generator=g, device=d) < .5).view(-1, 1, 1, 1)
        masks, z = torch.where(flip, masks.flip(-1), masks), torch.where(flip, store.latents[i, 1].float(), z)
    return dict(ids=store.ids[i].long(), marks=store.marks[i].float(), masks=masks, z=z, noise=torch.randn(z.shape, generator=g, device=d), t=timesteps)

"""Tests of the toybox's data and training, without downloads: python test_toybox.py [NAME ...] (or pytest).

    python test_toybox.py --picture results/data-parallel.png       draws the two curves of the data-parallel test

Networks are those of model.py with a few channels, scenes are discs on painted places. What has to hold on a graphics card is tested
without one: with fake tensors, which have a device and a shape and no numbers.
"""
import contextlib, copy, importlib.util, io, itertools, json, os, pathlib, shutil, signal, subprocess, sys, tarfile, tempfile, time, traceback, types
from unittest import mock
os.environ["OMP_NUM_THREADS"] = "1"  # two threads would wait for each other at every small operator
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
import autoencoder, bank, captions, curves, curriculum, encoders, export, fast, flat, joint, large, model, networks, optim, outbox, sample, scenes, store, supply, tokenizer, toybox, train, warm, watch, webdata
from words import PLACES, SUBJECTS

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden"))
FULL = copy.deepcopy((model.TEXT_WIDTH, model.UNET, model.VISION, model.ENCODERS, autoencoder.LEVELS))


def few_channels():
    """Sizes at which a training step takes milliseconds."""
    model.TEXT_WIDTH = 16
    model.UNET.update(block_out_channels=[8, 8, 16], attention_head_dim=[1, 1, 2], cross_attention_dim=16, norm_num_groups=4)
    model.VISION.update(head_dim=8)
    for e in model.ENCODERS.values():
        e.update(embed_dim=16, num_heads=2, mlp_hidden=32)
    autoencoder.LEVELS.update({n: (f, c, [8] * len(w)) for n, (f, c, w) in autoencoder.LEVELS.items()})
    scenes.VARIANTS = 1


@contextlib.contextmanager
def all_channels():
    """The sizes that are trained in earnest."""
    model.TEXT_WIDTH = FULL[0]
    for now, full in zip((model.UNET, model.VISION, model.ENCODERS, autoencoder.LEVELS), FULL[1:]):
        now.update(copy.deepcopy(full))
    try:
        yield
    finally:
        few_channels()


def fake_bank(folder):
    """Two words with two individuals each for training and one held out, as plain discs."""
    y, x = np.mgrid[-1:1:bank.LARGE * 1j, -1:1:bank.LARGE * 1j]
    sprites, rows = [], []
    others = [*((h, "hat") for h in scenes.HATS), *((s, "seat") for s in scenes.SEATS)]
    for i, (word, split) in enumerate([("cat", "train"), ("cat", "train"), ("apple", "train"), ("apple", "train"), ("cat", "test"), ("apple", "test"), *others]):
        disc = np.zeros((bank.LARGE, bank.LARGE, 4), np.uint8)
        disc[..., 0], disc[..., 1], disc[..., 3] = 200, 25 * i % 256, 255 * (x * x + y * y < .8)
        sprites.append(disc)
        rows.append(dict(individual=f"{word}/x/{i}", word=word, design="x", package="x", split=split))
    bank.save(folder, sprites, rows)


WORK = None


def work():
    """A folder with scenes, tokenizer, and two steps of every stage before the joint one; made once."""
    global WORK
    if WORK is None:
        WORK = tempfile.TemporaryDirectory()
        folder = pathlib.Path(WORK.name)
        fake_bank(folder)
        composer = scenes.Composer(folder, "train")
        for i in range(2):
            scenes.block(composer, folder, "train", 1, 40, i, .6)
        scenes.block(scenes.Composer(folder, "test"), folder, "test", 2, 40, 0, .6)
        scenes.block(scenes.Composer(folder, "train", side=2 * scenes.SIDE), folder, "train", 1, 12, 0, .6)
        tokenizer.save(folder / "tokenizer")
        for stage in ("vae", "encoders", "large", "latents"):
            train_toybox(folder, "--stage", stage, "--steps", "2")
    return pathlib.Path(WORK.name)


def fresh(folder, *without):
    """A copy of work(), without what these stages and the joint one left."""
    folder = pathlib.Path(folder)
    for f in work().iterdir():
        if f.stem not in ("joint", *without):
            (folder / f.name).symlink_to(f)
    return folder


def train_toybox(folder, *more):
    """Without --precision fp32 in bfloat16, as on the machines it is meant for."""
    toybox.main(["--work", str(folder), "--batch", "16", "--say", "1", *more])


def trained(folder, stage="joint"):
    """What a stage saved, without what depends on the clock."""
    state = torch.load(pathlib.Path(folder) / f"{stage}.pt")
    state.pop("seconds")
    return state


def figures(folder, stage="joint"):
    """Of every step: [steps, figures]."""
    return np.array([[v for k, v in json.loads(line).items() if k not in ("stage", "step", "seen", "seconds", "done", "rate")]
                     for line in (pathlib.Path(folder) / f"{stage}.jsonl").read_text().splitlines()])


def loaded(folder, device="cpu", flips=False):
    """A store of all training scenes of a folder, with their latents if they are there."""
    out, words = store.Store(device, flips), tokenizer.Tokenizer(folder / "tokenizer")
    for path in sorted(folder.glob("train-*-meta.json")):
        out.add(str(path)[:-len("-meta.json")], words)
    return out


def same(a, b, path="state"):
    """Exactly equal, through dicts and lists."""
    if isinstance(a, dict):
        assert a.keys() == b.keys(), path
        for k in a:
            same(a[k], b[k], f"{path}.{k}")
    elif isinstance(a, (list, tuple)):
        assert len(a) == len(b), path
        for i, (x, y) in enumerate(zip(a, b)):
            same(x, y, f"{path}.{i}")
    elif isinstance(a, torch.Tensor):
        assert torch.equal(a, b), f"{path} differs by {(a - b).abs().max()}"
    else:
        assert a == b, path


# ---------------------------------------------------------------------------------------------------------------- data


def test_scenes_are_deterministic_and_masks_show_the_subject():
    composer = scenes.Composer(work(), "train")
    a, b = (composer.sample(np.random.default_rng(3)) for _ in range(2))
    assert (a["picture"] == b["picture"]).all() and a["caption"] == b["caption"]
    pairs = 0
    for seed in range(12):
        s = composer.sample(np.random.default_rng(seed))
        pairs += len(s["words"]) == 2
        assert len(s["masks"]) == len(s["references"]) == len(s["spans"]) == len(s["words"])
        for m in s["masks"]:
            assert .01 < (m > 127).mean() < .8
    assert pairs > 0


def test_held_out_hues_stay_out():
    low, high = scenes.HELD_OUT_HUES
    for seed in range(200):
        i = scenes.Identity(np.random.default_rng(seed), 100.0, .5, free=False, natural=0)
        assert not low <= (100 + i.turn) % 360 <= high


def test_caption_spans_name_the_subject():
    rng = np.random.default_rng(0)
    for _ in range(300):
        words = [str(w) for w in rng.choice(sorted(SUBJECTS), rng.integers(1, 3), replace=False)]
        text, spans = captions.caption(rng, words, str(rng.choice(sorted(PLACES))))
        said = [text[a:b] for a, b in spans]
        assert all(s == w or s in captions.hypernyms_of(w) for s, w in zip(said, words))
    assert captions.article("owl") == "an owl" and captions.article("red owl") == "a red owl"


def test_tokenizer_marks_the_words():
    t = tokenizer.Tokenizer(work() / "tokenizer")
    ids, marks = t("a teddy bear and a cat in space", [(2, 12), (19, 22)])
    tokens = t.clip.convert_ids_to_tokens(ids.tolist())
    assert [tokens[i] for i in np.flatnonzero(marks[0])] == ["teddy</w>", "bear</w>"]
    assert [tokens[i] for i in np.flatnonzero(marks[1])] == ["cat</w>"]
    assert ids.max() == len(t.clip) - 1 == ids[-1]  # the end of text is the largest id, and the padding
    rng = np.random.default_rng(1)
    made = [captions.caption(rng, ["cat", "apple"][:1 + i % 2], "beach", "red" if i % 4 == 0 else None)[0] for i in range(40)]
    for text in ("", "it's 3 Cafés", "a toy " * 60, *made):  # put together from words, as the tokenizer itself does it
        assert t(text)[0].tolist() == t.clip(text, padding="max_length", truncation=True, max_length=77)["input_ids"], text


def test_guidance_like_masks_stay_near_the_subject():
    true = torch.zeros(64, 16, 16)
    true[:, 4:10, 5:11] = 1
    masks = store.guidance_like(true, torch.Generator().manual_seed(0))
    assert masks.min() >= 0 and torch.allclose(masks.amax((1, 2)), torch.ones(64))
    everything = masks.amin((1, 2)) == 1
    assert 4 <= everything.sum() <= 24  # of 64, a fifth
    masks, true = masks[~everything], true[~everything]
    assert (masks * true).sum() > .45 * masks.sum() and masks.gt(0).float().mean() < .4
    assert len({m.sum().item() for m in masks}) > 20  # each is another


def test_cuts_keep_a_quarter_of_the_subject_and_say_where_it_lies():
    pictures, masks = torch.zeros(60, 3, 128, 128, dtype=torch.uint8), torch.zeros(60, 32, 32, dtype=torch.uint8)
    pictures[:, :, 100:116, 100:116], masks[:, 25:29, 25:29] = 255, 255
    squares, corner, scale = store.cut(pictures, masks, 3, torch.Generator().manual_seed(0))
    assert squares.shape == (60, 3, 128, 128) and scale.min() < .6
    for s, (x, y), k in zip(squares, corner.tolist(), scale.tolist()):
        ys, xs = np.nonzero(s[0].numpy() > .9)
        assert len(ys) * k ** 2 >= 16 * 16 / 6
        assert 98 <= x + k * xs.min() and x + k * xs.max() <= 117 and 98 <= y + k * ys.min() and y + k * ys.max() <= 117
    part = webdata.square(pictures[0].permute(1, 2, 0).numpy(), masks[0].numpy(), np.random.default_rng(1), 3)
    assert part.shape == (3, 128, 128) and (part[0] > .9).sum() >= 16 * 16 / 6


def coordinates(flips=False):
    """A store of 8 scenes whose pictures tell their own pixels: red is x, green is y, and so do drawing and reference. Subjects lie at cells 4..9, 6..11."""
    s = store.Store(flips=flips)
    s.count = s.subjects = 8
    ramp = torch.arange(128).float() * 2
    picture = torch.stack([ramp[None].expand(128, -1), ramp[:, None].expand(-1, 128), torch.zeros(128, 128)]).to(torch.uint8)
    s.pictures = s.references = picture.expand(8, -1, -1, -1)
    s.masks, s.reference_masks = torch.zeros(8, 2, 16, 16, dtype=torch.uint8), torch.full((8, 32, 32), 255, dtype=torch.uint8)
    s.masks[:, 0, 6:12, 4:10] = 255
    s.maps = torch.tensor([[1 / 128, 0, 0], [0, 1 / 128, 0]]).expand(8, 2, 2, 3)
    s.first, s.word, s.place = torch.arange(8), torch.zeros(8, dtype=torch.int64), torch.zeros(8, dtype=torch.int64)
    s.single = s.plain = s.double = torch.arange(8)
    s.ids, s.marks = torch.zeros(8, 77, dtype=torch.int16), torch.zeros(8, 2, 77)
    s.latents = torch.zeros(8, 1 + flips, 4, 32, 32)
    return s


def test_twins_know_where_on_the_drawing_every_token_lies():
    views, at, share, word, place = encoders.twins(coordinates(), 6, 1.8, torch.Generator().manual_seed(0))
    assert views.shape == (12, 3, 64, 64) and at.shape == (12, 64, 2) and share.shape == (12, 64) and len(word) == 12 and len(place) == 6
    centre = views[:, :2].unflatten(2, (8, 8)).unflatten(4, (8, 8))[:, :, :, 3:5, :, 3:5].mean((3, 5)).flatten(2).mT * 255 / 256  # of each token
    assert (centre - at).abs().max() < .02
    inside = (at[:6, :, 0] > 4 / 16) & (at[:6, :, 0] < 10 / 16) & (at[:6, :, 1] > 6 / 16) & (at[:6, :, 1] < 12 / 16)
    assert ((share[:6] > .5) == inside).all() and (share[6:] == 1).all()
    assert (at[:6].mean(1) - torch.tensor([7 / 16, 9 / 16])).abs().max() < .02  # the subject is in the middle
    assert (at[:6].amax(1) - at[:6].amin(1)).max() < .75 and (share[:6] > .5).float().mean() > .3  # what is around the subject, and not much more


def test_samples_know_where_in_the_reference_a_place_lies():
    for flips in (False, True):
        s, g = coordinates(flips), torch.Generator().manual_seed(3)
        b = store.draw(s, 8, 2, 2, .5, 1.5, g, torch.rand(8), torch.zeros(77, dtype=torch.int64))
        assert [len(v) for v in b["squares"]] == [6, 2] and b["z"].shape == b["noise"].shape == (8, 4, 32, 32)
        assert b["target"].shape == (8, 3, 128, 128) and b["masks"].sum((1, 2, 3)).eq(36).all()
        seen = 0
        for n in range(6):  # the reference at `at` shows the pixel that the target shows at the place: both pictures tell their own coordinates
            for gy, gx in torch.nonzero(b["inside"][0][n]).tolist():
                x, y = (b["at"][0][n, gy, gx] / 8 * 128).tolist()
                here = b["target"][n, :2, gy * 8 + 3:gy * 8 + 5, gx * 8 + 3:gx * 8 + 5].mean((1, 2))
                if 2 < x < 126 and 2 < y < 126:
                    there = b["squares"][0][n, :2, int(y), int(x)]
                    assert (here - there).abs().max() < .03, (n, gx, gy, here, there)
                    seen += 1
        assert seen > 40


def test_losses_prefer_the_right_place():
    masks = torch.zeros(1, 2, 16, 16)
    masks[:, :, :4] = 1
    maps = [types.SimpleNamespace(size=(16, 16), value=v) for v in (masks + 1e-3, 1 - masks + 1e-3)]
    assert joint.attention_loss(maps[:1], masks) < .2 < 6 < joint.attention_loss(maps[1:], masks)
    at, inside = torch.full((1, 16, 16, 2), 2.5), torch.ones(1, 16, 16)  # every place is found in cell (2, 2) of the reference
    right, wrong = torch.full((1, 256, 128), 1e-4), torch.full((1, 256, 128), 1e-4)
    right[..., 2 * 8 + 2], wrong[..., 5] = .9, .9
    good, bad = (joint.correspondence_loss([types.SimpleNamespace(value=v)], at, inside) for v in (right, wrong))
    assert good < .2 < 5 < bad


def test_the_shape_loss_knows_what_top_k_will_do():
    y, x = torch.meshgrid(torch.arange(16.), torch.arange(16.), indexing="ij")
    disc = lambda cx, cy, r=3.5: (r + .5 - ((x - cx) ** 2 + (y - cy) ** 2).sqrt()).clamp(0, 1)
    masks = torch.stack([disc(4, 8), disc(11, 8)])[None]
    near = lambda m: .01 + .1 * m
    loss, overlap = joint.shape_loss(near(masks), masks)
    assert loss < .25 and overlap == 1
    again, _ = joint.shape_loss(near(masks) * torch.tensor([7., .01]).view(1, 2, 1, 1), masks)  # Top-K and the normalised mask are the same
    assert abs(loss - again) < 1e-4
    softer, same_cells = joint.shape_loss(near(masks) ** .2, masks)
    moved, fewer = joint.shape_loss(near(masks.roll(3, 2)), masks)
    swapped, none = joint.shape_loss(near(masks.flip(1)), masks)
    assert loss < softer < moved < swapped and same_cells == 1 > fewer > .2 > none
    # of two subjects who leak into each other's place, a loss for each alone sees half of what this one does
    leaking, _ = joint.shape_loss(near(masks + .8 * masks.flip(1)), masks)
    elsewhere, _ = joint.shape_loss(near(masks + .8 * masks.roll(5, 2)), masks)
    assert leaking > 1.2 * elsewhere > loss
    # who is not there counts nothing: in the second row nobody has words, in the third the second subject is missing
    three, empty = near(masks).repeat(3, 1, 1, 1), masks.repeat(3, 1, 1, 1)
    three[1], three[2, 1], empty[2, 1] = 0, 0, 0
    both, overlap = joint.shape_loss(three, empty)
    assert torch.isfinite(both) and overlap == 1 and loss / 2 < both < loss
    # the threshold has no gradient, and needs none
    scores = (near(masks.roll(2, 3)) + .02 * torch.rand(1, 2, 16, 16, generator=torch.Generator().manual_seed(1))).double().requires_grad_()
    direction = torch.randn(1, 2, 16, 16, generator=torch.Generator().manual_seed(2)).double() * scores.detach()
    joint.shape_loss(scores, masks)[0].backward()
    ahead, behind = (joint.shape_loss(scores.detach() + k * direction, masks)[0] for k in (1e-2, -1e-2))
    assert abs((scores.grad * direction).sum() - (ahead - behind) / 2e-2) < 2e-3


def test_maps_learn_the_shape_where_the_guidance_branch_looks():
    """What is learned from is what inference computes; with --looks nothing learns but where the U-Net looks."""
    with tempfile.TemporaryDirectory() as d:
        train_toybox(fresh(d), "--stage", "joint", "--guide", "6", "--looks", "--without", "features", "--steps", "2")
        learned = {n for n, _, _ in trained(d)["layout"]}
        assert {n.split(".transformer_blocks.0.")[1].rsplit(".", 1)[0] for n in learned} == {"norm1", "norm2", "attn1.to_q", "attn1.to_k", "attn2.to_q", "attn2.to_k"}
        said = json.loads((pathlib.Path(d) / "joint.jsonl").read_text().splitlines()[0])
        assert "features" not in said and 0 <= said["overlap"] <= 1 and said["alone"] > 0 and said["shape"] > 0
    toy, words = model.build(work())
    one, s = joint.Joint(toy), coordinates()
    s.marks[:, 0, 3] = s.marks[:, 1, 5] = 1
    s.latents = torch.randn(8, 1, 4, 32, 32, generator=torch.Generator().manual_seed(1))
    b, precision = store.guided(s, 4, 2, torch.Generator().manual_seed(1), torch.full((4,), .7)), fast.Precision("cpu", "fp32")
    with mock.patch.object(joint, "shape_loss", wraps=joint.shape_loss) as asked:
        one.guide(b, precision)
    t, z, _ = one.noised(b)
    maps = toy.unet(z, t, toy.text(b["ids"]).hidden, tokens=b["marks"], selfs="high")[1]
    assert torch.allclose(asked.call_args[0][0], networks.guidance_scores(maps, (16, 16))[1], rtol=1e-4)
    named = [(n, p.requires_grad_(True)) for n, p in one.named(False, looks=True)]
    optimizer, losses = torch.optim.Adam([p for _, p in named], 5e-2), []
    for _ in range(25):
        loss = one.guide(b, precision)["shape"]
        loss.backward()
        losses.append(loss.item())
        assert losses[1:] or {n for n, p in named if p.grad is not None and p.grad.abs().max() > 0} >= {n for n, _ in named if "attn1" in n and "up_blocks.1" in n}
        optimizer.step(), optimizer.zero_grad()
    assert losses[-1] < .97 * losses[0], losses


def test_scenes_come_while_training_goes_on():
    made = []
    with tempfile.TemporaryDirectory() as d, mock.patch.object(supply, "scratch", lambda work, count: pathlib.Path(d) / "made"):
        folder = pathlib.Path(d)
        fake_bank(folder)
        tokenizer.save(folder / "tokenizer")
        s = store.Store()
        s.encoder = lambda pictures: (made.append(len(pictures)), pictures[:, None, :, ::16, ::16].half())[1]
        source = supply.Supply(s, tokenizer.Tokenizer(folder / "tokenizer"), folder, count=120, workers=2)
        source.wait(30)
        early = s.pictures.clone()
        source.wait(120)
        source.close()
        assert len(s) == 120 == sum(made) and len(made) == len(s.blocks) >= 4 and torch.equal(s.pictures[:len(early)], early)
        assert torch.equal(s.latents, s.pictures[:, None, :, ::16, ::16].half())
        assert len(s.single) + len(s.double) <= 120 and s.subjects == s.first[-1] + (1 + int(s.first[-1] != s.subjects - 1)) == len(s.references) == len(s.maps)
        n = int(s.double[-1])  # indices are right beyond the first block: the second reference is the second subject's
        for block in s.blocks:
            two = [len(m["words"]) for m in json.loads(pathlib.Path(block + "-meta.json").read_text())]
            if n < len(two):
                break
            n -= len(two)
        i = s.double[-1]
        assert two[n] == 2 and np.array_equal(np.load(block + "-references.npy")[sum(two[:n]) + 1].transpose(2, 0, 1), s.references[s.first[i] + 1].numpy())
        with mock.patch.object(scenes, "VARIANTS", 40):  # by one process
            scenes.build(folder, "train", 120, 1, 1, .6, size=25, out=folder / "again")
        assert all(np.array_equal(np.load(f), np.load(folder / "made" / f.name)) for f in (folder / "again").glob("*-pictures.npy"))


def test_what_composes_ends_with_whoever_asked():
    with tempfile.TemporaryDirectory() as d:
        fake_bank(pathlib.Path(d))
        code = f"import sys; sys.path.insert(0, {str(HERE)!r}); import pathlib, time, supply, store; s = supply.Supply(store.Store(), None, pathlib.Path({d!r}), count=10**6, workers=2); print(s.running[0].pid, flush=True); time.sleep(99)"
        with mock.patch.dict(os.environ, {"TMPDIR": d}):
            boss = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        pid = int(boss.stdout.readline())
        until = time.time() + 60
        workers = lambda: pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split() if pathlib.Path(f"/proc/{pid}").exists() else []
        while len(found := workers()) < 2 and time.time() < until:
            time.sleep(.05)
        boss.kill()
        boss.wait()
        alive = lambda p: pathlib.Path(f"/proc/{p}/stat").exists() and pathlib.Path(f"/proc/{p}/stat").read_text().rsplit(")")[1].split()[0] != "Z"
        while any(map(alive, [pid, *found])) and time.time() < until:
            time.sleep(.05)
        assert len(found) == 2 and not any(map(alive, [pid, *found]))
        left = supply.scratch(pathlib.Path(d), 10)
        assert left.exists()
    with tempfile.TemporaryDirectory() as d:
        supply.scratch(pathlib.Path(d), 10**9)  # the next run takes away what is left of one whose folder is gone
        assert not left.exists() and (pathlib.Path(d) / "scenes").exists()


# -------------------------------------------------------------------------- what would waste the time of a graphics card (eight faults)

WAITS = ("_local_scalar_dense", "nonzero", "unique", "multinomial", "masked_select", "is_nonzero", "equal.", "item", "bincount", "histc", "lstsq", "linalg_inv", "linalg_solve")


class Watch(TorchDispatchMode):
    """Counts calls; a call for which a graphics card would have to answer before the next one is an error."""

    def __init__(self):
        super().__init__()
        self.calls, self.types, self.recording = 0, set(), False

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = str(func)
        self.calls += not (func.is_view or "_unsafe_view" in name)  # which only look at numbers in another way
        assert not any(w in name for w in WAITS), name
        if "index" in name and len(args) > 1 and isinstance(args[1], (list, tuple)):
            assert not any(getattr(i, "dtype", None) == torch.bool for i in args[1]), f"{name} by a mask"
        out = func(*args, **(kwargs or {}))
        if any(w in name for w in ("mm.", "convolution")):
            self.types.add(out.dtype)
        on = {t.device.type for t in torch.utils._pytree.tree_leaves((args, kwargs)) if isinstance(t, torch.Tensor) and t.ndim}
        if "cuda" in on and isinstance(out, torch.Tensor):
            assert out.device.type == "cuda", f"{name} brings numbers back"
        elif isinstance(out, torch.Tensor) and out.device.type == "cuda" and "_to_copy" in name:
            assert not self.recording, f"{name} brings numbers to the card, which a recording must not"
        return out


@contextlib.contextmanager
def card(may_wait=False):
    """A graphics card that is not there: fake tensors, bfloat16 on it, and an eye on what waits."""
    with mock.patch("torch.cuda.is_bf16_supported", lambda *a: True), mock.patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False):
        with FakeTensorMode(), contextlib.nullcontext() if may_wait else Watch() as eye:
            yield eye


def moved(module):
    """A module whose tensors are fake ones on the card."""
    for m in module.modules():
        for kept in (m._parameters, m._buffers):
            for n, t in kept.items():
                if t is not None:
                    fake = torch.empty_strided(t.shape, t.stride(), dtype=t.dtype, device="cuda")
                    kept[n] = torch.nn.Parameter(fake, t.requires_grad) if kept is m._parameters else fake
    return module


def on_card(s):
    """The same store on it."""
    for k, v in vars(s).items():
        if isinstance(v, torch.Tensor):
            setattr(s, k, torch.empty_strided(v.shape, v.stride(), dtype=v.dtype, device="cuda"))
    s.device = torch.device("cuda")
    return s


def test_1_every_stage_runs_on_the_card():
    """Fault 1: train_vae, train_encoders, latents never used it. Fault 4: unique, nonzero, any and item in every step."""
    autocast = fast.Precision("cuda").autocast
    vae, (eyes, heads) = autoencoder.build(), encoders.build()
    toy, words = model.build(work())
    toy.requires_grad_(True)
    one, full, mirrored, grown = joint.Joint(toy), coordinates(), coordinates(flips=True), large.grow(autoencoder.build())
    with card() as eye:
        moved(vae), moved(eyes), moved(heads), moved(one), moved(grown)
        x, share = store.crops(on_card(full), 6, 64, None)
        more = autoencoder.disturbance(x, "f4c4", None)
        batch = encoders.twins(full, 6, 1.8, None)
        drawn = [store.draw(s, 8, 2, 2, .5, 1.5, None, torch.rand(8, device="cuda"), torch.zeros(77, dtype=torch.int64, device="cuda")) for s in (full, on_card(mirrored))]
        eye.recording = True
        loss, error = autoencoder.loss_of(vae, x, share, *more, autocast())
        assert x.device.type == loss.device.type == "cuda" and loss.requires_grad and loss.dtype == torch.float32
        loss, *more = large.loss_of(grown, vae, torch.cat([x, x], 2), torch.cat([share, share], 2), more[0][:, :, :, :8], more[1], autocast())
        assert loss.device.type == "cuda" and loss.requires_grad and all(m.ndim == 0 and not m.requires_grad for m in more)
        with autocast():
            seen = {n: e(batch[0])[-1] for n, e in eyes.each.items()}
        assert torch.bfloat16 in eye.types
        assert all(encoders.loss_of(n, t, heads[n], batch)[0].device.type == "cuda" for n, t in seen.items())
        for b in drawn:
            found = one(b, b["target"], types.SimpleNamespace(autocast=autocast))
            assert {"velocity", "attention", "correspondence"} <= found.keys() and all(v.device.type == "cuda" and v.ndim == 0 for v in found.values())
        eye.recording = False
        looked = store.guided(full, 6, 2, None, torch.rand(6, device="cuda"))
        eye.recording = True
        found = one.guide(looked, types.SimpleNamespace(autocast=autocast))
        assert {"alone", "shape", "overlap"} == found.keys() and all(v.device.type == "cuda" and v.ndim == 0 for v in found.values())


def test_encoders_that_stay_may_be_lean():
    """In bfloat16 throughout they say nearly the same, and nothing is learned through them."""
    torch.manual_seed(0)
    toy, words = model.build(work())
    one, s = joint.Joint(toy), coordinates()
    s.latents = torch.randn(len(s), 1, 4, 32, 32).half()
    b = store.draw(s, 8, 2, 2, .5, 1.5, None, torch.rand(8), torch.zeros(77, dtype=torch.int64))
    toy.requires_grad_(False)
    for _, p in one.named(False):
        p.requires_grad_(True)
    before = one(b, b["target"], fast.Precision("cpu", "fp32"))
    toy.encoders.to(torch.bfloat16)
    after = one(b, b["target"], fast.Precision("cpu", "bf16"))
    sum(after.values()).backward()
    assert all(abs(after[k] - v) < .02 * v + .01 for k, v in before.items()) and any(after[k] != v for k, v in before.items()), (before, after)
    assert all(p.grad is None for p in toy.encoders.parameters()) and toy.unet.projector is not None
    assert any(p.grad is not None for p in toy.unet.projector.parameters())


def test_norms_of_channels_last_are_group_norms():
    """Every kernel of norm.py, run by Triton's interpreter, beside torch's own: numbers and gradients."""
    if importlib.util.find_spec("triton") is None:
        return print("no triton here")
    program = "import torch, norm; import test_toybox as t; t.norms()"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=pathlib.Path(__file__).parent, env=os.environ | dict(TRITON_INTERPRET="1"))


def norms():
    import norm
    torch.manual_seed(0)
    for shape, groups in (((2, 48, 5, 7), 16), ((3, 64, 9, 8), 8), ((2, 36, 1, 1), 4)):
        x, g = ((torch.randn(shape) * 2 + 1).to(memory_format=torch.channels_last) for _ in range(2))
        layer = torch.nn.GroupNorm(groups, shape[1])
        torch.nn.init.normal_(layer.weight), torch.nn.init.normal_(layer.bias)
        found = []
        for function in (layer, lambda x: norm.Norm.apply(x, groups, layer.weight, layer.bias, layer.eps)):
            given = x.clone().requires_grad_()
            layer.zero_grad()
            y = function(given)
            y.backward(g)
            found.append([y.detach(), given.grad, layer.weight.grad.clone(), layer.bias.grad.clone()])
        for theirs, ours in zip(*found):
            assert (theirs - ours).abs().max() < 1e-5 * max(1, theirs.abs().max()), shape


def test_2_no_more_processes_than_cards():
    """Fault 2: two processes were started for the one card there was."""
    with mock.patch("torch.cuda.device_count", lambda: 1), mock.patch.dict(os.environ, dict(RANK="1", WORLD_SIZE="2")):
        try:
            fast.Team(device="cuda")
        except SystemExit as e:
            assert "2 processes" in str(e) and "1 graphics card" in str(e)
        else:
            raise AssertionError("it went on")
    assert toybox.options(["--work", str(work())]).processes == 1


class Present:
    """Which subjects are there, as numbers, which a fake tensor would not tell."""

    def view(self, *shape):
        return torch.ones(shape)

    def __getitem__(self, at):
        return at != (1, 1)


def test_3_pictures_are_sampled_where_the_model_is():
    """Fault 3: sampling made its tensors on the processor."""
    toy, words = model.build(work())
    zeros = lambda a: torch.zeros(a.shape, dtype=torch.int64 if a.dtype == np.int64 else torch.float32)
    with card(may_wait=True), mock.patch.object(sample, "topk_masks", lambda scores, gammas: torch.zeros_like(scores)), mock.patch("torch.from_numpy", zeros), \
            mock.patch("torch.Generator", lambda: types.SimpleNamespace(manual_seed=lambda s: None)), mock.patch.object(networks.Schedule, "signal", lambda self, t: (.6, .8)):
        pictures, masks = sample.sampled(moved(toy), words, ["a cat and an apple", "a cat"], [[(2, 5), (13, 18)], [(2, 5)]], torch.rand(2, 2, 3, 128, 128), Present(), steps=2, stop=1)
        assert pictures.device.type == "cuda" and pictures.shape == (2, 3, 128, 128) and masks.shape == (2, 2, 16, 16)


def test_4_a_step_is_a_few_calls_that_never_wait():
    """Fault 4, and the 5,900 calls of an optimizer that took its 162 matrices one by one."""
    with all_channels():
        toy, words = model.build(work())
    one = joint.Joint(toy)
    many, eye = flat.Flat(one.named(False)), Watch()
    assert sum(p.numel() for p in many.parameters.values()) > 10e6
    many.grads.normal_()
    with eye:
        many.step(1e-3)
    assert 100 < eye.calls <= 1000, eye.calls
    eyes, _ = encoders.build()
    with card():
        flat.Flat(moved(eyes).named_parameters()).step(1e-3)
    with tempfile.TemporaryDirectory() as d:  # the loop itself, with numbers: nothing is asked between two lines of figures
        asked, real = [], torch.Tensor.tolist
        with mock.patch.object(torch.Tensor, "tolist", lambda self: (asked.append(self.numel()), real(self))[1]), \
                mock.patch.object(torch.Tensor, "item", lambda self: asked.append(0)), mock.patch.object(torch.Tensor, "__bool__", lambda self: asked.append(0)):
            toybox.main(["--work", str(fresh(d, "vae")), "--stage", "vae", "--steps", "6", "--batch", "8", "--say", "3"])
        assert len(asked) == 2, asked


def test_4_batched_muon_is_the_loop():
    torch.manual_seed(0)
    make = lambda: torch.nn.ModuleDict(dict(a=torch.nn.Linear(12, 20), b=torch.nn.Linear(12, 20), c=torch.nn.Conv2d(6, 8, 3), d=torch.nn.Linear(20, 12), conv_in=torch.nn.Conv2d(3, 4, 3),
                                            token_embedding=torch.nn.Embedding(9, 4), norm=torch.nn.LayerNorm(7)))
    ours, theirs = make(), make()
    theirs.load_state_dict(ours.state_dict())
    many, loop = flat.Flat(ours.named_parameters()), optim.Muon(theirs.named_parameters(), 1e-2)
    assert len([g for g in many.groups if not g[0][0]]) == 3  # a and b are one batch
    start = {n: p.detach().clone() for n, p in theirs.named_parameters()}
    for step in range(4):
        for p, q in zip(ours.parameters(), theirs.parameters()):
            q.grad = torch.randn(q.shape) * (5 if step == 2 else .01)
            p.grad.copy_(q.grad)
        torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
        loop.step()
        many.step(1e-2)
        assert not many.grads.any()
    for n, p in theirs.named_parameters():
        moved_by = (p - start[n]).abs().mean()
        assert (p - dict(ours.named_parameters())[n]).abs().mean() < .02 * moved_by and moved_by > 1e-3, n


def test_5_the_clock_does_not_count_compiling():
    """Fault 5: it started before, and base and reference were compiled one after the other."""
    now = [1000.0]
    with mock.patch.object(toybox.time, "time", lambda: now[0]):
        clock = toybox.Clock(60)
        for step, seconds in enumerate((200, 30, 5)):  # forward, backward, and what is left of it
            assert clock.tick(step) == 0
            now[0] += seconds
        assert clock.tick(3) == 0
        now[0] += 15
        assert clock.tick(4) == .25 and clock.seconds() == 15
        again = toybox.Clock(60, before=clock.seconds())  # a restart compiles once more
        now[0] += 100
        assert again.tick(0) == again.tick(3) == .25
        wall = toybox.Clock(60, end=now[0] + 100)
        wall.tick(0)
        now[0] += 60  # compiling: 40 s are left, and the curves of the training end with them
        assert wall.tick(3) == 0
        now[0] += 20
        assert wall.tick(4) == .5
        now[0] += 20
        assert wall.tick(5) == 1
        late = toybox.Clock(60, end=now[0] - 1)
        assert late.tick(0) == 1
    graphs = []
    torch._dynamo.reset()
    with tempfile.TemporaryDirectory() as d:
        @torch._dynamo.register_backend(name="counting")
        def counting(graph, inputs):
            graphs.append(toybox_step[0])
            return graph.forward

        toybox_step, step = [0], flat.Flat.step
        with mock.patch.object(flat.Flat, "step", lambda self, lr: (toybox_step.__setitem__(0, toybox_step[0] + 1), step(self, lr))[1]):
            train_toybox(fresh(d), "--stage", "joint", "--steps", "4", "--compile", "counting")
    assert graphs and max(graphs) == 0, graphs  # all in the first step, losses of the maps as well


def test_6_what_is_not_finite_changes_nothing():
    """Fault 6: one such gradient in bfloat16 ended everything."""
    torch.manual_seed(0)
    ours = torch.nn.Sequential(torch.nn.Linear(5, 6), torch.nn.Linear(6, 7))
    many = flat.Flat(ours.named_parameters())
    for bad in (None, float("nan"), None, float("inf"), float("-inf")):
        many.grads.normal_()
        before = {k: v.clone() for k, v in many.state().items() if isinstance(v, torch.Tensor)}
        if bad is not None:
            many.grads[3] = bad
        many.step(1e-2)
        after = {k: v for k, v in many.state().items() if isinstance(v, torch.Tensor)}
        if bad is not None:
            same(before, after)
        else:
            assert all(not torch.equal(before[k], after[k]) for k in before) and all(v.isfinite().all() for v in after.values())
    assert many.skipped == 3 and many.steps == 2
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:  # the first step of all, and compiling that fails
        @torch._dynamo.register_backend(name="failing")
        def failing(graph, inputs):
            raise RuntimeError("no compiler here")

        torch._dynamo.reset()
        for d, more in ((a, ()), (b, ("--compile", "failing"))):
            train_toybox(fresh(d), "--stage", "joint", "--steps", "2", *more)
        same(trained(a), trained(b))


def test_7_one_composer_serves_all_blocks():
    """Fault 7: every block of scenes painted all places anew."""
    with tempfile.TemporaryDirectory() as d:
        real = scenes.Composer.__init__
        with mock.patch.object(scenes.Composer, "__init__", lambda self, *a, **k: (open(d + "/made", "a").write("x"), real(self, *a, **k))[1]):
            scenes.build(work(), "train", 6, 1, 2, .6, size=2, out=pathlib.Path(d))
        assert len(list(pathlib.Path(d).glob("train-*-meta.json"))) == 3 and pathlib.Path(d, "made").read_text() == "x"


def test_8_what_lands_while_it_runs_is_a_model():
    """Fault 8: nothing landed before the end."""
    with tempfile.TemporaryDirectory() as d, tempfile.TemporaryDirectory() as out, mock.patch.object(outbox, "SIZE", 430_000):
        folder, out, landed, step = fresh(d), pathlib.Path(out), [], flat.Flat.step

        def watched(self, lr):
            landed.append(sorted(f.name for f in out.iterdir()))
            if len(landed) == 4:  # three have been saved
                raise KeyboardInterrupt
            return step(self, lr)

        with mock.patch.object(flat.Flat, "step", watched), contextlib.suppress(KeyboardInterrupt):
            train_toybox(folder, "--steps", "9", "--stage", "joint", "--out", str(out), "--save", "0")
        assert landed[0] == [] and len(landed[1]) >= 3 and landed[1] == landed[2] == landed[3]
        assert all((out / f).stat().st_size <= 430_000 for f in landed[3])
        again = folder / "again"
        assert set(outbox.join(out, again)) == {"joint"}
        (again / "tokenizer").symlink_to(folder / "tokenizer")
        first, second = trained(folder), trained(again)
        assert second["step"] == 3 and (second["ema"] - first["ema"]).abs().max() < 1e-3 and (second["weights"] - first["weights"]).abs().max() < .02
        assert not torch.equal(second["ema"], second["weights"])
        export.export(again, folder / "checkpoint")
        assert len(list((folder / "checkpoint").rglob("*.safetensors"))) >= 5
        (again / "vae.pt").symlink_to(folder / "vae.pt"), (again / "encoders.pt").symlink_to(folder / "encoders.pt")
        for f in folder.glob("train-*"):
            (again / f.name).symlink_to(f)
        train_toybox(again, "--steps", "4", "--stage", "joint")  # and goes on
        assert trained(again)["step"] == 4
        (out / landed[3][1]).unlink()
        try:
            outbox.join(out, again)
        except SystemExit as e:
            assert "not complete" in str(e)
        else:
            raise AssertionError("half a model")
    assert outbox.SIZE + 100_000 < 16 << 20


def test_8_a_first_save_that_is_cut_off_leaves_what_was_there():
    def state(length):
        return flat.Flat([("p", torch.nn.Parameter(torch.full((length,), 2.0)))]).state() | dict(seen=1, step=1, seconds=1.0)
    with tempfile.TemporaryDirectory() as d, mock.patch.object(outbox, "SIZE", 430_000):
        box, replace = outbox.Outbox(pathlib.Path(d) / "out", pathlib.Path(d)), os.replace
        box.put("vae", state(1000))
        box.write()
        box.put("joint", state(100_000))  # three files
        for files in (0, 1, 2):  # written before it is killed
            with mock.patch.object(os, "replace", side_effect=[*[mock.DEFAULT] * files, KeyboardInterrupt], wraps=replace), contextlib.suppress(KeyboardInterrupt):
                box.write()
            assert outbox.join(box.folder, pathlib.Path(d) / f"joined-{files}") == ["vae"], files
        box.write()
        assert outbox.join(box.folder, pathlib.Path(d) / "joined") == ["vae", "joint"] and len(list(box.folder.iterdir())) == 3


# ------------------------------------------------------------------------------------------------------------ training


def test_curriculum_follows_the_paper():
    share, limit = curriculum.multiview_share, curriculum.crop_limit
    assert [share(d) for d in (0, .25, 1)] == [0, .25, 1]
    assert [round(limit(d), 4) for d in (0, .5, 1)] == [1, 2.0811, 3.1623]
    assert [share(.25, d) for d in ("single", "half", "multiview")] == [0, .5, 1]
    assert limit(.25, "none") == 1 and limit(.25, "random") == limit(1)
    # and training does: pictures of the same individual elsewhere, how much of them, and which blocks of the encoders
    asked = []
    for more in ((), ("--data", "single"), ("--data", "half", "--crop", "none"), ("--crop", "random", "--features", "deep")):
        with tempfile.TemporaryDirectory() as d:
            real = toybox.draw
            with mock.patch.object(toybox, "draw", lambda *a: (asked.append(a[4:6]), real(*a))[1]):
                train_toybox(fresh(d), "--stage", "joint", "--steps", "2", *more)
            toy, _ = model.load(d)
        assert all(e.config["features"] == ([2, 3] if "deep" in more else [0, 1, 3]) for e in toy.encoders.each.values())
    ours = [(.35, 1), (.35 + .65 * .7, 1 + (limit(1) - 1) * .14)]
    assert np.allclose(asked[:2], ours) and [a[0] for a in asked[2:]] == [0, 0, .5, .5, *(o[0] for o in ours)]
    assert [a[1] for a in asked[4:6]] == [1, 1] and asked[6][1] == asked[7][1] == 1 + (limit(1) - 1) * .28
    toy = networks.Encoders(model.VISION, model.ENCODERS)
    for features, blocks in (("shallow", [0, 1]), ("deep", [2, 3])):
        curriculum.choose_features(toy, features)
        assert all(e.config["features"] == blocks for e in toy.each.values())
        toy(torch.zeros(1, 5, 3, 64, 64))
        for e in toy.each.values():
            e.config["features"] = [0, 1, 3]


def test_large_scenes_are_the_same_scenes():
    with tempfile.TemporaryDirectory() as d:
        fake_bank(pathlib.Path(d))
        small, big = (scenes.Composer(d, "train", side=s).sample(np.random.default_rng(3)) for s in (128, 256))
    assert big["picture"].shape == (256, 256, 3) and (big["words"], big["place"]) == (small["words"], small["place"])
    off = np.abs(scenes.shrink(big["picture"], 128).astype(int) - small["picture"])
    assert off.mean() < 3 and np.abs(scenes.shrink(big["masks"][0], 16).astype(int) - scenes.shrink(small["masks"][0], 16)).mean() < 2


def test_the_large_autoencoder_begins_as_the_small_one():
    torch.manual_seed(0)
    small = autoencoder.build("f4c4")
    grown = large.grow(small)
    seen = []
    for vae in (small, grown):
        vae.decoder.conv_norm_out.register_forward_hook(lambda module, given, out: seen.append(out))
    with torch.no_grad():
        z = torch.randn(1, 4, 8, 8)
        small.decode(z)
        assert grown.decode(z).sample.shape == (1, 3, 64, 64)
    assert torch.allclose(torch.nn.functional.interpolate(seen[0], scale_factor=2), seen[1], atol=1e-4)
    folder = work()
    assert model.load(folder)[0].vae.config.sample_size == 256 and model.load(folder, small=True)[0].vae.config.sample_size == 128


def test_a_stopped_run_goes_on_exactly():
    for stage in ("vae", "large", "encoders", "joint"):
        with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
            options = ("--stage", stage, "--steps", "5")
            train_toybox(fresh(a, stage), *options)
            step, done = flat.Flat.step, []

            def interrupted(self, lr):
                done.append(lr)
                if len(done) == 2:
                    os.kill(os.getpid(), signal.SIGTERM)
                return step(self, lr)

            with mock.patch.object(flat.Flat, "step", interrupted):
                train_toybox(fresh(b, stage), *options)
            assert trained(b, stage)["step"] == len(done) == 2
            train_toybox(b, *options)
            same(trained(a, stage), trained(b, stage))
            assert np.array_equal(figures(a, stage), figures(b, stage)) and len(figures(a, stage)) == 5


def test_frozen_trains_only_what_sees_the_reference():
    with tempfile.TemporaryDirectory() as d:
        train_toybox(fresh(d), "--stage", "joint", "--frozen", "--steps", "2")
        toy, _ = model.build(work())
        wanted = {k for k, _ in toy.named_parameters() if "to_k_vision" in k or "to_v_vision" in k or networks.PROJECTOR_KEY in k}
        assert {n for n, _, _ in trained(d)["layout"]} == wanted


def test_what_sees_the_reference_begins_anew():
    with tempfile.TemporaryDirectory() as d:
        folder, steps = fresh(d), []
        torch.manual_seed(1)
        base, _ = model.build(work())
        weights = {n: p.detach().clone() + .01 * torch.randn_like(p) for n, p in base.named_parameters() if not n.startswith(("vae", "encoders"))}
        save_file(weights, folder / "start.safetensors")

        step_of = flat.Flat.step

        def watched(self, lr):
            steps.append({n: p.detach().clone() for n, p in self.parameters.items()})
            return step_of(self, lr)
        with mock.patch.object(flat.Flat, "step", watched), mock.patch.object(toybox, "draw", wraps=store.draw) as drawn:
            train_toybox(folder, "--stage", "joint", "--frozen", "--anew", "--start", str(folder / "start.safetensors"), "--steps", "1")
        for n, p in steps[0].items():
            if "_vision." in n and "to_" in n:  # of the text's as they were given, not as build() made them
                text = weights[n.replace("_vision", "")]
                assert torch.equal(p, text / 2 if "to_v" in n else text), n
            else:
                assert not torch.equal(p, weights[n]) or n.endswith("bias") or p.ndim == 1, n
        assert drawn.call_args[0][2:4] == (2, 0)  # no sample without a reference: a frozen base learns nothing from it


STEPS = 12


def one_and_two_processes():
    """The figures of every step of one process and of two, with the same batch in two parts."""
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        options = ("--stage", "joint", "--precision", "fp32", "--steps", str(STEPS), "--parts", "2")
        train_toybox(fresh(a), *options)
        command = [sys.executable, __file__, "--work", str(fresh(b)), "--batch", "16", "--say", "1", *options]
        environment = {k: v for k, v in os.environ.items() if k != "LOCAL_RANK"} | dict(WORLD_SIZE="2", TEAM="file://" + b + "/meet", OMP_NUM_THREADS="1")
        running = [subprocess.Popen(command, env=environment | {"RANK": str(r)}, stderr=subprocess.PIPE, text=True) for r in (0, 1)]
        said = [p.communicate()[1] for p in running]
        assert not any(p.returncode for p in running), said[0][-3000:] + said[1][-3000:]
        return figures(a), figures(b)


def test_two_processes_train_as_one():
    one, two = one_and_two_processes()
    assert one.shape == two.shape and len(one) == STEPS
    assert np.abs(one - two).max() < 1e-3, np.abs(one - two).max(0)
    assert np.abs(one[1:] - one[:-1]).max() > .02  # the curves themselves move far more than that


def test_precisions_train():
    precision = fast.Precision("cpu", "fp16")
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], 1.0)
    precision.scaler.scale((weight * torch.tensor([1.0, float("inf")])).sum()).backward()
    precision.scaler.unscale_(optimizer)
    precision.scaler.step(optimizer)
    precision.scaler.update()
    assert (weight == 1).all()  # a step that overflowed is left out
    assert fast.Team(1, device="cpu").device.type == "cpu"


def test_stages_side_by_side():
    with tempfile.TemporaryDirectory() as d, tempfile.TemporaryDirectory() as out, mock.patch.object(toybox, "__file__", __file__):
        toybox.BEGAN, began = time.time(), toybox.BEGAN
        try:
            toybox.main(["--work", str(fresh(d, "vae", "encoders", "large", "latents")), "--batch", "16", "--say", "1", "--wall", "3000", "--steps", "2", "--together", "--compile", "eager", "--out", out])
        finally:
            toybox.BEGAN = began
        assert (pathlib.Path(d) / "vae.pt").exists() and (pathlib.Path(d) / "encoders.pt").exists() and trained(d)["step"] == 2
        assert set(outbox.join(out, pathlib.Path(d) / "again")) == {"vae", "encoders", "large", "joint"}


def test_sheet_and_figures_are_drawn_at_the_end():
    with tempfile.TemporaryDirectory() as d, tempfile.TemporaryDirectory() as out:
        train_toybox(fresh(d), "--stage", "joint", "--steps", "1", "--show", "3", "2", "--out", out)
        assert Image.open(out + "/sheet.png").size == (1200, 150)
        assert json.loads(pathlib.Path(out, "figures.json").read_text()).keys() == {"guidance", "reference"}


def test_progress_and_curves():
    lines, screen = io.StringIO(), io.StringIO()
    screen.isatty = lambda: True
    for out in (lines, screen):
        bar = watch.Bar(out, every=50)
        for step in range(1, 101):
            bar.show(step, step / 100, lambda: "words")
        bar.close()
    assert lines.getvalue() == "words\nwords\n" and screen.getvalue().count("\r") == 100 and "100%" in screen.getvalue()
    with tempfile.TemporaryDirectory() as d:
        rows = [dict(stage="joint", step=25 * i, seen=i, seconds=i, done=i, rate=i, velocity=1 / i, attention=2 / i, correspondence=0.0) for i in range(1, 40)]
        (pathlib.Path(d) / "x.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 10')
        curves.draw({"x": curves.read(pathlib.Path(d) / "x.jsonl")}, d + "/x.png")
        assert Image.open(d + "/x.png").width == 2 * curves.WIDTH  # what is always zero gets no panel


# -------------------------------------------------------------------------------------------------- shards and released bases


def write_shards(folder, count=4, each=5):
    """text-image: one colour per sample, its number in red; multiview: three views, the number in red and the view in green."""
    def png(red, green, size=(80, 60)):
        out = io.BytesIO()
        Image.new("RGB", size, (red, green, 99)).save(out, "PNG")
        return out.getvalue()

    def add(tar, name, data):
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        tar.addfile(entry, io.BytesIO(data))

    for s in range(count):
        with tarfile.open(folder / f"one-{s:03}.tar", "w") as one, tarfile.open(folder / f"many-{s:03}.tar", "w") as many:
            for i in range(each):
                n = s * each + i
                add(one, f"pictures/{n:04}.png", b"broken" if n == 3 else png(n, 200))
                add(one, f"pictures/{n:04}.txt", b"a dog on the beach")
                for v in range(3):
                    add(many, f"{n:04}.{v}.png", png(100 + n, v))
                add(many, f"{n:04}.0.mask.png", png(255, 255))
                add(many, f"{n:04}.json", json.dumps(dict(caption="a cat in the snow", words=["cat"])).encode())
    return dict(size=32, text_image=f"{folder}/one-{{000..{count - 1:03}}}.tar", multiview=str(folder / "many-*.tar"), lanes=4, workers=0, shuffle=3, drop=0)


def test_photographs_are_upright_and_on_white():
    stored, turned, mark = io.BytesIO(), Image.new("RGB", (40, 20), (255, 0, 0)), Image.Exif()
    turned.paste((0, 0, 255), (0, 0, 20, 20))
    mark[0x112] = 6  # to be turned clockwise
    turned.save(stored, "JPEG", exif=mark)
    im = webdata.picture_of(stored.getvalue())
    assert im.size == (20, 40) and im.getpixel((10, 5))[2] > 200 > 50 > im.getpixel((10, 35))[2]
    for kind, clear in (("RGBA", (0, 0, 0, 0)), ("LA", (0, 0)), ("P", 0)):
        stored, im = io.BytesIO(), Image.new(kind, (4, 4), clear)
        im.save(stored, "PNG", **({"transparency": 0} if kind == "P" else {}))
        assert webdata.picture_of(stored.getvalue()).getpixel((1, 1)) == (255, 255, 255), kind


def pairs(data, rank=0, size=1, first=0, steps=20, batch=4, seed=5, more=()):
    words = tokenizer.Tokenizer(HERE.parent / "golden" / "data" / "tiny" / "tokenizer")
    a = train.options(["--work", "x", "--steps", str(steps), "--config", str(HERE / "configs" / "sd15.json"), "--batch", str(batch), "--seed", str(seed), *more])
    return webdata.Pairs(data, [words], (4, 4), 8, 64, a, rank, size, first)


def seen(p, steps, batch=4):
    """What identifies the samples of these steps: (red, green) of the picture and of the reference."""
    out = []
    for step in steps:
        b = p.batch(step, range(p.rank, batch, p.size), step / p.a.steps)
        out.append([tuple(((x[:2, 16, 16] + 1) * 127.5).round().int().tolist()) + tuple((r[:2, 32, 32] * 255).round().int().tolist())
                    for x, r in zip(b["pictures"], b["squares"][0])])
    return out


def test_shards_stream_the_same_however_they_are_shared_out_and_resumed():
    with tempfile.TemporaryDirectory() as d:
        data = write_shards(pathlib.Path(d))
        whole = seen(pairs(data), range(20))
        assert whole == seen(pairs(data), range(20)) != seen(pairs(data, seed=6), range(20))
        assert whole[13:] == seen(pairs(data, first=13), range(13, 20))
        two = [seen(pairs(data | dict(workers=2), rank=r, size=2), range(20)) for r in (0, 1)]
        assert whole == [[a, b, c, e] for (a, c), (b, e) in zip(*two)]
        flat = list(itertools.chain(*whole))
        single, many = [f for f in flat if f[0] < 100], [f for f in flat if f[0] >= 100]
        assert len({f[0] for f in single}) >= 15 and not any(f[0] == 3 for f in single)  # nearly all, and the broken one is passed over
        assert all(f[:2] == f[2:] for f in single)  # the picture itself
        assert all(f[0] == f[2] and f[1] != f[3] for f in many)  # the same subject, another view
        half = len(flat) // 2
        assert sum(f[0] >= 100 for f in flat[:half]) < sum(f[0] >= 100 for f in flat[half:])  # Eq. 10
        assert all(f[0] >= 100 for f in itertools.chain(*seen(pairs(data, more=["--data", "multiview"]), range(5))))
        piped = data | dict(text_image=[f"pipe:cat {d}/one-{i:03}.tar" for i in range(4)])
        assert seen(pairs(piped), range(8)) == whole[:8]
        b = pairs(data | dict(masks=True), first=16).batch(16, range(4), .8)
        assert b["marks"].shape == (4, 2, 77) and b["marks"].sum() >= 1 and b["masks"].shape == (4, 2, 8, 8) and b["on"][0].shape == (4, 8, 8)
        for wrong in (dict(lanes=3), dict(lanes=8), dict(text_image=str(pathlib.Path(d) / "none-*.tar"))):
            try:
                pairs(data | wrong)
            except (SystemExit, FileNotFoundError) as e:
                assert len(str(e)) > 30
            else:
                raise AssertionError(wrong)


def test_kept_latents_are_those_of_the_pictures():
    import model, types
    torch.manual_seed(0)
    vae, made = toybox.autoencoder.build("f4c4").eval(), []
    vae.encoder.register_forward_hook(lambda *_: made.append(1))
    team = types.SimpleNamespace(device=torch.device("cpu"), rank=0, size=1)
    with tempfile.TemporaryDirectory() as d, mock.patch.object(model, "load", lambda work, small=False: (types.SimpleNamespace(vae=vae), None)):
        a = types.SimpleNamespace(work=pathlib.Path(d), latent="f4c4", precision="fp32", compile=None)
        for seed, blocks, anew in ((1, 4, True), (1, 2, False), (2, 2, True)):  # last: other pictures in blocks of the same names
            s = store.Store()
            s._put("pictures", 0, torch.randint(0, 256, (8, 128, 128, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed)), (0, 3, 1, 2))
            s.count, s.blocks = 8, [f"{d}/train-{i:03d}" for i in range(blocks)]
            made.clear()
            toybox.train_latents(a, team, types.SimpleNamespace(store=s))
            right = vae.encode(store.floats(s.pictures[:2])).latent_dist.mean * torch.load(a.work / "latents.pt")["scaling"]
            assert torch.allclose(s.latents[:2, 0].float(), right, atol=.02) and len(made) == 1 + anew, (seed, len(made))


def tiny_base(folder, configs):
    """A diffusers folder of random networks, and the image encoders' weights: the "model" of a config."""
    from diffusers import AutoencoderKL, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
    torch.manual_seed(3)
    UNet2DConditionModel.from_config(configs["unet"]).save_pretrained(folder / "unet")
    AutoencoderKL.from_config(configs["vae"]).save_pretrained(folder / "vae")
    vocabulary = HERE.parent / "golden" / "data" / "tiny" / "tokenizer"
    for i, t in enumerate(configs["text"]):
        kind = CLIPTextModelWithProjection if t.get("projected") else CLIPTextModel
        end = "" if i == 0 else f"_{i + 1}"
        kind(CLIPTextConfig(**{k: v for k, v in t.items() if k != "projected"})).save_pretrained(folder / ("text_encoder" + end))
        (folder / ("tokenizer" + end)).symlink_to(vocabulary)
    encoders = {}
    for n, e in configs["encoders"].items():
        save_file(networks.Encoder(e, e["img_size"]).vit.state_dict() | {"attn_pool.latent": torch.zeros(1)}, folder / f"{n}.safetensors")
        encoders[n] = e | dict(weights=str(folder / f"{n}.safetensors"))
    return dict(family=configs["about"]["family"], name="tiny", base=str(folder), vision=configs["vision"], encoders=encoders)


def test_only_what_predicts_the_noise_is_trained():
    import pretrained
    from diffusers import DDIMScheduler, EDMEulerScheduler, EulerDiscreteScheduler, FlowMatchEulerDiscreteScheduler
    stable = dict(beta_start=.00085, beta_end=.012, beta_schedule="scaled_linear")
    for scheduler, mark in (
        (DDIMScheduler(**stable), None), (EulerDiscreteScheduler(**stable, timestep_spacing="leading"), None),
        (DDIMScheduler(**stable, prediction_type="v_prediction"), "prediction_type"), (DDIMScheduler(**stable, rescale_betas_zero_snr=True), "zero_snr"),
        (DDIMScheduler(), "beta_schedule linear"), (EulerDiscreteScheduler(**stable, timestep_type="continuous", prediction_type="v_prediction"), "v_pred"),
        (EDMEulerScheduler(), "EDM"), (FlowMatchEulerDiscreteScheduler(), "FlowMatch"),
    ):
        with tempfile.TemporaryDirectory() as d:
            scheduler.save_pretrained(d)
            try:
                pretrained.refuse_other_training(pathlib.Path(d) / "scheduler_config.json")
            except SystemExit as e:
                assert mark and mark in str(e), e
            else:
                assert not mark, mark
    pretrained.refuse_other_training(pathlib.Path("nowhere.json"))


def released(name, configs):
    import pretrained
    with tempfile.TemporaryDirectory() as d:
        folder = pathlib.Path(d)
        options = dict(json.loads((HERE / "configs" / f"{name}.json").read_text())["options"], steps=3, batch=4)
        data = write_shards(folder) | dict(size=64, lanes=2)
        (folder / "base").mkdir()
        config = dict(options=options, model=tiny_base(folder / "base", configs), data=data)
        (folder / "c.json").write_text(json.dumps(config))
        argv = ["--work", str(folder / "run"), "--config", str(folder / "c.json")]
        start, _ = pretrained.build(config["model"])
        trained, log = train.main(argv)
        assert len(log) == 3 and np.isfinite(log).all()
        draw = webdata.Pairs.batch

        def interrupted(self, step, places, done):
            if step == 1:
                os.kill(os.getpid(), signal.SIGTERM)
            return draw(self, step, places, done)

        argv[1] = str(folder / "stopped")
        with mock.patch.object(webdata.Pairs, "batch", interrupted):
            assert len(train.main(argv)[1]) == 2
        assert len(train.main(argv)[1]) == 1
        whole, parts = (torch.load(folder / f / "reference.pt") for f in ("run", "stopped"))
        assert whole.pop("seconds") > 0 < parts.pop("seconds")
        same(whole, parts)
        before, now = start.state_dict(), trained.state_dict()
        changed = {k for k in now if not torch.equal(before[k], now[k])}
        assert changed and all("_vision" in k for k in changed) and sum("min_attention.to_q" in k for k in changed) == 1
        pretrained.export(config["model"], folder / "run", folder / "out", folder / "delta.pth")
        golden = HERE.parent / "golden" / "data" / dict(sd15="tiny", sdxl="tiny-xl")[name]  # what the importer's own tests read
        for file in sorted(golden.rglob("*.safetensors")):
            wanted, found = load_file(file), load_file(folder / "out" / file.relative_to(golden))
            assert (found.pop("pooled_projected", None) is not None) == (name == "sdxl" and file.parent.name == "unet"), file
            assert {k: v.shape for k, v in wanted.items() if "pos_embed" not in k} == {k: v.shape for k, v in found.items() if "pos_embed" not in k}, file
        delta, ema = torch.load(folder / "delta.pth"), torch.load(folder / "run" / "reference.pt")["ema"]
        assert (delta.pop("pooled_projected", None) is not None) == (name == "sdxl")
        attention = [n for n, _ in trained.unet.unet.named_modules() if n.endswith("attn2")]
        visual = {f"{n}.to_{x}_vision.weight" for n in attention for x in "kv"}
        assert visual == {k for k in delta if not k.startswith(networks.PROJECTOR_KEY)} and len(delta) == len(ema)
        same({k.removeprefix("unet.unet."): v.contiguous() for k, v in ema.items()}, {k: v.contiguous() for k, v in delta.items()})
        back = networks.RealCustom.load(folder / "out")
        assert torch.equal(back.unet.unet.state_dict()[min(visual)], delta[min(visual)]) and back.projected == (name == "sdxl")
        (folder / "plain").mkdir()
        train.main(["--work", str(folder / "plain"), *argv[2:], "--pooled", "unprojected", "--steps", "1"])
        pretrained.export(config["model"], folder / "plain", delta=folder / "plain.pth")
        assert torch.load(folder / "plain.pth").keys() == delta.keys()
        state = torch.load(folder / "plain" / "reference.pt")
        state["ema"]["unet.unet.conv_in.weight"] = start.unet.unet.conv_in.weight.data
        torch.save(state, folder / "plain" / "reference.pt")
        try:
            pretrained.export(config["model"], folder / "plain", delta=folder / "half.pth")
        except SystemExit as e:
            assert "use --out" in str(e) and not (folder / "half.pth").exists()
        else:
            raise AssertionError("what the base learned was left out")
        return start, folder


def test_sd15_trains_from_a_diffusers_folder():
    import tiny
    released("sd15", tiny.tiny())


def test_sdxl_trains_from_a_diffusers_folder():
    import tiny
    model, _ = released("sdxl", tiny.tiny_xl())
    # what gradient checkpointing computes again in the backward pass sees the reference, too
    torch.manual_seed(0)
    b = dict(ids=torch.randint(0, 598, (2, 2, 77)), t=torch.tensor([100, 700]), time_ids=torch.full((2, 6), 64.0),
             squares=[torch.rand(2, 3, 72, 72)], on=[torch.rand(2, 4, 4)])
    b["ids"][:, :, -1] = 599
    noised, gradients, calls = torch.randn(2, 4, 8, 8), [], []
    next(m for n, m in model.unet.unet.named_modules() if n.endswith("attn2")).to_k_vision.register_forward_hook(lambda *_: calls.append(1))
    model.requires_grad_(False)
    for q in model.unet.visual_parameters():
        q.requires_grad_(True)
    for again in (False, True):
        if again:
            model.unet.unet.enable_gradient_checkpointing()
        model.zero_grad()
        train.predict(model, b, noised, text_learns=False)[0].square().mean().backward()
        gradients.append({n: q.grad.clone() for n, q in model.named_parameters() if q.grad is not None})
    assert len(calls) == 1 + 2
    assert gradients[0].keys() == gradients[1].keys() and len(gradients[0]) == len(model.unet.visual_parameters())
    for n in gradients[0]:
        assert torch.allclose(gradients[0][n], gradients[1][n], rtol=1e-4, atol=1e-7), n


def test_training_goes_on_from_the_embedded_model():
    bundle = HERE / "bundle"
    with all_channels(), tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder)
        shutil.copytree(bundle / "tokenizer", work / "tokenizer")
        assert all(n.endswith((".norm.weight", ".norm.bias")) for n in warm.begin(bundle, work))  # of the image encoders, behind the features
        whole = model.load(work)[0]
        side = whole.vae.config.sample_size
        assert whole.vae.config.scaling_factor == json.loads((bundle / "manifest.json").read_text())["latent"]["scaling_factor"]
        picture = torch.from_numpy(np.asarray(Image.open(HERE.parent / "samples" / "mushroom.png").convert("RGB").resize((side, side)))).permute(2, 0, 1)[None]
        with torch.no_grad():  # the encoder kept here and the decoder of the bundle belong together
            assert (whole.decode(whole.latents(store.floats(picture))) - store.floats(picture)).abs().mean() < .04
        for kept in ("large.pt", "latents.pt"):  # what a run has brought back is not replaced by what it began from
            (work / kept).write_bytes(b"its own")
        (work / "vae.pt").unlink()
        warm.begin(bundle, work)
        assert (work / "vae.pt").exists() and all((work / kept).read_bytes() == b"its own" for kept in ("large.pt", "latents.pt"))


def test_configs_say_what_is_released():
    import timm
    for name in ("sd15", "sdxl"):
        path = HERE / "configs" / f"{name}.json"
        a, config = train.options(["--work", "x", "--config", str(path)]), json.loads(path.read_text())["model"]
        assert a.frozen and a.batch % a.shards["lanes"] == 0 and (a.data, a.crop) == ("curriculum", "curriculum")
        with torch.device("meta"):
            for n, e in config["encoders"].items():
                e = dict(e)
                ours, theirs = networks.Encoder(e, e["img_size"]).vit.state_dict(), timm.create_model(e["timm"]).state_dict()
                assert {k: v.shape for k, v in ours.items()} == {k: theirs[k].shape for k in ours if k in theirs}, n
                assert all(k.startswith("attn_pool") for k in theirs.keys() - ours.keys())
            width = sum(e["embed_dim"] for e in config["encoders"].values())
            highres = networks.Projector("highres", width, 2048)
        assert width == 2176 and sum(q.numel() for q in highres.parameters()) == 59_649_024


few_channels()
torch.set_num_threads(1)
if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        toybox.main(sys.argv[1:])
    elif sys.argv[1:2] == ["--picture"]:
        one, two = one_and_two_processes()
        names = ["velocity", "attention", "correspondence", "features"]
        runs = {n: dict(step=np.arange(1, STEPS + 1.0), **dict(zip(names, r.T))) for n, r in (("1 process", one), ("2 processes", two))}
        note = f"{STEPS} steps of 16 samples in two parts, fp32: largest difference {np.abs(one - two).max():.1e}"
        curves.draw(runs, sys.argv[2], note)
        print(note)
    else:
        failed = 0
        for name, test in list(globals().items()):
            if name.startswith("test_") and (len(sys.argv) < 2 or any(n in name for n in sys.argv[1:])):
                try:
                    test()
                    print("ok", name, flush=True)
                except Exception:
                    print("FAILED", name, traceback.format_exc(), flush=True)
                    failed += 1
        sys.exit(failed > 0)

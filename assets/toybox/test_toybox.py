"""Tests of the toybox's data and training, without downloads: python test_toybox.py [NAME ...] (or pytest).

    python test_toybox.py --picture results/data-parallel.png       draws the two curves of the data-parallel test

Networks are those of model.py with a few channels, scenes are discs on painted places.
"""
import io, itertools, json, os, pathlib, signal, socket, subprocess, sys, tarfile, tempfile, traceback, types
os.environ["OMP_NUM_THREADS"] = "1"  # two threads would wait for each other at every small operator
import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
import bank, captions, curves, curriculum, fast, model, networks, scenes, tokenizer, train, train_vae, watch, webdata
from words import PLACES, SUBJECTS

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "golden"))


def few_channels():
    """Sizes at which a training step takes milliseconds."""
    model.TEXT_WIDTH = 16
    model.UNET.update(block_out_channels=[16, 32], attention_head_dim=[1, 2], cross_attention_dim=16, norm_num_groups=4)
    model.VISION.update(head_dim=8)
    for e in model.ENCODERS.values():
        e.update(embed_dim=16, num_heads=2, mlp_hidden=32)
    train_vae.CONFIG.update(block_out_channels=[8, 8, 8, 8], norm_num_groups=4)
    scenes.VARIANTS = 1


def fake_bank(folder):
    """Two words with two individuals each for training and one held out, as plain discs."""
    y, x = np.mgrid[-1:1:bank.SIDE * 1j, -1:1:bank.SIDE * 1j]
    sprites, rows = [], []
    for i, (word, split) in enumerate([("cat", "train"), ("cat", "train"), ("apple", "train"), ("apple", "train"), ("cat", "test"), ("apple", "test"), *((h, "hat") for h in scenes.HATS)]):
        disc = np.zeros((bank.SIDE, bank.SIDE, 4), np.uint8)
        disc[..., 0], disc[..., 1], disc[..., 3] = 200, 25 * i, 255 * (x * x + y * y < .8)
        sprites.append(disc)
        rows.append(dict(individual=f"{word}/x/{i}", word=word, design="x", package="x", split=split))
    np.savez_compressed(folder / "bank.npz", sprites=np.stack(sprites), rows=json.dumps(rows))


WORK = None


def work():
    """A folder with everything that train.py reads, and a base of two steps; made once."""
    global WORK
    if WORK is None:
        WORK = tempfile.TemporaryDirectory()
        folder = pathlib.Path(WORK.name)
        fake_bank(folder)
        scenes._block((folder, "train", 1, 40, 0, .6))
        scenes._block((folder, "test", 2, 12, 0, .6))
        tokenizer.save(folder / "tokenizer")
        torch.manual_seed(1)
        torch.save(dict(now=networks.Encoders(model.VISION, model.ENCODERS).state_dict()), folder / "encoders.pt")
        torch.save(dict(latents=torch.randn(40, 8, 16, 16).half(), scaling=1.0), folder / "latents.pt")
        torch.save(dict(ema=networks.AutoencoderKL.from_config(train_vae.CONFIG).state_dict()), folder / "vae.pt")
        train.main(["--work", str(folder), "--stage", "base", "--steps", "2", "--batch", "8"])
    return pathlib.Path(WORK.name)


def fresh(folder):
    """A copy of work() without a trained reference."""
    folder = pathlib.Path(folder)
    for f in work().iterdir():
        if not f.name.startswith("reference"):
            (folder / f.name).symlink_to(f)
    return folder


def reference(folder, *more, steps=6, batch=8):
    return train.main(["--work", str(folder), "--stage", "reference", "--steps", str(steps), "--batch", str(batch), *more])


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


def test_random_masks_stay_near_the_subject():
    true = torch.zeros(16, 16)
    true[4:10, 5:11] = 1
    masks = torch.stack([train.random_mask(true, np.random.default_rng(s)) for s in range(64)])
    assert masks.min() >= 0 and torch.allclose(masks.amax((1, 2)), torch.ones(64))
    assert (masks * true).sum() > .5 * masks.sum()
    assert masks.gt(0).float().mean() < .4


def test_crop_keeps_a_quarter_of_the_subject_and_says_where_it_lies():
    picture, mask = np.zeros((128, 128, 3), np.uint8), np.zeros((32, 32), np.uint8)
    picture[100:116, 100:116], mask[25:29, 25:29] = 255, 255
    for seed in range(30):
        part, (x, y, scale) = train.square(picture, mask, None, np.random.default_rng(seed), 3)
        ys, xs = np.nonzero(part[0].numpy() > .9)
        assert part.shape == (3, 128, 128) and len(ys) * scale ** 2 >= 16 * 16 / 5
        assert 98 <= x + scale * xs.min() and x + scale * xs.max() <= 117 and 98 <= y + scale * ys.min() and y + scale * ys.max() <= 117


def test_losses_prefer_the_right_place():
    masks = torch.zeros(1, 2, 16, 16)
    masks[:, :, :4] = 1
    maps = [types.SimpleNamespace(size=(16, 16), value=v) for v in (masks + 1e-3, 1 - masks + 1e-3)]
    assert train.attention_loss(maps[:1], masks) < .2 < 6 < train.attention_loss(maps[1:], masks)
    team = types.SimpleNamespace(mean=lambda x: x)
    at, inside = torch.full((1, 16, 16, 2), 2.5), torch.ones(1, 16, 16)  # every place is found in cell (2, 2) of the reference
    right, wrong = torch.full((1, 256, 128), 1e-4), torch.full((1, 256, 128), 1e-4)
    right[..., 2 * 8 + 2], wrong[..., 5] = .9, .9
    good, bad = (train.correspondence_loss([types.SimpleNamespace(value=v)], at, inside, team) for v in (right, wrong))
    assert good < .2 < 5 < bad


# ------------------------------------------------------------------------------------------------------------ training


def test_curriculum_follows_the_paper():
    share, limit = curriculum.multiview_share, curriculum.crop_limit
    assert [share(d) for d in (0, .25, 1)] == [0, .25, 1]
    assert [round(limit(d), 4) for d in (0, .5, 1)] == [1, 2.0811, 3.1623]
    assert [share(.25, d) for d in ("single", "half", "multiview")] == [0, .5, 1]
    assert limit(.25, "none") == 1 and limit(.25, "random") == limit(1)
    # and the drawing does: pictures of the same individual elsewhere, and how much of them
    toy = networks.Encoders(model.VISION, model.ENCODERS)
    samples = train.toybox(train.options(["--work", str(work()), "--stage", "reference", "--steps", "9"]), types.SimpleNamespace(size=1))[2]
    samples.drop = 0
    for done, data, low, high in ((0, "curriculum", .15, .45), (1, "curriculum", 1, 1), (0, "multiview", 1, 1), (1, "single", 0, 0)):
        twins, samples.data = [], data
        real = samples.scenes.reference
        samples.scenes.reference = lambda *a: (twins.append(a), real(*a))[1]
        drawn = [samples.draw(s, 7, done) for s in range(60)]
        samples.scenes.reference = real
        there = sum(int(d["there"][0]) for d in drawn)
        assert there > 20 and low <= len(twins) / there <= high, (done, data, len(twins), there)
    for features, blocks in (("both", [0, 1, 3]), ("shallow", [0, 1]), ("deep", [2, 3])):
        curriculum.choose_features(toy, features)
        assert all(e.config["features"] == blocks for e in toy.each.values())
        toy(torch.zeros(1, 5, 3, 64, 64))
        for e in toy.each.values():
            e.config["features"] = [0, 1, 3]


def test_a_stopped_run_goes_on_exactly():
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        reference(fresh(a))
        draw, folder = train.Samples.batch, fresh(b)

        def interrupted(self, step, places, done):
            if step == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            return draw(self, step, places, done)

        train.Samples.batch = interrupted
        try:
            _, log = reference(folder)
        finally:
            train.Samples.batch = draw
        assert len(log) == 3 and torch.load(folder / "reference.pt")["step"] == 3
        _, log = reference(folder)
        assert len(log) == 3
        straight, resumed = (torch.load(pathlib.Path(f) / "reference.pt") for f in (a, b))
        assert straight.pop("seconds") > 0 < resumed.pop("seconds")
        same(straight, resumed)


def test_frozen_trains_only_what_sees_the_reference():
    with tempfile.TemporaryDirectory() as d:
        trained, _ = reference(fresh(d), "--frozen", steps=3)
        torch.manual_seed(0)  # as main does
        before = train.toybox(train.options(["--work", d, "--stage", "reference", "--steps", "1", "--frozen"]), types.SimpleNamespace(size=1))[0]
        for n, m in before.unet.unet.named_modules():
            if n.endswith("attn2"):
                m.to_k_vision.weight.data.copy_(m.to_k.weight.data)
                m.to_v_vision.weight.data.copy_(.5 * m.to_v.weight.data)
        before, now = before.state_dict(), trained.state_dict()
        changed = {k for k in now if not torch.equal(before[k], now[k])}
        wanted = {k for k in now if "to_k_vision" in k or "to_v_vision" in k or networks.PROJECTOR_KEY in k}
        assert changed == wanted, sorted(changed ^ wanted)[:5]


STEPS, BATCH = 30, 16


def one_and_two_processes():
    """The figures of every step, [STEPS, 3], of one process and of two that torchrun started, with the same global batch."""
    with tempfile.TemporaryDirectory() as a, tempfile.TemporaryDirectory() as b:
        _, one = reference(fresh(a), "--precision", "fp32", steps=STEPS, batch=BATCH)
        fresh(b)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        environment = {k: v for k, v in os.environ.items() if k not in ("RANK", "WORLD_SIZE", "TEAM")} | {"OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2", "--master_port", str(port), __file__, "--train", b + "/log.npy",
                   "--work", b, "--stage", "reference", "--precision", "fp32", "--steps", str(STEPS), "--batch", str(BATCH)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
        return one, np.load(b + "/log.npy")


def test_two_processes_train_as_one():
    one, two = one_and_two_processes()
    assert len(one) == len(two) == STEPS and one[:, 2].max() > 0
    assert np.abs(one - two).max() < 1e-3, np.abs(one - two).max(0)
    assert np.abs(one[1:] - one[:-1]).max() > .05  # the curve itself moves far more than that


def test_precisions_train():
    for name in ("fp16", "fp32"):
        with tempfile.TemporaryDirectory() as d:
            _, log = reference(fresh(d), "--precision", name, steps=2)
            state = torch.load(pathlib.Path(d) / "reference.pt")
            assert np.isfinite(log).all() and (state.get("scaler", {}).get("scale", 0) > 1) == (name == "fp16")
    precision = fast.Precision("cpu", "fp16")
    weight = torch.nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([weight], 1.0)
    precision.scaler.scale((weight * torch.tensor([1.0, float("inf")])).sum()).backward()
    precision.scaler.unscale_(optimizer)
    precision.scaler.step(optimizer)
    precision.scaler.update()
    assert (weight == 1).all()  # a step that overflowed is left out
    assert fast.Team(1, device="cpu").device.type == "cpu"


def test_watching_stays_in_its_budget_and_changes_nothing():
    budget, spent = watch.Budget(60), 0
    for seconds in range(0, 7200, 5):
        if budget.due(seconds, expected=7):
            budget.paid(seconds, 9)
            spent += 9
        assert spent <= max(9, .021 * seconds)
    assert spent >= 9 * 10 and not watch.Budget(0).due(1e6, 0)
    lines, screen = io.StringIO(), io.StringIO()
    screen.isatty = lambda: True
    for out in (lines, screen):
        bar = watch.Bar(out, every=50)
        for step in range(1, 101):
            bar.show(step, step / 100, lambda: "words")
        bar.close()
    assert lines.getvalue() == "words\nwords\n" and screen.getvalue().count("\r") == 100 and "100%" in screen.getvalue()
    toy, words = model.load(work())
    ema = {n: q.detach() + .01 for n, q in toy.named_parameters() if n.startswith("unet")}
    before = {n: q.clone() for n, q in toy.state_dict().items()}
    with tempfile.TemporaryDirectory() as d:
        grids = watch.Grids(fresh(d), "reference", count=2)
        grids.draw(toy, words, ema, 25)
        assert Image.open(pathlib.Path(d) / "reference-samples.png").size == (2 * 130, 260)
        rows = [dict(step=25 * i, seen=i, seconds=i, loss=1 / i, attention=2 / i, correspondence=0.0) for i in range(1, 40)]
        (pathlib.Path(d) / "x.jsonl").write_text("\n".join(map(json.dumps, rows)) + '\n{"step": 10')
        curves.draw({"x": curves.read(pathlib.Path(d) / "x.jsonl")}, d + "/x.png")
        assert Image.open(d + "/x.png").width == 2 * curves.WIDTH  # what is always zero gets no panel
    same(before, toy.state_dict())


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


def pairs(data, rank=0, size=1, first=0, steps=20, batch=4, seed=5, more=()):
    words = tokenizer.Tokenizer(HERE.parent / "golden" / "data" / "tiny" / "tokenizer")
    a = train.options(["--work", "x", "--stage", "reference", "--steps", str(steps), "--batch", str(batch), "--seed", str(seed), *more])
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
        before, now = start.state_dict(), trained.state_dict()
        changed = {k for k in now if not torch.equal(before[k], now[k])}
        assert changed and all("_vision" in k for k in changed) and sum("min_attention.to_q" in k for k in changed) == 1
        pretrained.export(config["model"], folder / "run", folder / "out", folder / "delta.pth")
        golden = HERE.parent / "golden" / "data" / dict(sd15="tiny", sdxl="tiny-xl")[name]  # what the importer's own tests read
        for file in sorted(golden.rglob("*.safetensors")):
            wanted, found = load_file(file), load_file(folder / "out" / file.relative_to(golden))
            assert {k: v.shape for k, v in wanted.items() if "pos_embed" not in k} == {k: v.shape for k, v in found.items() if "pos_embed" not in k}, file
        delta, ema = torch.load(folder / "delta.pth"), torch.load(folder / "run" / "reference.pt")["ema"]
        attention = [n for n, _ in trained.unet.unet.named_modules() if n.endswith("attn2")]
        visual = {f"{n}.to_{x}_vision.weight" for n in attention for x in "kv"}
        assert visual == {k for k in delta if not k.startswith(networks.PROJECTOR_KEY)} and len(delta) == len(ema)
        same({k.removeprefix("unet.unet."): v.contiguous() for k, v in ema.items()}, {k: v.contiguous() for k, v in delta.items()})
        back = networks.RealCustom.load(folder / "out")
        assert torch.equal(back.unet.unet.state_dict()[min(visual)], delta[min(visual)])
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
             squares=[torch.rand(2, 3, 72, 72)], there=[torch.ones(2)], on=[torch.rand(2, 4, 4)])
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


def test_configs_say_what_is_released():
    import timm
    start = train.options(["--work", "x", "--stage", "base", "--steps", "1"])
    toy = train.options(["--work", "x", "--stage", "base", "--steps", "1", "--config", str(HERE / "configs" / "toybox.json")])
    assert {k: v for k, v in vars(start).items() if k != "config"} == {k: v for k, v in vars(toy).items() if k != "config"}
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
    if sys.argv[1:2] == ["--train"]:
        _, log = train.main(sys.argv[3:])
        if os.environ["RANK"] == "0":
            np.save(sys.argv[2], log)
    elif sys.argv[1:2] == ["--picture"]:
        one, two = one_and_two_processes()
        runs = {n: dict(step=np.arange(1, STEPS + 1.0), loss=r[:, 0], attention=r[:, 1], correspondence=r[:, 2]) for n, r in (("1 process", one), ("2 processes", two))}
        note = f"{STEPS} steps of {BATCH} samples, fp32: largest difference {np.abs(one - two).max():.1e}"
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

"""Tests of the evaluation with disc-shaped sprites and untrained judges: python test_evaluate.py (or pytest); no downloads."""
import json, pathlib, sys, tempfile
import numpy as np
import torch
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases, judges, run, score, sheet, tables  # noqa: E402
import bank  # noqa: E402  (cases made the toybox importable)
from words import HATS, SEATS  # noqa: E402

torch.set_num_threads(1)


def names(words, count):
    return [f"{w}/x/{i}" for i in range(count) for w in words]


def planned():
    from words import NEW_WORDS, SUBJECTS
    return cases.plan(names(sorted(SUBJECTS)[:90], 2), names(sorted(NEW_WORDS), 3))


def test_the_plan_is_fixed_and_development_stays_apart():
    identities, some, gallery = planned()
    assert planned() == (identities, some, gallery)
    assert [len(cases.choose(some, s)) for s in ("main", "main-1", "two", "new", "dev", "two-dev", "sub")] == [800, 400, 64, 80, 40, 64, 40]
    who = lambda s: {identities[k]["individual"] for c in some if c["set"] == s for k in c["identities"]}
    assert len(who("main")) == 40 and who("two") <= who("main") and who("two-dev") <= who("dev") and not who("dev") & (who("main") | who("new"))
    assert len(gallery) == len(set(gallery)) == 200 and all(c["identities"][0] in gallery for c in some if c["set"] == "main")
    assert len({c["name"] for c in some}) == len(some) and len({(c["prompt"], c["seed"]) for c in some}) == len(some)
    assert len({c["identities"][0] for c in cases.choose(some, "sub")}) == 40
    part = cases.choose(some, "main-1", 100)
    assert len(part) == 100 and part == [c for c in some if c in part] and len({c["place"] for c in part}) == 10
    assert all(c["said"][0] in c["prompt"] and c["identities"][0].split("-")[0] not in c["prompt"] for c in some if c["set"] == "new")


def test_settings_that_are_equal_share_pictures_and_lines_say_everything():
    assert run.same("scope-0.25") == run.same("stop-10") == "default" and run.same("no-self") == run.same("source-low_cross") and run.same("text") == "text"
    for rows in tables.TABLES.values():
        assert len({run.same(s) for s in rows[1].values()}) == len(rows[1])
    case = dict(name="n", prompt="a cat and a cat", seed=3, said=["cat", "cat"], identities=["a", "b"])
    line = json.loads(run.line(case, "stop-8", pathlib.Path("r")))
    assert line["stop"] == 8 and line["mask_source"] == "low_cross_high_self" and line["raw_mask"] is False
    assert [s["word"] for s in line["subjects"]] == ["cat#1", "cat#2"] and line["subjects"][1]["references"] == ["r/b.png"] and line["subjects"][0]["scope"] == .25
    assert sum(s["scope"] for s in json.loads(run.line(case, "no-topk", pathlib.Path("r")))["subjects"]) < 1  # two subjects cannot have the whole picture each
    assert json.loads(run.line(case, "text", pathlib.Path("r")))["subjects"] == []


def test_tables_of_inference_and_of_training_lie_in_one_file():
    rows = {"V": {"all cross": {"pictures": 200, "identity cosine": .739}}, "notes": {"VIII": "Too few samples."},
            "VIII": {"deep": {"samples": 4800, "gain": 1.2345, "gain ±": .1, "identity cosine": .61234, "identity cosine ±": .0456, "pictures": 40}, "shallow": {"samples": 4800, "gain": 1.0}}}
    with tempfile.TemporaryDirectory() as d:
        tables.write(pathlib.Path(d), rows)
        assert json.loads((pathlib.Path(d) / "tables.json").read_text()) == rows
        text = (pathlib.Path(d) / "tables.md").read_text()
    assert "## Source of the mask (the paper's Table V)\n\n| | identity cosine |\n|---|---|\n| all cross | 0.739 |\n\n200 pictures a row.\n" in text
    assert "| deep | 4800 | 1.23 ± 0.1 | 0.612 ± 0.046 |\n| shallow | 4800 | 1.0 |  |\n\n40 pictures a row, of development individuals.\n\nToo few samples.\n" in text


def test_the_cut_shows_what_is_inside_the_mask():
    picture = np.zeros((128, 128, 3), np.uint8)
    picture[32:64, 64:96] = (250, 10, 10)
    picture[96:] = (0, 250, 0)
    mask = np.zeros((16, 16), np.float32)
    mask[4:8, 8:12] = 1
    cut = judges.cut(picture, mask)
    assert cut.shape == (40, 40, 3) and (np.abs(cut[20, 20].astype(int) - (250, 10, 10)) < 8).all()
    assert (cut[..., 1].astype(int) - cut[..., 0] < 60).all()  # nothing green
    assert judges.cut(picture, np.zeros((16, 16), np.float32)).shape == (40, 40, 3)
    corner = np.zeros((16, 16), np.float32)
    corner[:2, :2] = 1
    assert judges.cut(picture, corner).shape == (40, 40, 3)


def test_retrieval_changes_and_masks_are_counted_right():
    with tempfile.TemporaryDirectory() as d:
        folder = pathlib.Path(d)
        grid = np.zeros((16, 16), np.float32)
        grid[4:8, 4:8] = .7
        scores = np.where(grid > 0, .9, .1)
        note = dict(grid=[16, 16], steps=[dict(step=0, scores=[scores.flatten().tolist()], masks=[grid.flatten().tolist()])])
        (folder / "n.json").write_text(json.dumps(note))
        custom, text = np.zeros((128, 128, 3), np.uint8), np.zeros((128, 128, 3), np.uint8)
        custom[32:64, 32:64] = 90  # inside
        custom[100:, :] = 10  # far away
        mask = torch.zeros(16, 16)
        mask[4:8, 4:12] = 1
        row = dict(case=dict(name="n"), picture=custom, subjects=[dict(mask=mask)])
        got = score.outside([row], [dict(row, picture=text)], folder)
        assert got["change inside the mask"] == 90 and 0 < got["change outside"] < 10
        by = score.guidance([row], folder)["0"]
        assert by["iou at 0.2"] == .5 and by["pointing"] == 1 and by["iou at area"] == .333
    panel = score.Panel.__new__(score.Panel)
    e = torch.eye(3)
    panel.list, panel.embedded, panel.gallery = {"gallery": ["a", "b", "c"]}, dict(zip("abc", e)), e
    assert panel.nearest(torch.tensor([.9, .1, 0]), "a") and not panel.nearest(torch.tensor([.1, .9, 0]), "a")
    subject = lambda v: dict(embedded=torch.tensor(v), own=.5, place="snow", word="cat", hat="")
    case = dict(identities=["a", "b"], said=["cat", "animal"], place="snow", hat=None)
    both = [dict(case=case, subjects=[subject([1., 0, 0]), subject([0, 1., 0])]), dict(case=case, subjects=[subject([0, 1., 0]), subject([1., 0, 0])])]
    f = score.figures(panel, both)
    assert f["swapped"] == f["both nearer to their own"] == f["retrieval@1 of 200"] == .5 and f["place"] == f["word"] == 1


def fake_work(folder):
    """A bank of discs, and two scenes of it."""
    y, x = np.mgrid[-1:1:bank.LARGE * 1j, -1:1:bank.LARGE * 1j]
    sprites, rows = [], []
    for i, word in enumerate(["cat", "cat", "dog", "dog", *HATS, *SEATS]):
        disc = np.zeros((bank.LARGE, bank.LARGE, 4), np.uint8)
        disc[..., 0], disc[..., 1], disc[..., 3] = 200, 20 * i, 255 * (x * x + y * y < .8)
        sprites.append(disc)
        rows.append(dict(individual=f"{word}/x/{i}", word=word, design="x", package="x", split="train"))
    bank.save(folder, sprites, rows)


def test_judges_learn_and_judge():
    import scenes
    with tempfile.TemporaryDirectory() as d:
        folder = pathlib.Path(d)
        fake_work(folder)
        scenes.VARIANTS = 1
        scenes.block(scenes.Composer(folder, "train"), folder, "train", 1, 12, 0, .5)
        data = judges.Subjects(folder, "train")
        cache, rng = judges.Cached(data, folder / "judges.npz"), np.random.default_rng(0)
        torch.manual_seed(0)
        net = judges.Judges()
        optimizer = torch.optim.Adam(net.parameters(), 2e-3)
        seen = []
        for _ in range(12):
            values = judges.losses(net, data, cache, rng, 8, [])
            sum(values[:3]).backward()
            optimizer.step(), optimizer.zero_grad()
            seen.append(float(sum(values[:3]).detach()))
        assert np.mean(seen[-3:]) < np.mean(seen[:3])
        import outline
        finder, seen = outline.Outline(), []
        optimizer = torch.optim.Adam(finder.parameters(), 3e-3)
        x, m = judges.floats(cache.pictures[[data.entries[i][0] for i in range(len(data))]]), data.masks(np.arange(len(data)))
        for _ in range(20):
            seen.append(outline.loss_of(finder, x, m))
            seen[-1].backward()
            optimizer.step(), optimizer.zero_grad()
        assert float(seen[-1]) < .8 * float(seen[0]), [float(v) for v in seen]
        found = finder.eval().find(data.pictures(np.arange(len(data))))
        assert found.shape == (len(data), 16, 16) and 0 <= float(found.min()) and float(found.max()) <= 1
        net.eval()
        some = np.arange(len(data))
        pictures = data.pictures(some)
        masks = net.segment(pictures, data.words)
        assert masks.shape == (len(data), 16, 16) and 0 <= float(masks.min()) and float(masks.max()) <= 1
        assert torch.allclose(net.embed(pictures, masks).norm(dim=1), torch.ones(len(data)), atol=1e-4)
        places = torch.zeros(len(data), 2, 16, 16)
        places[:, 0, :, :4], places[:, 1, :, 12:] = 1, 1
        two = net.find_two(pictures, [(w, w) for w in data.words], places)
        assert (two[:, 0, :, :8] > 0).all() and not two[:, 0, :, 9:].any() and torch.allclose(two.sum(1), masks)
        assert net.find(pictures, data.words).shape == masks.shape
        assert net.classify(pictures, masks)[2].shape == (len(data), len(judges.WORDS))
        a = judges.gallery(data, rng, 3, some)
        assert not (data.alike(a, a) & ~np.eye(len(a), dtype=bool)).any()


def test_tiles_show_reference_and_mask():
    im = sheet.overlay(Image.new("RGB", (32, 32), (100, 100, 100)), [np.array([[1., 0], [0, 0]])])
    assert im.getpixel((4, 4))[0] > 150 and im.getpixel((28, 28)) == (55, 55, 55)


if __name__ == "__main__":
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print(name, "ok", flush=True)

"""Scores the pictures of a run with the judges, between a floor (text only) and a ceiling (the wanted scenes, composed).

    python score.py --work DIR --run final --out results/        writes evaluation.json and evaluation.md
    python score.py --work DIR --run try --set dev               prints one line
    python score.py --work DIR --noised                          guidance masks of the PyTorch model on noised held-out scenes
"""
import argparse, json, pathlib, sys
import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases as fixed  # noqa: E402
import judges as j  # noqa: E402
import outline  # noqa: E402
from run import same  # noqa: E402

MARGIN = 9  # pixels around a mask that count neither as inside nor as outside


class Panel:
    """The judges, and what they know of the references."""

    def __init__(self, work):
        self.work = pathlib.Path(work)
        self.judges, self.list = j.load(work), fixed.load(work)
        self.identities, self.cases = self.list["identities"], self.list["cases"]
        self.keys = list(self.identities)
        folder = self.work / "evaluate" / "references"
        with np.load(folder / "masks.npz") as masks:
            m = torch.from_numpy(np.stack([masks[k] for k in self.keys])).float() / 255
        embedded = self.judges.embed(np.stack([read(folder / f"{k}.png") for k in self.keys]), m)
        self.embedded = dict(zip(self.keys, embedded))
        self.gallery = torch.stack([self.embedded[k] for k in self.list["gallery"]])

    def folder(self, run, setting):
        return self.work / "evaluate" / run / same(setting)

    def look(self, some, folder, places=None):
        """What the judges see in the pictures of cases, all of which must be there: one dict per case.

        places: for two subjects, where they stand: {name: [2, 16, 16]}.
        """
        pictures = np.stack([read(folder / f"{c['name']}.png") for c in some])
        said = [c["said"] for c in some]
        if len(said[0]) == 1:
            masks = self.judges.find(pictures, [s[0] for s in said])[:, None]
        else:
            masks = self.judges.find_two(pictures, said, torch.stack([places[c["name"]] for c in some]))
        rows = [dict(case=c, picture=p, subjects=[]) for c, p in zip(some, pictures)]
        for k in range(len(said[0])):
            place, hat, word = self.judges.classify(pictures, masks[:, k])
            for r, m, p, h, w, e in zip(rows, masks[:, k], place, hat, word, self.judges.embed(pictures, masks[:, k])):
                key = r["case"]["identities"][k]
                r["subjects"].append(dict(mask=m, place=j.PLACE_KEYS[p], hat=j.HAT_KEYS[h], word=j.WORDS[w.argmax()], embedded=e, own=float(e @ self.embedded[key])))
        return rows

    def nearest(self, embedded, key):
        """Whether the identity is nearest among the gallery (with itself, where it is none of it)."""
        cosines, own = self.gallery @ embedded, float(self.embedded[key] @ embedded)
        rivals = torch.tensor([k != key for k in self.list["gallery"]])
        if key not in self.list["gallery"]:
            rivals[-1] = False  # still 200 to choose from
        return own > float(cosines[rivals].max())


def read(path):
    im = np.asarray(Image.open(path).convert("RGB"))
    return im if im.shape[0] == 128 else np.asarray(Image.fromarray(im).resize((128, 128), Image.BICUBIC))


def matches(word, said):
    return said in (j.hypernyms_of(word) + [word])


def figures(panel, rows):
    """Subject similarity and text control of looked-at cases."""
    subjects = [(r["case"], k, s) for r in rows for k, s in enumerate(r["subjects"])]
    hats = [(c, s) for c, _, s in subjects if c["hat"]]
    out = {"pictures": len(rows), "identity cosine": np.mean([s["own"] for _, _, s in subjects]),
           "retrieval@1 of 200": np.mean([panel.nearest(s["embedded"], c["identities"][k]) for c, k, s in subjects]),
           "place": np.mean([s["place"] == c["place"] for c, _, s in subjects]), "word": np.mean([matches(s["word"], c["said"][k]) for c, k, s in subjects])}
    if hats:
        out["hat"] = np.mean([s["hat"] == c["hat"] for c, s in hats])
    if len(rows[0]["subjects"]) == 2:
        own = np.array([[float(r["subjects"][a]["embedded"] @ panel.embedded[r["case"]["identities"][b]]) for a in (0, 1) for b in (0, 1)] for r in rows])
        first, second = own[:, 0] > own[:, 1], own[:, 3] > own[:, 2]
        out |= {"both nearer to their own": (first & second).mean(), "subjects nearer to their own": (first.mean() + second.mean()) / 2, "swapped": (~first & ~second).mean()}
    return rounded(out)


def last_masks(folder, name):
    """The masks of the last guided step [subjects, h, w]."""
    note = json.loads((folder / f"{name}.json").read_text())
    return np.array(note["steps"][-1]["masks"], np.float32).reshape(-1, note["grid"][1], note["grid"][0])


def grown(mask, margin=MARGIN):
    """A guidance mask [h, w] at picture size, and the same with a margin."""
    m = F.interpolate(torch.from_numpy(mask > 0)[None, None].float(), size=(128, 128), mode="nearest")
    return m[0, 0].numpy() > 0, F.max_pool2d(m, 2 * margin + 1, 1, margin)[0, 0].numpy() > 0


def outside(custom, text, folder):
    """How much the reference changes inside and outside its mask: mean |difference| of 255, same seed."""
    inner, outer = [], []
    for a, b in zip(custom, text):
        inside, near = grown(last_masks(folder, a["case"]["name"]).max(0))
        d = np.abs(a["picture"].astype(int) - b["picture"].astype(int)).mean(-1)
        inner.append(d[inside].mean())
        if (~near).any():
            outer.append(d[~near].mean())
    return rounded({"change inside the mask": np.mean(inner)} | ({"change outside": np.mean(outer)} if outer else {}), 1)


def seeds_apart(rows):
    """The same between two seeds of one prompt: what "another picture" means."""
    by = {}
    for r in rows:
        by.setdefault((r["case"]["prompt"], r["case"]["seed"] // 10), []).append(r["picture"].astype(int))
    d = [np.abs(p[0] - p[1]).mean() for p in by.values() if len(p) > 1]
    return round(float(np.mean(d)), 1) if d else None


def guidance(rows, folder):
    """By step: Top-K of the scores at scope 0.2 and at the judged area, and their highest point, against the judged mask of the finished picture."""
    steps = {}
    for r in rows:
        note = json.loads((folder / f"{r['case']['name']}.json").read_text())
        w, h = note["grid"]
        for step in note["steps"]:
            for scores, mask, s in zip(step["scores"], step["masks"], r["subjects"]):
                judged = F.interpolate(s["mask"][None, None], size=(h, w), mode="area")[0, 0].flatten().numpy() > .5
                if not judged.any():
                    continue
                order, top = np.argsort(-np.array(scores), kind="stable"), np.zeros(h * w, bool)
                top[order[:judged.sum()]] = True
                kept = np.array(mask) > 0
                steps.setdefault(step["step"], []).append(((kept & judged).sum() / (kept | judged).sum(), (top & judged).sum() / (top | judged).sum(), judged[order[0]]))
    return {str(k): rounded(dict(zip(("iou at 0.2", "iou at area", "pointing"), np.mean(v, 0)))) for k, v in sorted(steps.items())}


def rounded(d, digits=3):
    return {k: v if isinstance(v, int) else round(float(v), digits) for k, v in d.items()}


def there(panel, some, run, setting):
    return [c for c in some if (panel.folder(run, setting) / f"{c['name']}.png").exists()]


def truths(panel, some):
    folder = panel.work / "evaluate" / "truth"
    with np.load(folder / "masks.npz") as kept:
        return panel.look([c for c in some if (folder / f"{c['name']}.png").exists()], folder, {k: torch.from_numpy(kept[k]) for k in kept})


def evaluate(panel, run, group, limit=None):
    """All figures of a set, as far as its pictures are there."""
    some = fixed.choose(panel.cases, group, limit)
    made, text = there(panel, some, run, "default"), there(panel, some, run, "text")
    out, folder = {}, panel.folder(run, "default")
    places = None
    if group.startswith("two"):  # text alone makes no masks: it is judged where the same seed has them
        places = {c["name"]: F.interpolate(torch.from_numpy(last_masks(folder, c["name"]))[None], size=(16, 16), mode="area")[0] for c in made}
        text = [c for c in text if c["name"] in places]
    if text:
        floor = panel.look(text, panel.folder(run, "text"), places)
        out["text only (floor)"] = figures(panel, floor)
    if made:
        rows = panel.look(made, folder, places)
        out["customised"] = figures(panel, rows)
        if not group.startswith("two"):
            out["guidance mask against the judged mask, by step"] = guidance(rows, folder)
            if (panel.work / "outline.pt").exists():
                found = outline.load(panel.work).find(np.stack([r["picture"] for r in rows]))
                out["guidance mask against the outline, by step"] = guidance([dict(r, subjects=[dict(mask=m)]) for r, m in zip(rows, found)], folder)
    if made and text:
        names = {r["case"]["name"]: r for r in floor}
        both = [r for r in rows if r["case"]["name"] in names]
        out["customised"] |= outside(both, [names[r["case"]["name"]] for r in both], folder)
        if (apart := seeds_apart(rows)) is not None:
            out["customised"]["change with another seed"] = apart
    out["composed scenes (ceiling)"] = figures(panel, truths(panel, some))
    return out


def noised(work, count):
    """(a) of the guidance masks: scenes with true masks, noised to the time of a step; by PyTorch."""
    from sample import guidance_figures
    from model import load
    steps = (1, 4, 8, 11, 16, 20)
    times = {999 - 40 * s: s for s in steps}
    model, tokenizer = load(work, small=True)  # scenes of 128 x 128 have the latents that the U-Net learned with
    raw = guidance_figures(model, tokenizer, work, count, timesteps=tuple(times))
    return {f"{k} (step {times[int(k.rsplit('=')[1])]})" if "t=" in k else k: rounded(v) for k, v in raw.items()}


def markdown(result):
    """The tables of evaluation.md."""
    titles = {"main": "Held-out individuals of seen words", "main-1": "Held-out individuals of seen words, first seed", "new": "New words, prompted by their hypernym", "two": "Two subjects",
              "dev": "Development individuals", "two-dev": "Two development individuals"}
    lines = ["# Evaluation", "", result.get("note", ""), ""]
    for group, r in result["sets"].items():
        lines += [f"## {titles[group]}", ""]
        kinds = [k for k in ("text only (floor)", "customised", "composed scenes (ceiling)") if k in r]
        names = list(dict.fromkeys(n for k in kinds for n in r[k]))
        lines += ["| | " + " | ".join(kinds) + " |", "|---|" + "---|" * len(kinds)]
        lines += [f"| {n} | " + " | ".join(str(r[k].get(n, "")) for k in kinds) + " |" for n in names]
        for key, what in (("judged mask", "the segmenter's mask"), ("outline", "the mask of outline.py")):
            if by := r.get(f"guidance mask against the {key}, by step"):
                lines += ["", f"Guidance masks of the Go engine against {what} of the finished picture, by step:", "", "| | " + " | ".join(by) + " |", "|---|" + "---|" * len(by)]
                lines += [f"| {n} | " + " | ".join(f"{v[n]:.2f}" for v in by.values()) + " |" for n in next(iter(by.values()))]
        lines.append("")
    if "judges" in result:
        lines += ["## The judges on real held-out scenes", ""]
        for split, f in result["judges"].items():
            lines.append(f"- {split}: " + ", ".join(f"{k} {v}" for k, v in f.items()))
        lines.append("")
    if "noised" in result:
        lines += ["## Guidance masks on noised held-out scenes, against true masks", "", "| | IoU at the true area | IoU at 0.2 | pointing |", "|---|---|---|---|"]
        lines += [f"| {k} | {v['iou_at_area']} | {v.get('iou_at_0.2', '')} | {v['pointing']} |" for k, v in result["noised"].items()]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--run")
    p.add_argument("--set", nargs="+", default=["main", "new", "two"])
    p.add_argument("--limit", type=int)
    p.add_argument("--out", type=pathlib.Path, help="folder for evaluation.json and evaluation.md, which keep what else they have")
    p.add_argument("--noised", type=int, nargs="?", const=96, help="also score so many noised held-out scenes with PyTorch")
    p.add_argument("--note", help="a sentence at the head of evaluation.md")
    a = p.parse_args()
    torch.set_num_threads(1)
    file = a.out and a.out / "evaluation.json"
    result = json.loads(file.read_text()) if file and file.exists() else {"sets": {}}
    if a.note:
        result["note"] = a.note
    if a.run:
        panel = Panel(a.work)
        for group in a.set:
            result["sets"][group] = evaluate(panel, a.run, group, a.limit)
        if a.out:
            result["judges"] = {split: j.ceiling(panel.judges, a.work, split, size) for split, size in (("test", 200), ("new", 80))}
            if (a.work / "outline.pt").exists():
                for split, v in outline.held_out(outline.load(a.work), a.work).items():
                    result["judges"][split]["IoU of outline.py"] = v
    if a.noised:
        result["noised"] = noised(a.work, a.noised)
    if a.out:
        a.out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(result, indent=1) + "\n")
        (a.out / "evaluation.md").write_text(markdown(result))
    else:
        print(json.dumps(result, indent=1))

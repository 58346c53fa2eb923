"""What the approximations cost and change: the gate that decides which of them `--swift` sets.

    python swift.py --work DIR --run swift --set main --limit 160 --hats     makes what is missing, prints figures
    python swift.py ... --json FILE --sheet ../results/swift.png     also pictures side by side
    python swift.py ... --rows exact 'mine:mask_rest=0.3;uncond_every=3'     something to try

Every row is one approximation alone, or all that passed, over the same cases as the exact run. All pictures are made by the Go program.
"""
import argparse, json, pathlib, sys
import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases as fixed  # noqa: E402
import run as runner  # noqa: E402

ROWS = {"exact": {}, "mask rest": dict(mask_rest=.2), "mask settle": dict(mask_settle=.02), "cfg interval": dict(cfg_interval="0.5-"), "cfg interval, the paper's": dict(cfg_interval="0.28-5.42"), "uncond every 2": dict(uncond_every=2), "swift": dict(swift=True)}


def variant(text):
    """NAME, or NAME:KEY=VALUE,… for one to try."""
    name, _, rest = text.partition(":")
    if not rest:
        return name, ROWS[name]
    return name, {k: json.loads(v) for k, v in (part.split("=") for part in rest.split(";"))}


def masks(note):
    """The masks of every step [steps, subjects, cells], and at which steps they were made."""
    out, at = [], {s["step"]: np.array(s["masks"], np.float32) > 0 for s in note["steps"]}
    for i in range(note["recipe"]["steps"]):
        out.append(at.get(i, out[-1] if out else None))
    return np.stack(out)


def iou(a, b):
    """Mean over subjects."""
    return float(np.mean([(x & y).sum() / max((x | y).sum(), 1) for x, y in zip(a, b)]))


def figures(panel, some, folder, exact):
    import score
    out = score.figures(panel, panel.look(some, folder))
    note = lambda where, c: json.loads((where / f"{c['name']}.json").read_text())
    notes, before = [note(folder, c) for c in some], [note(exact, c) for c in some]
    guided = np.array([len(n["steps"]) for n in notes])
    out["guidance"], out["generation"] = float(guided.mean()), notes[0]["recipe"]["steps"]
    out["uncond"] = float(np.mean([n.get("passes", 60) for n in notes]) - out["guidance"] - out["generation"])
    last = np.array([iou(masks(n)[-1], masks(b)[-1]) for n, b in zip(notes, before)])
    out["mask iou"], out["mask iou, lowest tenth"] = float(last.mean()), float(np.sort(last)[:max(1, len(last) // 10)].mean())
    ours, theirs = (np.stack([score.read(w / f"{c['name']}.png") for c in some]).astype(int) for w in (folder, exact))
    out["difference"] = float(np.abs(ours - theirs).mean())
    return out


def markdown(result, cost):
    """cost: seconds of a plain, a generation and a guidance pass."""
    plain, generation, guidance = cost
    lines = ["| | passes | seconds | identity cosine | retrieval@1 of 200 | place | word | hat | mask IoU | of the lowest tenth | difference of 255 |", "|---|" + "---|" * 10]
    for name, r in result.items():
        seconds = r["generation"] * generation + r["uncond"] * plain + r["guidance"] * guidance
        lines.append(f"| {name} | {r['generation'] + r['uncond'] + r['guidance']:.1f} | {seconds:.2f} | {r['identity cosine']:.3f} | {100 * r['retrieval@1 of 200']:.1f} % | {100 * r['place']:.1f} % | "
                     f"{100 * r['word']:.1f} % | {100 * r['hat']:.1f} % | {r['mask iou']:.3f} | {r['mask iou, lowest tenth']:.2f} | {r['difference']:.1f} |")
    return "\n".join(lines)


def sheet(some, references, exact, ours, out, tile=112, columns=4):
    """Reference, exact picture, swift picture of the first cases."""
    from PIL import Image, ImageDraw
    rows, gap = -(-len(some) // columns), 10
    paper = Image.new("RGB", (columns * (3 * tile + gap) - gap, rows * (tile + 16)), "white")
    draw = ImageDraw.Draw(paper)
    for i, c in enumerate(some):
        x, y = i % columns * (3 * tile + gap), i // columns * (tile + 16)
        draw.text((x + 2, y + 2), f"{c['prompt']}: reference, exact, swift", "black")
        for k, file in enumerate((references / f"{c['identities'][0]}.png", exact / f"{c['name']}.png", ours / f"{c['name']}.png")):
            paper.paste(Image.open(file).convert("RGB").resize((tile, tile), Image.LANCZOS), (x + k * tile, y + 16))
    paper.save(out, optimize=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--binary", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[3] / "bin" / "realword")
    p.add_argument("--model", type=pathlib.Path)
    p.add_argument("--run", default="swift")
    p.add_argument("--set", default="main", choices=("main", "main-1", "two", "new", "dev", "sub"))
    p.add_argument("--limit", type=int)
    p.add_argument("--hats", action="store_true", help="and all cases with a hat")
    p.add_argument("--workers", type=int, default=2)
    p.add_argument("--rows", nargs="+", default=list(ROWS))
    p.add_argument("--no-make", action="store_true")
    p.add_argument("--table", type=float, nargs=3, metavar="SECONDS", help="prints the table, for the processor seconds of a plain, a generation and a guidance pass")
    p.add_argument("--sheet", type=pathlib.Path, help="file for pictures side by side: 12 cases of 12 individuals")
    p.add_argument("--json", type=pathlib.Path, help="file for the figures")
    a = p.parse_args()
    cases = fixed.load(a.work)["cases"]
    some = fixed.choose(cases, a.set, a.limit)
    if a.hats:
        some += [c for c in fixed.choose(cases, a.set) if c["hat"] and c not in some]
    rows = dict(map(variant, a.rows))
    for name, settings in rows.items():
        runner.SETTINGS[name] = settings
        if not a.no_make:
            made, seconds = runner.run(a.work, a.binary, a.model, a.run, some, name, a.workers)
            print(f"{name}: {made} of {len(some)} made, {seconds:.0f} s", file=sys.stderr, flush=True)
    import torch
    import score
    torch.set_num_threads(1)
    panel, result = score.Panel(a.work), {}
    for name in rows:
        result[name] = figures(panel, some, panel.folder(a.run, name), panel.folder(a.run, "exact"))
        print(name, {k: round(v, 3) for k, v in result[name].items()}, flush=True)
    if a.table:
        print(markdown(result, a.table))
    if a.sheet:
        seen = set()
        few = [c for c in some if not (c["identities"][0] in seen or seen.add(c["identities"][0]))][:12]
        sheet(few, a.work / "evaluate" / "references", panel.folder(a.run, "exact"), panel.folder(a.run, "swift"), a.sheet)
    if a.json:
        a.json.write_text(json.dumps(result, indent=1) + "\n")

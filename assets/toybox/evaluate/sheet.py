"""A contact sheet of a run: per case the reference(s), the same seed without them, the last mask, the customised picture.

    python sheet.py --work DIR --run final --out results/contact-sheet.png

The cases are fixed, not picked: 14 of held-out individuals, 5 of pairs, 5 of new words.
"""
import argparse, json, pathlib, sys
import numpy as np
from PIL import Image, ImageDraw

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import cases as fixed  # noqa: E402
from run import same  # noqa: E402

TILE, COLUMNS = 112, 3
LIMIT = 1_500_000  # bytes


def asked(cases):
    return fixed.choose(cases, "sub", 14) + fixed.choose(cases, "two", 5) + fixed.choose(cases, "new", 5)


def overlay(picture, masks):
    """The masks in red and blue on a dimmed picture."""
    base = np.asarray(picture, float) * .55
    for m, colour in zip(masks, ((255, 70, 60), (60, 120, 255))):
        a = np.asarray(Image.fromarray((m * 255).astype(np.uint8)).resize(picture.size, Image.NEAREST), float)[..., None] / 255 * .75
        base = base * (1 - a) + np.array(colour) * a
    return Image.fromarray(base.astype(np.uint8))


def four(case, references, text, custom):
    """The tiles of one case."""
    tile = lambda im: im.convert("RGB").resize((TILE, TILE), Image.LANCZOS)
    first = Image.new("RGB", (TILE, TILE), "white")
    refs = [Image.open(references / f"{k}.png").convert("RGB") for k in case["identities"]]
    side = TILE // len(refs)
    for i, r in enumerate(refs):
        first.paste(r.resize((side, side), Image.LANCZOS), (i * side, (TILE - side) // 2))
    note = json.loads((custom / f"{case['name']}.json").read_text())
    masks = [np.array(m).reshape(note["grid"][1], note["grid"][0]) for m in note["steps"][-1]["masks"]]
    made, plain = tile(Image.open(custom / f"{case['name']}.png")), tile(Image.open(text / f"{case['name']}.png"))
    return [first, plain, overlay(plain, [m / max(m.max(), 1e-9) for m in masks]), made]


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--run", required=True)
    p.add_argument("--set", choices=("dev",), help="show other cases")
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    folder = a.work / "evaluate"
    cases = fixed.load(a.work)["cases"]
    some = fixed.choose(cases, a.set, 24) if a.set else asked(cases)
    wide, high = 4 * (TILE + 2) + 10, TILE + 18
    sheet = Image.new("RGB", (COLUMNS * wide, -(-len(some) // COLUMNS) * high + 14), "white")
    draw = ImageDraw.Draw(sheet)
    for i in range(COLUMNS):
        for t, title in enumerate(("reference", "text only", "mask", "customised")):
            draw.text((i * wide + t * (TILE + 2), 1), title, fill=(120, 120, 120))
    for n, c in enumerate(some):
        x, y = n % COLUMNS * wide, n // COLUMNS * high + 14
        if not all((folder / a.run / same(s) / f"{c['name']}.png").exists() for s in ("default", "text")):
            raise SystemExit(f"{c['name']} is missing: run.py --run {a.run} --set {c['set']} --settings default text")
        for t, im in enumerate(four(c, folder / "references", folder / a.run / same("text"), folder / a.run / same("default"))):
            sheet.paste(im, (x + t * (TILE + 2), y))
        draw.text((x, y + TILE + 1), c["prompt"], fill="black")
    a.out.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(a.out, optimize=True)
    if a.out.stat().st_size > LIMIT:
        raise SystemExit(f"{a.out} has {a.out.stat().st_size} bytes, more than {LIMIT}: make TILE smaller")

"""Loss curves as a picture, from the lines that toybox.py and train.py write.

    python curves.py --work DIR                     DIR/<stage>.jsonl -> DIR/<stage>-loss.png
    python curves.py FILE.jsonl ... --out out.png   several runs in one picture
"""
import argparse, json, math, pathlib
import numpy as np
from PIL import Image, ImageDraw

COLOURS = ["#1f6fb4", "#d1495b", "#3c8d53", "#8a5aa8"]
WIDTH, HEIGHT, LEFT, TOP = 460, 260, 52, 26


def read(path):
    """step and the figures of every line, as arrays by name; a line that a stopped run left half is passed over."""
    rows = []
    for line in pathlib.Path(path).read_text().splitlines():
        try:
            rows.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    names = [k for k in (rows[0] if rows else {}) if k not in ("stage", "seen", "seconds", "done", "rate", "skipped")]
    return {k: np.array([r[k] for r in rows], float) for k in names}


def smooth(y, share=.04):
    """Running mean over a share of the curve, short at its ends."""
    k = max(1, round(len(y) * share))
    pad = np.pad(y, k, mode="edge")
    return np.array([pad[i:i + 2 * k + 1].mean() for i in range(len(y))])


def draw(runs, out, note=""):
    """runs: name -> what read gives. One panel per figure, pale as measured and strong as a running mean."""
    figures = list(dict.fromkeys(k for r in runs.values() for k, v in r.items() if k != "step" and np.any(v)))
    im = Image.new("RGB", (max(1, len(figures)) * WIDTH, HEIGHT + (18 if note else 0)), "white")
    pen = ImageDraw.Draw(im)
    for f, figure in enumerate(figures):
        shown = {n: r for n, r in runs.items() if figure in r and np.any(r[figure])}
        x1 = max(r["step"].max() for r in shown.values())
        low, high = (g(np.nanmin(r[figure]) if g is min else np.nanquantile(r[figure], .995) for r in shown.values()) for g in (min, max))
        high = high if high > low else low + 1
        logarithmic = low > 0 and high > 6 * low  # or the first steps would hide all others
        axis = (lambda y: math.log(y / low) / math.log(high / low)) if logarithmic else (lambda y: (y - low) / (high - low))
        left, right, top, bottom = f * WIDTH + LEFT, (f + 1) * WIDTH - 12, TOP, HEIGHT - 24
        at = lambda x, y: (left + x / max(x1, 1) * (right - left), bottom - axis(min(max(y, low), high)) * (bottom - top))
        for k in range(5):
            v = low * (high / low) ** (k / 4) if logarithmic else low + (high - low) * k / 4
            y = at(0, v)[1]
            pen.line((left, y, right, y), fill="#e4e4e4")
            pen.text((f * WIDTH + 6, y - 6), f"{v:.3g}", fill="#666666")
        pen.text((left, bottom + 6), "step 0", fill="#666666")
        pen.text((right - 6 * len(f"{x1:.0f}"), bottom + 6), f"{x1:.0f}", fill="#666666")
        pen.text((left, 6), figure, fill="black")
        for i, (name, r) in enumerate(shown.items()):
            colour = COLOURS[i % len(COLOURS)]
            pale = tuple((255 * 2 + int(colour[j:j + 2], 16)) // 3 for j in (1, 3, 5))
            pen.line([at(*p) for p in zip(r["step"], r[figure])], fill=pale)
            # runs that agree lie on each other: later ones are drawn thinner, so that the first still shows
            pen.line([at(*p) for p in zip(r["step"], smooth(r[figure]))], fill=colour, width=max(1, 4 - 2 * i) if len(shown) > 1 else 2, joint="curve")
            if len(shown) > 1:
                pen.text((left + 90 + 150 * i, 6), name, fill=colour)
    if note:
        pen.text((LEFT, HEIGHT), note, fill="black")
    im.save(out, optimize=True)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("files", nargs="*", type=pathlib.Path)
    p.add_argument("--work", type=pathlib.Path)
    p.add_argument("--out", type=pathlib.Path)
    a = p.parse_args()
    if bool(a.files) == bool(a.work) or bool(a.files) != bool(a.out):
        p.error("give --work, or files and --out")
    if a.files:
        draw({f.stem: read(f) for f in a.files}, a.out)
    for stage in ("vae", "encoders", "joint", "reference") if a.work else ():
        if (a.work / f"{stage}.jsonl").exists():
            draw({stage: read(a.work / f"{stage}.jsonl")}, a.work / f"{stage}-loss.png")

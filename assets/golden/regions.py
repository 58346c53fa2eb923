"""Goldens of painted masks: data/regions.json.

Masks of any size are brought to the guidance grid as the mean of what lies in each position (here by repeating pixels up to a common
multiple, then averaging blocks), and act on Algorithm 1 as printed: one position a turn, found by a full argmax. "only" multiplies scores
by the mask, "not" by what it leaves, and neither may go where that is 0; "exact" is the mask itself, whose positions nobody else has. All in
float64 from float32 scores.
"""

import math

import numpy as np
from common import DATA, save_json

EPS = 1e-6


def cover(painted: np.ndarray, width: int, height: int) -> np.ndarray:
    h, w = painted.shape
    tall, wide = math.lcm(h, height), math.lcm(w, width)
    fine = np.kron(painted.astype(np.float64) / 255, np.ones((tall // h, wide // w)))
    return fine.reshape(height, tall // height, width, wide // width).mean((1, 3)).ravel()


def masks(subjects: list[dict], norm: str) -> list[np.ndarray]:
    n = len(subjects[0]["scores"])
    exact = [s for s in subjects if s["kind"] == "exact"]
    out: list[np.ndarray] = [np.zeros(n) for _ in subjects]
    taken = np.zeros(n, bool)
    for p in range(n):  # of several exact masks, one that holds half of a position has it, then the smallest, then the first
        have = [s for s in exact if s["cover"][p] > 0]
        if have:
            best = min(have, key=lambda s: (s["cover"][p] < 0.5, s["cover"].sum()))
            out[next(j for j, s in enumerate(subjects) if s is best)][p] = best["cover"][p]
            taken[p] = True
    wanted, left = [], []
    for s in subjects:
        m = s["scores"].astype(np.float64)
        if norm == "min_max_per_channel":
            m = (m - m.min()) / (m.max() - m.min() + EPS)
        weight = {"": np.ones(n), "only": s["cover"], "not": 1 - s["cover"], "exact": np.zeros(n)}[s["kind"]]
        wanted.append(np.where(weight > 0, m * weight, -np.inf))
        left.append(0 if s["kind"] == "exact" else int(s["scope"] * n))
    while any(left):
        for j in range(len(subjects)):
            if left[j]:
                m = np.where(taken, -np.inf, wanted[j])
                best = int(m.argmax())
                if m[best] == -np.inf:
                    left[j] = 0
                    continue
                out[j][best], taken[best], left[j] = m[best], True, left[j] - 1
    if norm == "max":
        out = [m if s["kind"] == "exact" else m / m.max() for s, m in zip(subjects, out)]
    return out


def brush(w: int, h: int, x: float, y: float, r: float, soft: float) -> np.ndarray:
    """A round stroke whose edge is soft pixels wide."""
    yy, xx = np.mgrid[0:h, 0:w] + 0.5
    return (np.clip((r - np.hypot(xx - x, yy - y)) / max(soft, 1e-9) + 0.5, 0, 1) * 255).round().astype(np.uint8)


def left_half(w: int, h: int) -> np.ndarray:
    out = np.zeros((h, w), np.uint8)
    out[:, : w // 2] = 255
    return out


CASES = {
    "only, hard": ((8, 8), "max", [("only", 0.2, left_half(16, 16))]),
    "only, soft, of another size": ((8, 6), "max", [("only", 0.3, brush(37, 23, 12, 10, 8, 6))]),
    "only, smaller than its scope": ((8, 8), "max", [("only", 0.4, brush(64, 64, 20, 20, 11, 0))]),
    "only, fewer pixels than positions": ((12, 8), "max", [("only", 0.25, brush(5, 3, 2, 1.5, 1.4, 1))]),
    "only, the whole picture": ((8, 8), "max", [("only", 0.2, np.full((7, 9), 255, np.uint8))]),
    "not": ((8, 8), "max", [("not", 0.3, brush(50, 40, 25, 20, 15, 9))]),
    "exact": ((8, 8), "max", [("exact", 0.2, brush(50, 40, 25, 20, 15, 9))]),
    "exact beside none": ((9, 7), "max", [("exact", 0.9, brush(30, 30, 10, 12, 9, 4)), ("", 0.25, None)]),
    "two exact that meet": ((8, 8), "max", [("exact", 0.2, brush(64, 64, 26, 30, 18, 12)), ("exact", 0.2, brush(64, 64, 40, 34, 14, 3))]),
    "a small exact one inside of a large one": ((8, 8), "max", [("exact", 0.2, brush(64, 64, 32, 32, 30, 0)), ("exact", 0.2, brush(64, 64, 32, 32, 10, 0))]),
    "all kinds, raw": ((10, 10), "none", [
        ("only", 0.2, left_half(20, 20)), ("exact", 0.2, brush(100, 100, 70, 30, 20, 10)), ("not", 0.2, brush(40, 40, 30, 30, 12, 5)), ("", 0.1, None)]),
    "all kinds, by layer": ((10, 10), "min_max_per_channel", [
        ("not", 0.2, left_half(20, 20)), ("", 0.2, None), ("only", 0.3, brush(33, 57, 16, 40, 14, 10)), ("exact", 0.2, brush(100, 100, 80, 20, 18, 0))]),
}  # fmt: skip


def make() -> None:
    out = []
    for i, (name, ((width, height), norm, given)) in enumerate(CASES.items()):
        random = np.random.default_rng(700 + i)
        subjects = []
        for kind, scope, painted in given:
            x, y = random.uniform(0, width), random.uniform(0, height)
            yy, xx = np.mgrid[0:height, 0:width]
            bump = np.exp(-((xx - x) ** 2 + (yy - y) ** 2) / (width * height / 6))
            scores = (bump * 0.8 + random.uniform(0.01, 0.3, bump.shape)).astype(np.float32).ravel()
            whole = np.full((1, 1), 255, np.uint8) if painted is None else painted
            subjects.append({"kind": kind, "scope": scope, "painted": whole, "cover": cover(whole, width, height), "scores": scores})
        done = masks(subjects, norm)
        out.append({"name": name, "width": width, "height": height, "norm": norm, "subjects": [
            {"kind": s["kind"], "scope": s["scope"], "painted": s["painted"].tolist(), "cover": s["cover"].tolist(),
             "scores": [float(v) for v in s["scores"]], "mask": m.tolist()} for s, m in zip(subjects, done)]})  # fmt: skip
    save_json(DATA / "regions.json", {"cases": out})

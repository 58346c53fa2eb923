"""The Curriculum Training Recipe (paper Eq. 10, 11) and the alternatives of the paper's ablations (Tables VIII, X, XI).

done = S_cur / S_total, the share of the training that is behind. start, speed and share bend the paper's curves; the paper has 0, 1, 1.
"""
import math

R_MAX = math.sqrt(10)
DATA = ("curriculum", "single", "multiview", "half")
CROP = ("curriculum", "random", "none")
FEATURES = ("both", "shallow", "deep")


def multiview_share(done, data="curriculum", start=0.0, speed=1.0):
    """P_multiview, the share of samples whose reference is another picture of the subject. Eq. 10, or Table X's constants."""
    if data == "curriculum":
        return start + (1 - start) * min(1, speed * done)
    return {"single": 0.0, "multiview": 1.0, "half": .5}[data]


def crop_limit(done, crop="curriculum", share=1.0):
    """r_cur: references are cut to 1/r of their side, r uniform in 1..r_cur. Eq. 11; "random" is r_max at once, "none" 1 (Table XI)."""
    if crop == "curriculum":
        return 1 + (R_MAX - 1) * done * share
    return {"random": 1 + (R_MAX - 1) * share, "none": 1.0}[crop]


def choose_features(encoders, features):
    """Which encoder blocks the projector sees (Table VIII): all as configured; "shallow": the last shallow one instead of the deep
    one; "deep": the block before the deep one instead of the shallow ones. Changes the configs of an Encoders, which export writes."""
    for e in encoders.each.values():
        taken = e.config["features"]
        chosen = {"both": taken, "shallow": taken[:-1], "deep": [taken[-1] - 1, taken[-1]]}[features]
        e.config = e.config | {"features": chosen}

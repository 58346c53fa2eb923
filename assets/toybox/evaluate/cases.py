"""The fixed list of evaluation cases: which individuals, in which places, with which seeds.

    python cases.py --work DIR        writes DIR/evaluate/cases.json, and references and true scenes as PNG beside it

Sets: "main", 40 held-out individuals x 10 places x 2 seeds; "two", 64 pairs of them; "new", 80 of new words, prompted by their
hypernym; "dev", 40 other held-out individuals, and "two-dev", 64 pairs of them, to look at and tune on. No individual of them is in another set. The
gallery has 200 identities: those of "main" and others of the same split. The same bank gives the same cases.
"""
import argparse, hashlib, json, pathlib, sys
import numpy as np
from PIL import Image

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from captions import article  # noqa: E402
from scenes import BIG, BIG_SIZES, GRID, SIZES, Composer, Identity, shrink  # noqa: E402
from words import HATS, PLACES, WEARERS, hypernyms_of  # noqa: E402

PLACES_ASKED = ["beach", "snow", "jungle", "space", "city", "desert", "water", "meadow", "room", "pink"]
GALLERY = 200


def order(names):
    """A fixed shuffle."""
    return sorted(names, key=lambda n: hashlib.sha256(("evaluate " + n).encode()).hexdigest())


def one_per_word(names, count, first=()):
    """Individuals of as many words as there are, those of the first words before all others."""
    names, out, used = sorted(order(names), key=lambda n: n.split("/")[0] not in first), [], {}
    while len(out) < count and names:
        most = min(used.get(n.split("/")[0], 0) for n in names)
        n = next(n for n in names if used.get(n.split("/")[0], 0) == most)
        names.remove(n), out.append(n)
        used[n.split("/")[0]] = most + 1
    return out


class Maker:
    """Draws identities of one split."""

    def __init__(self, work, split):
        self.composer = Composer(work, split)
        self.individuals = {name: sprites for who in self.composer.individuals.values() for name, sprites in who.items()}

    def rng(self, *key):
        return np.random.default_rng([int(hashlib.sha256(str(k).encode()).hexdigest()[:8], 16) for k in key])

    def identity(self, name, natural):
        """How the individual looks: in its own colours, or turned to others."""
        rng, sprites = self.rng(name, "identity"), self.individuals[name]
        return Identity(rng, *self.composer.hues[sprites[0]], True, 1 if natural else 0)

    def sprite(self, name, identity, rng):
        sprites = self.individuals[name]
        return identity.apply(self.composer.sprites[sprites[rng.integers(len(sprites))]])

    def reference(self, name, natural, key):
        picture, masks, _ = self.composer.reference(self.rng(name, key), self.identity(name, natural), self.individuals[name])
        return picture, masks[0]

    def truth(self, who, place, hat, key):
        """The wanted picture, composed: what a perfect model might make of the case."""
        rng = self.rng(key, "truth")
        sprites = [self.sprite(name, self.identity(name, natural), rng) for name, natural in who]
        return self.composer.compose(rng, sprites, place, BIG_SIZES if who[0][0].split("/")[0] in BIG else SIZES, hat)


def prompt(said, place, hat=None):
    what = " and ".join(article(w) for w in said)
    return f"{what}{' wearing ' + hat if hat else ''} {PLACES[place]}"


def plan(individuals, new):
    """(identities, cases) of lists of held-out individuals and of new ones; nothing is drawn yet."""
    main = one_per_word(individuals, 40, WEARERS)
    rest = [n for n in individuals if n not in main]
    dev = one_per_word(rest, 40)
    natural = {n: i % 2 == 0 for i, n in enumerate(main + dev + new)}
    identities = {}

    def identity(name, own=None, split="test"):
        own = natural[name] if own is None else own
        key = name.replace("/", "-").replace(" ", "_") + ("" if own else "-turned")
        identities[key] = dict(individual=name, word=name.split("/")[0], natural=own, split=split)
        return key

    cases = []

    def case(group, keys, said, place, seed, hat=None):
        cases.append(dict(name=f"{group}-{len(cases):04d}", set=group, identities=keys, said=said, place=place, hat=hat, seed=seed, prompt=prompt(said, place, hat)))
    for i, name in enumerate(main):
        word, key = name.split("/")[0], identity(name)
        for p, place in enumerate(PLACES_ASKED):
            hat = list(HATS)[(i + p) % len(HATS)] if word in WEARERS and p % 2 else None
            for s in (0, 1):
                case("main", [key], [word], place, 10000 + i * 100 + p * 10 + s, hat)

    def two(group, among, seed):
        pairs, k = [], 1
        while len(pairs) < 64:  # every individual in turn with others of other words
            for i in range(len(among)):
                a, b = among[i], among[(i + k * 7) % len(among)]
                if a.split("/")[0] != b.split("/")[0] and len(pairs) < 64:
                    pairs.append((a, b))
            k += 1
        for n, (a, b) in enumerate(pairs):
            case(group, [identity(a), identity(b)], [a.split("/")[0], b.split("/")[0]], PLACES_ASKED[n % 10], seed + n)
    two("two", main, 20000)
    for n, name in enumerate(one_per_word(new, 20)):
        coarse = hypernyms_of(name.split("/")[0])
        for q in range(4):
            case("new", [identity(name, split="new")], [coarse[0]], PLACES_ASKED[(n + 3 * q) % 10], 30000 + 10 * n + q)
    for n, name in enumerate(dev):
        word = name.split("/")[0]
        hat = list(HATS)[n % len(HATS)] if word in WEARERS else None
        case("dev", [identity(name)], [word], PLACES_ASKED[n % 10], 40000 + n, hat)
    two("two-dev", dev, 50000)
    gallery = [identity(n) for n in main]
    others = [(n, own) for own in (True, False) for n in order(rest)] + [(n, not natural[n]) for n in main]
    gallery += [identity(n, own) for n, own in others[:GALLERY - len(gallery)]]
    return identities, cases, gallery


def draw(work, out):
    makers = {split: Maker(work, split) for split in ("test", "new")}
    identities, cases, gallery = plan(sorted(makers["test"].individuals), order(makers["new"].individuals))
    for folder in ("references", "truth"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    masks, true = {}, {}
    for key, i in identities.items():
        picture, mask = makers[i["split"]].reference(i["individual"], i["natural"], key)
        Image.fromarray(picture).save(out / "references" / f"{key}.png")
        masks[key] = shrink(mask, 32)
    for c in cases:
        if c["set"] == "main" and c["seed"] % 10:
            continue  # one true scene for both seeds
        who = [(identities[k]["individual"], identities[k]["natural"]) for k in c["identities"]]
        picture, parts, _ = makers[identities[c["identities"][0]]["split"]].truth(who, c["place"], c["hat"], c["name"])
        true[c["name"]] = np.stack([shrink(m, GRID) for m in parts]).astype(np.float32) / 255
        Image.fromarray(picture).save(out / "truth" / f"{c['name']}.png")
    np.savez_compressed(out / "references" / "masks.npz", **masks)
    np.savez_compressed(out / "truth" / "masks.npz", **true)
    (out / "cases.json").write_text(json.dumps(dict(identities=identities, gallery=gallery, cases=cases), indent=1) + "\n")
    return identities, cases, gallery


def load(work):
    return json.loads((pathlib.Path(work) / "evaluate" / "cases.json").read_text())


def choose(cases, group, limit=None):
    """The cases of a set. "sub" is one case of each individual of "main", for the tables; with a limit, a fixed random part."""
    if group == "sub":
        main = [c for c in cases if c["set"] == "main"]
        some = [main[20 * i + 2 * ((3 * i) % 10)] for i in range(len(main) // 20)]
    elif group == "main-1":  # the first seed alone
        some = [c for c in cases if c["set"] == "main" and c["seed"] % 10 == 0]
    else:
        some = [c for c in cases if c["set"] == group]
    if limit:
        kept = set(order([c["name"] for c in some])[:limit])
        some = [c for c in some if c["name"] in kept]
    return some


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    a = p.parse_args()
    identities, cases, gallery = draw(a.work, a.work / "evaluate")
    print({s: sum(c["set"] == s for c in cases) for s in ("main", "two", "new", "dev", "two-dev")}, f"{sum(bool(c['hat']) for c in cases)} with hats, {len(gallery)} identities to tell apart")

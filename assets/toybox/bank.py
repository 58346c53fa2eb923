"""Builds the sprite bank: every subject word's individuals as RGBA cut-outs of 224x224, and of 112x112 where that is asked for.

An individual is one design of one emoji (Microsoft's cat, Google's cat, ...). The three renderings of a Fluent emoji (3D
still, vector, flat) are the same individual. Splits: "train"; "test", individuals of the same words held out of training by
a hash of their name, all renderings together; "new", all individuals of NEW_WORDS; "hat" and "seat". Sources are npm packages of fixed version, checked against checksums.

    python bank.py --work DIR        downloads once into DIR/npm, writes DIR/bank.npz
"""
import argparse, hashlib, io, json, pathlib, re, subprocess, tarfile
import numpy as np
from PIL import Image
from words import HATS, NEW_WORDS, SEATS, SUBJECTS

SIDE = 112  # for scenes of 128 pixels
LARGE = 2 * SIDE  # as they are kept
QUALITY = 90  # of WebP: a quarter of what they are without loss, and nothing to be seen
PACKAGES = {  # npm package: (version, sha256 of the tarball)
    "@lobehub/fluent-emoji-3d": ("1.1.0", "c1bb7eee7de090205a232518a9ab4adb3df458bfbe8a1f78232991194c8b2e58"),
    "@iconify-json/fluent-emoji": ("1.2.7", "8044210dbf11e016d4de85f15d01a243423bd832457e7e2491df1b751c0e272b"),
    "@iconify-json/fluent-emoji-flat": ("1.2.6", "7d064769dee690815f823bc5bcc511d957198caf9f5edd8dd9c1aa48a6aeb175"),
    "@iconify-json/noto": ("1.2.9", "3e918d88fc945c0bb3d468dbace6f88caef67f01c9f0e7bcae0915a042e8f1ad"),
    "@iconify-json/noto-v1": ("1.2.5", "2bf62c26c2c2884aa99e90aec942cdaee17a5921f05690694f4978ad4b017c37"),
    "@iconify-json/twemoji": ("1.2.5", "19046dff7d8707ce96212ec86468b36ac5f8e60409629dd13f809265c6d0ebb7"),
    "@iconify-json/emojione": ("1.2.3", "26a14f44284407e8bcde91799388dca2bfd91dbcd55a97f425524a1c5b73610e"),
    "@iconify-json/fxemoji": ("1.2.2", "f3e72b3c59d05e1db03b7e308d55c0d05bd7ba3f625a90da1b79313c12858eef"),
}
DESIGNS = {  # individual's design: renderings of it
    "fluent": ["@lobehub/fluent-emoji-3d", "@iconify-json/fluent-emoji", "@iconify-json/fluent-emoji-flat"],
    "noto": ["@iconify-json/noto"], "noto-v1": ["@iconify-json/noto-v1"],
    "twemoji": ["@iconify-json/twemoji"], "emojione": ["@iconify-json/emojione"], "fxemoji": ["@iconify-json/fxemoji"],
}


def split_of(word, individual):
    """A fixed 15 % of the individuals of training words are "test"."""
    if word in HATS:
        return "hat"
    if word in SEATS:
        return "seat"
    if word in NEW_WORDS:
        return "new"
    return "test" if int(hashlib.sha256(individual.encode()).hexdigest()[:8], 16) % 100 < 15 else "train"


def codepoints(emoji):
    return "-".join(f"{ord(c):x}" for c in emoji)


class Source:
    """One npm package, read from its tarball."""

    def __init__(self, name, work):
        version, digest = PACKAGES[name]
        path = work / "npm" / f"{name.lstrip('@').replace('/', '-')}-{version}.tgz"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            subprocess.run(["npm", "pack", "--silent", f"{name}@{version}"], cwd=path.parent, check=True, stdout=subprocess.DEVNULL)
        if hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise SystemExit(f"{path} is not the file this project was built from: delete it, or check its version")
        self.tar = tarfile.open(path)
        self.icons = None
        if name.startswith("@iconify"):
            self.icons = json.load(self.tar.extractfile("package/icons.json"))

    def picture(self, emoji, slug):
        """The emoji at up to 256 pixels as RGBA, or None where this package does not have it."""
        if self.icons is None:
            for key in (codepoints(emoji), codepoints(emoji.replace("\ufe0f", ""))):
                try:
                    return Image.open(self.tar.extractfile(f"package/assets/{key}.webp")).convert("RGBA")
                except KeyError:
                    pass
            return None
        icon = self.icons["icons"].get(self.icons.get("aliases", {}).get(slug, {}).get("parent", slug))
        if icon is None:
            return None
        w, h = (icon.get(k, self.icons.get(k, 16)) for k in ("width", "height"))
        svg = (f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
               f'viewBox="{icon.get("left", 0)} {icon.get("top", 0)} {w} {h}" width="256" height="256">{icon["body"]}</svg>')
        out = subprocess.run(["rsvg-convert", "-f", "png"], input=svg.encode(), capture_output=True)
        return Image.open(io.BytesIO(out.stdout)).convert("RGBA") if out.returncode == 0 else None


def cut_out(picture, side=LARGE, margin=16):
    """Trims to what is opaque and centres it, longest side `margin` less than side, on a transparent square."""
    box = Image.fromarray((np.asarray(picture)[..., 3] > 12).astype(np.uint8)).getbbox()
    picture = picture.crop(box)
    k = (side - margin) / max(picture.size)
    # colours are weighted by alpha while resizing, or transparent black would bleed into the edges
    picture = picture.convert("RGBa").resize([max(1, round(s * k)) for s in picture.size], Image.LANCZOS).convert("RGBA")
    square = Image.new("RGBA", (side, side))
    square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
    return np.asarray(square)


def slugs(work):
    """Emoji -> icon name, from the names that the Unicode consortium gives (package unicode-emoji-json)."""
    names = json.load(tarfile.open(work / "npm" / "unicode-emoji-json-0.9.0.tgz").extractfile("package/data-by-emoji.json"))
    return {e.replace("\ufe0f", ""): re.sub(r"[^a-z0-9]+", "-", d["name"].lower()).strip("-") for e, d in names.items()}


def build(work):
    if not (work / "npm" / "unicode-emoji-json-0.9.0.tgz").exists():
        (work / "npm").mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "pack", "--silent", "unicode-emoji-json@0.9.0"], cwd=work / "npm", check=True, stdout=subprocess.DEVNULL)
    sources, names = {n: Source(n, work) for n in PACKAGES}, slugs(work)
    sprites, rows = [], []
    for word, emojis in {**SUBJECTS, **NEW_WORDS, **HATS, **{s: e for s, (e, _) in SEATS.items()}}.items():
        for emoji in emojis.split():
            for design, packages in DESIGNS.items():
                individual = f"{word}/{design}/{codepoints(emoji)}"
                for package in packages:
                    picture = sources[package].picture(emoji, names.get(emoji.replace("\ufe0f", "")))
                    if picture is not None and np.asarray(picture)[..., 3].mean() < 240:  # not a scene that fills its square
                        sprites.append(cut_out(picture))
                        rows.append({"individual": individual, "word": word, "design": design, "package": package,
                                     "split": split_of(word, individual)})
    save(work, sprites, rows)
    seen = {r["individual"]: r for r in rows}
    count = {k: sum(r["split"] == k for r in seen.values()) for k in ("train", "test", "new", "hat", "seat")}
    few = [w for w in SUBJECTS if sum(r["word"] == w and r["split"] == "train" for r in seen.values()) < 3]
    print(f"{len(rows)} pictures of {len(seen)} individuals {count}, {len(SUBJECTS)} + {len(NEW_WORDS)} words; fewer than 3 to train on: {few}")


def save(work, sprites, rows):
    """sprites: RGBA [LARGE, LARGE, 4] uint8; rows: what each is."""
    packed = []
    for s in sprites:
        out = io.BytesIO()
        Image.fromarray(s).save(out, "webp", quality=QUALITY, method=4)
        packed.append(out.getvalue())
    np.savez(work / "bank.npz", data=np.frombuffer(b"".join(packed), np.uint8), ends=np.cumsum([len(p) for p in packed]), rows=json.dumps(rows))


def load(work, side=SIDE):
    """(sprites [n, side, side, 4] uint8, rows). side: SIDE or LARGE."""
    bank = np.load(pathlib.Path(work) / "bank.npz")
    if "data" not in bank:
        raise SystemExit(f"{work}/bank.npz is of a former version: delete it and run `python bank.py --work {work}`")
    data, ends = bank["data"].tobytes(), [0, *bank["ends"].tolist()]
    pictures = (Image.open(io.BytesIO(data[a:b])).convert("RGBA") for a, b in zip(ends, ends[1:]))
    if side < LARGE:  # colours weighted by alpha, as in cut_out
        pictures = (p.convert("RGBa").resize((side, side), Image.BOX).convert("RGBA") for p in pictures)
    return np.stack([np.asarray(p) for p in pictures]), json.loads(str(bank["rows"]))


def contact_sheet(work, path):
    sprites, rows = load(work)
    n = 30
    sheet = Image.new("RGB", (n * 60, (len(sprites) + n - 1) // n * 60), (128, 128, 128))
    for i, s in enumerate(sprites):
        im = Image.fromarray(s).resize((56, 56))
        sheet.paste(im, (i % n * 60 + 2, i // n * 60 + 2), im)
    sheet.save(path)


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--sheet", help="also draw the whole bank into this PNG")
    a = p.parse_args()
    build(a.work)
    if a.sheet:
        contact_sheet(a.work, a.sheet)

"""Draws the sample reference pictures of assets/samples: 256x256, from MIT and Apache-2.0 art only.

    python samples.py --work DIR --out ../samples
"""
import argparse, pathlib
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
import bank
from scenes import Identity

FLUENT, NOTO = "@lobehub/fluent-emoji-3d", "@iconify-json/noto"
# name: emoji, package, hue turn in degrees, background. All but the cat are individuals that training never saw.
SAMPLES = {
    "cat": ("🐈", FLUENT, 150, (250, 226, 170)), "dog": ("🐩", FLUENT, 100, (190, 215, 240)), "horse": ("🐎", FLUENT, 200, (236, 226, 214)),
    "robot": ("🤖", NOTO, 120, (240, 205, 215)), "dinosaur": ("🦖", NOTO, 230, (240, 236, 200)), "truck": ("🛻", FLUENT, 140, (225, 225, 232)),
    "mushroom": ("🍄", FLUENT, 220, (206, 232, 205)), "snowman": ("⛄", FLUENT, 0, (222, 200, 236)),
}
SIDE = 256


def draw(sprite, background):
    """The sprite (RGBA, square) on a plain studio background with a soft shadow."""
    fade = np.linspace(1.04, .9, SIDE)[:, None, None] * np.array(background, float)
    im = Image.fromarray(np.clip(np.broadcast_to(fade, (SIDE, SIDE, 3)), 0, 255).astype(np.uint8))
    box = sprite.getchannel("A").point(lambda a: 255 * (a > 12)).getbbox()
    x, y = (SIDE - sprite.width) // 2, (SIDE - sprite.height) // 2
    shadow = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(shadow).ellipse((x + box[0] + 10, y + box[3] - 14, x + box[2] - 10, y + box[3] + 12), fill=110)
    im.paste((40, 35, 50), (0, 0), shadow.filter(ImageFilter.GaussianBlur(8)))
    im.paste(sprite, (x, y), sprite)
    return im


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--out", type=pathlib.Path, required=True)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    names = bank.slugs(a.work)
    sources = {n: bank.Source(n, a.work) for n in (FLUENT, NOTO)}
    for name, (emoji, package, turn, background) in SAMPLES.items():
        identity = Identity(np.random.default_rng(0), 0, 1, True, 0)
        identity.turn, identity.saturation, identity.gamma = turn, 1, 1
        sprite = bank.cut_out(sources[package].picture(emoji, names[emoji.replace("️", "")]), 220, 8)
        draw(Image.fromarray(identity.apply(sprite)), background).save(a.out / f"{name}.png", optimize=True)

"""Paints the places: procedural backgrounds, each with many variants.

Every painter draws in coordinates of 0..256 on a canvas twice as large as the picture will be, which is halved afterwards for smooth edges. It
returns nothing: the canvas is changed in place.
"""
import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from words import PLACES

SIDE = 128
S = 256  # coordinates while painting


class Pen:
    """ImageDraw, for coordinates, widths and radii of 0..S on a canvas of another size."""

    def __init__(self, im):
        self.draw, self.k = ImageDraw.Draw(im), im.width / S

    def __getattr__(self, shape):
        def drawn(xy, *radius, width=1, **more):
            xy = [tuple(v * self.k for v in p) if isinstance(p, tuple) else p * self.k for p in xy]
            width = {} if shape == "polygon" else dict(width=max(1, round(width * self.k)))
            getattr(self.draw, shape)(xy, *(r * self.k for r in radius), **width, **more)
        return drawn


def blurred(im, radius):
    return im.filter(ImageFilter.GaussianBlur(radius * im.width / S))


def jitter(rng, colour, d=18):
    """The colour, a little off."""
    return tuple(int(np.clip(c + rng.uniform(-d, d), 0, 255)) for c in colour)


def gradient(im, y0, y1, top, bottom):
    """Vertical colour gradient over the rows y0..y1 of the picture."""
    y0, y1 = (int(y * im.width / S) for y in (y0, y1))
    t = np.linspace(0, 1, max(1, y1 - y0))[:, None, None]
    rows = (1 - t) * np.array(top, float) + t * np.array(bottom, float)
    im.paste(Image.fromarray(np.broadcast_to(rows, (len(rows), im.width, 3)).astype(np.uint8)), (0, y0))


def blob(d, x, y, rx, ry, colour):
    d.ellipse((x - rx, y - ry, x + rx, y + ry), fill=colour)


def cloud(rng, d, x, y, r, colour):
    for _ in range(6):
        blob(d, x + rng.uniform(-1.6, 1.6) * r, y + rng.uniform(-.3, .3) * r, r * rng.uniform(.5, .9), r * rng.uniform(.3, .5), colour)


def ridge(rng, d, y, height, colour, rough=5):
    """A jagged skyline filled down to the bottom."""
    n = rng.integers(rough, rough + 4)
    xs = np.linspace(-20, S + 20, n)
    pts = [(x, y - height * (rng.uniform(.5, 1) if i % 2 else rng.uniform(0, .3))) for i, x in enumerate(xs)]
    d.polygon([(-20, S), *pts, (S + 20, S)], fill=colour)
    return pts


def hills(rng, d, y, height, colour):
    x = np.arange(-4, S + 8, 4)
    line = y - height * (.5 + .5 * np.sin(x / rng.uniform(22, 45) + rng.uniform(0, 6)))
    d.polygon([(-4, S), *zip(x, line), (S + 8, S)], fill=colour)


def fir(d, x, y, h, colour):
    for k in range(3):
        w = h * (.22 + .1 * k)
        top = y - h + k * h * .24
        d.polygon([(x, top), (x - w, top + h * .45), (x + w, top + h * .45)], fill=colour)


def palm(rng, d, x, y, h):
    for k in range(12):
        blob(d, x + k * 1.2, y - h * k / 12, 4, 7, (150, 100, 60))
    for a in np.linspace(-2.8, .2, 6):
        ex, ey = x + 14 + np.cos(a) * h * .45, y - h + np.sin(a) * h * .2 + 8
        d.line((x + 14, y - h, ex, ey), fill=jitter(rng, (40, 140, 60)), width=9)


def beach(rng, im, d):
    h = rng.uniform(95, 130)
    gradient(im, 0, h, jitter(rng, (70, 160, 235)), jitter(rng, (180, 225, 250)))
    gradient(im, h, h + 45, jitter(rng, (20, 120, 190)), jitter(rng, (70, 200, 215)))
    gradient(im, h + 40, S, jitter(rng, (245, 222, 165)), jitter(rng, (225, 190, 125)))
    d.line([(x, h + 40 + 4 * np.sin(x / 20)) for x in range(0, S + 8, 8)], fill=(255, 255, 255), width=5)
    if rng.random() < .7:
        blob(d, rng.uniform(30, 226), rng.uniform(20, 50), 17, 17, (255, 240, 170))
    for _ in range(rng.integers(0, 3)):
        cloud(rng, d, rng.uniform(0, S), rng.uniform(15, 60), 22, (250, 252, 255))
    if rng.random() < .6:
        palm(rng, d, rng.choice([rng.uniform(5, 45), rng.uniform(200, 235)]), h + 75, rng.uniform(90, 130))


def snow(rng, im, d):
    h = rng.uniform(110, 145)
    gradient(im, 0, h + 20, jitter(rng, (150, 190, 225)), jitter(rng, (215, 230, 242)))
    ridge(rng, d, h, 60, jitter(rng, (185, 205, 228), 8))
    for _ in range(rng.integers(2, 7)):
        fir(d, rng.uniform(0, S), h + rng.uniform(5, 25), rng.uniform(40, 80), jitter(rng, (95, 150, 140)))
    gradient(im, h + 15, S, (245, 249, 255), jitter(rng, (215, 228, 245), 6))
    for _ in range(rng.integers(20, 60)):
        r = rng.uniform(1, 3.2)
        blob(d, rng.uniform(0, S), rng.uniform(0, S), r, r, (255, 255, 255))


def jungle(rng, im, d):
    gradient(im, 0, S, jitter(rng, (90, 165, 80)), jitter(rng, (25, 85, 45)))
    for _ in range(rng.integers(3, 6)):
        x, w = rng.uniform(0, S), rng.uniform(6, 14)
        d.rectangle((x - w, 0, x + w, 190), fill=jitter(rng, (95, 75, 45)))
    for _ in range(26):
        blob(d, rng.uniform(0, S), rng.uniform(-10, 75), rng.uniform(20, 45), rng.uniform(14, 28), jitter(rng, (45, 125, 55), 26))
    gradient(im, 180, S, jitter(rng, (60, 120, 50)), jitter(rng, (35, 80, 35)))
    for _ in range(14):
        x, a = rng.uniform(0, S), rng.uniform(-.8, .8)
        y = rng.choice([rng.uniform(185, 215), rng.uniform(235, 256)])
        d.polygon([(x - 5, y), (x + np.sin(a) * 45, y - 45), (x + 5, y)], fill=jitter(rng, (70, 165, 60), 25))


def space(rng, im, d):
    gradient(im, 0, S, jitter(rng, (12, 8, 35), 8), jitter(rng, (40, 20, 75), 14))
    for _ in range(rng.integers(2, 5)):
        for _ in range(8):
            blob(d, rng.uniform(0, S), rng.uniform(0, S), rng.uniform(10, 40), rng.uniform(6, 22), jitter(rng, (60, 30, 95), 14))
    im.paste(blurred(im, 14))
    for _ in range(rng.integers(40, 90)):
        r = rng.choice([.9, 1.4, 2.2], p=[.5, .35, .15])
        blob(d, rng.uniform(0, S), rng.uniform(0, S), r, r, (235, 235, 255))
    for _ in range(rng.integers(0, 3)):
        x, y, r, c = rng.uniform(0, S), rng.choice([rng.uniform(10, 60), rng.uniform(200, 245)]), rng.uniform(14, 34), rng.integers(90, 220, 3)
        blob(d, x, y, r, r, tuple(int(v) for v in c))
        blob(d, x - r * .25, y - r * .25, r * .55, r * .55, jitter(rng, np.minimum(c + 30, 255), 2))


def city(rng, im, d):
    gradient(im, 0, 190, jitter(rng, (15, 18, 50), 8), jitter(rng, (60, 50, 105), 14))
    for c, hmin, hmax in (((38, 38, 78), 70, 130), ((22, 22, 52), 40, 105)):
        x = -10
        while x < S:
            w, h = rng.uniform(22, 44), rng.uniform(hmin, hmax)
            d.rectangle((x, 190 - h, x + w, 195), fill=jitter(rng, c, 8))
            for wy in np.arange(190 - h + 6, 180, 11):
                for wx in np.arange(x + 4, x + w - 6, 9):
                    if rng.random() < .45:
                        d.rectangle((wx, wy, wx + 4, wy + 6), fill=jitter(rng, (255, 215, 110)))
            x += w + rng.uniform(0, 6)
    gradient(im, 190, S, jitter(rng, (50, 48, 70), 8), jitter(rng, (30, 28, 48), 8))
    if rng.random() < .5:
        blob(d, rng.uniform(20, 236), rng.uniform(18, 50), 13, 13, (240, 240, 215))


def desert(rng, im, d):
    h = rng.uniform(110, 145)
    gradient(im, 0, h, jitter(rng, (245, 175, 95)), jitter(rng, (252, 225, 165)))
    blob(d, rng.uniform(30, 226), rng.uniform(25, 80), 20, 20, (255, 245, 205))
    for k in range(3):
        hills(rng, d, h + 22 * k, 30, jitter(rng, (225 - 12 * k, 155 - 12 * k, 85 - 8 * k), 10))
    for _ in range(rng.integers(0, 3)):
        x, y = rng.choice([rng.uniform(8, 60), rng.uniform(196, 248)]), rng.uniform(h + 25, h + 60)
        d.rounded_rectangle((x - 6, y - 50, x + 6, y), 6, fill=(70, 135, 75))
        d.rounded_rectangle((x - 20, y - 38, x - 12, y - 16), 4, fill=(70, 135, 75))
        d.rectangle((x - 18, y - 22, x, y - 16), fill=(70, 135, 75))


def water(rng, im, d):
    gradient(im, 0, S, jitter(rng, (60, 195, 225)), jitter(rng, (10, 60, 125)))
    rays = Image.new("L", im.size)
    r = Pen(rays)
    for _ in range(5):
        x = rng.uniform(-20, S)
        r.polygon([(x, 0), (x + 18, 0), (x + 60, S), (x - 10, S)], fill=38)
    im.paste((225, 250, 255), (0, 0), blurred(rays, 6))
    if rng.random() < .7:
        hills(rng, d, 236, 18, jitter(rng, (170, 160, 120)))
        for _ in range(rng.integers(1, 5)):
            x = rng.uniform(0, S)
            c = jitter(rng, rng.choice(np.array([(230, 110, 120), (240, 150, 80), (60, 150, 90)])), 15)
            for a in (-.5, 0, .5):
                d.line((x, 240, x + 40 * np.sin(a), 240 - 38 * np.cos(a)), fill=c, width=7)
    for _ in range(rng.integers(6, 18)):
        x, y, q = rng.uniform(0, S), rng.uniform(0, 230), rng.uniform(2, 5)
        d.ellipse((x - q, y - q, x + q, y + q), outline=(215, 245, 255), width=2)


def meadow(rng, im, d):
    h = rng.uniform(100, 135)
    gradient(im, 0, h + 20, jitter(rng, (110, 185, 245)), jitter(rng, (205, 232, 250)))
    for _ in range(rng.integers(1, 4)):
        cloud(rng, d, rng.uniform(0, S), rng.uniform(20, 70), 22, (252, 253, 255))
    hills(rng, d, h, 26, jitter(rng, (120, 185, 95)))
    hills(rng, d, h + 30, 22, jitter(rng, (125, 200, 80)))
    for _ in range(rng.integers(40, 75)):
        y = rng.uniform(h + 28, S)
        r = 1.5 + 4 * (y - h) / (S - h)
        blob(d, rng.uniform(0, S), y, r, r, jitter(rng, rng.choice(np.array([(240, 90, 120), (255, 220, 80), (250, 250, 250), (180, 110, 220)])), 10))


def mountains(rng, im, d):
    h = rng.uniform(140, 165)
    gradient(im, 0, h, jitter(rng, (95, 155, 225)), jitter(rng, (210, 225, 242)))
    for colour, dy, height in (((135, 140, 165), 0, 115), ((100, 108, 130), 16, 80)):
        pts = ridge(rng, d, h + dy, height, jitter(rng, colour, 12))
        for x, y in pts[1::2]:
            d.polygon([(x, y), (x - 13, y + 24), (x - 3, y + 18), (x + 5, y + 26), (x + 13, y + 23)], fill=(245, 248, 252))
    gradient(im, h + 20, S, jitter(rng, (110, 165, 90)), jitter(rng, (75, 130, 65)))


def room(rng, im, d):
    h = rng.uniform(150, 180)
    wall = jitter(rng, rng.choice(np.array([(232, 215, 195), (205, 218, 225), (225, 205, 210), (214, 222, 200)])), 10)
    gradient(im, 0, h, wall, jitter(rng, wall, 6))
    gradient(im, h, S, jitter(rng, (190, 140, 95), 12), jitter(rng, (160, 110, 70), 12))
    for y in np.arange(h, S, 18):
        d.line((0, y, S, y), fill=(150, 102, 65), width=1)
    d.rectangle((0, h - 6, S, h), fill=(245, 240, 232))
    if rng.random() < .7:  # window
        x = rng.uniform(10, 180)
        d.rectangle((x, 25, x + 62, 95), fill=(250, 250, 250))
        d.rectangle((x + 5, 30, x + 57, 90), fill=jitter(rng, (160, 210, 240)))
        d.line((x + 31, 30, x + 31, 90), fill=(250, 250, 250), width=4)
    if rng.random() < .6:  # picture on the wall
        x = rng.uniform(10, 200)
        d.rectangle((x, 35, x + 40, 75), fill=(130, 90, 55))
        d.rectangle((x + 5, 40, x + 35, 70), fill=tuple(int(v) for v in rng.integers(110, 235, 3)))
    if rng.random() < .6:  # sofa at the side
        x, c = rng.choice([-30, 190]), tuple(int(v) for v in rng.integers(70, 190, 3))
        d.rounded_rectangle((x, h - 45, x + 95, h + 22), 14, fill=c)
        d.rounded_rectangle((x - 6, h - 18, x + 101, h + 26), 10, fill=jitter(rng, c, 14))


def clouds(rng, im, d):
    gradient(im, 0, S, jitter(rng, (85, 165, 240)), jitter(rng, (175, 220, 250)))
    for _ in range(rng.integers(6, 12)):
        cloud(rng, d, rng.uniform(0, S), rng.uniform(10, S), rng.uniform(20, 42), jitter(rng, (246, 249, 253), 5))
    im.paste(blurred(im, 3))


def volcano(rng, im, d):
    gradient(im, 0, 190, jitter(rng, (70, 30, 40), 12), jitter(rng, (225, 95, 50), 16))
    x, h = rng.uniform(60, 196), rng.uniform(165, 190)
    for _ in range(5):
        blob(d, x + rng.uniform(-25, 25), rng.uniform(5, 45), rng.uniform(14, 26), rng.uniform(10, 16), jitter(rng, (95, 75, 80), 10))
    d.polygon([(x - 105, h + 8), (x - 20, 60), (x + 20, 60), (x + 105, h + 8)], fill=jitter(rng, (70, 48, 52), 8))
    d.polygon([(x - 20, 60), (x + 20, 60), (x + 9, 100), (x + 2, 84), (x - 7, 118)], fill=(255, 150, 40))
    gradient(im, h, S, jitter(rng, (85, 52, 48), 8), jitter(rng, (50, 32, 36), 8))
    for _ in range(rng.integers(2, 5)):
        x, y = rng.uniform(0, S), rng.uniform(h + 10, S)
        pts = [(x + 16 * k, y + rng.uniform(-9, 9)) for k in range(5)]
        d.line(pts, fill=(255, 130, 35), width=5)


def plain(colour):
    def paint(rng, im, d):
        c = np.array(jitter(rng, colour, 14))
        gradient(im, 0, S, jitter(rng, np.minimum(c + 14, 255), 4), jitter(rng, c * .93, 4))
    return paint


PAINTERS = {
    "beach": beach, "snow": snow, "jungle": jungle, "space": space, "city": city, "desert": desert, "water": water,
    "meadow": meadow, "mountains": mountains, "room": room, "clouds": clouds, "volcano": volcano,
    "blue": plain((80, 140, 230)), "pink": plain((245, 150, 190)), "yellow": plain((248, 215, 90)),
    "green": plain((110, 195, 115)), "purple": plain((155, 105, 215)), "white": plain((240, 240, 240)),
}
assert set(PAINTERS) == set(PLACES)


def paint(place, rng, side=SIDE):
    """One variant of the place: [side, side, 3] uint8."""
    im = Image.new("RGB", (2 * side, 2 * side))
    PAINTERS[place](rng, im, Pen(im))
    return np.asarray(im.resize((side, side), Image.BOX))


if __name__ == "__main__":
    import sys
    sheet = Image.new("RGB", (len(PLACES) * 132, 4 * 132))
    for j, place in enumerate(PLACES):
        for i in range(4):
            sheet.paste(Image.fromarray(paint(place, np.random.default_rng(i))), (j * 132, i * 132))
    sheet.save(sys.argv[1])

"""Makes colour/: pictures with colour profiles, and colour.json, what LittleCMS makes of them (python colour.py; Pillow with littlecms2).

The profiles are those of ../../colour/testdata/golden.py. Every picture is 24 x 16: left half (230, 60, 40), right half (40, 120, 200).
"""
import base64
import io
import json
import os
import zlib

from PIL import Image, ImageCms

golden = json.load(open("../../colour/testdata/golden.json"))
profile = {name: zlib.decompress(base64.b64decode(g["profile"])) for name, g in golden.items()}
os.makedirs("colour", exist_ok=True)
card = Image.new("RGB", (24, 16), (230, 60, 40))
card.paste((40, 120, 200), (12, 0, 24, 16))
grey = card.convert("L")
clear = card.convert("RGBA")
clear.putalpha(120)
out = {}


def keep(name, im, icc, **how):
    im.save("colour/" + name, icc_profile=icc, **how)
    read = Image.open("colour/" + name)
    read.load()
    read = read.convert({"LA": "L", "P": "RGB", "RGBA": "RGB"}.get(read.mode, read.mode))
    p = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    done = ImageCms.profileToProfile(read, p, ImageCms.createProfile("sRGB"), outputMode="RGB")
    out[name] = [list(done.getpixel((6, 8))), list(done.getpixel((18, 8)))]


keep("p3.png", card, profile["P3"])
keep("palette.png", card.quantize(4), profile["ProPhoto"])
keep("clear.png", clear, profile["Adobe"])
keep("grey.png", grey, profile["grey 1.8"])
keep("grey-alpha.png", clear.convert("LA"), profile["grey dot gain"])
keep("grey.jpg", grey, profile["grey dot gain"], quality=95)
keep("prophoto.jpg", card, profile["ProPhoto"], quality=95, progressive=True)
keep("table.jpg", card, profile["RGB table 16"], quality=95)
keep("cmyk.jpg", card.convert("CMYK"), profile["CMYK table 8"], quality=95)
keep("cmyk4.jpg", card.convert("CMYK"), profile["CMYK version 4"], quality=95)
keep("lossy.webp", card, profile["P3"], quality=95)
keep("lossless.webp", card, profile["Adobe"], lossless=True)
keep("clear.webp", clear, profile["P3"], quality=95)
keep("animated.webp", card, profile["P3"], save_all=True, append_images=[Image.new("RGB", (24, 16), (1, 2, 3))], lossless=True)
json.dump(out, open("colour/colour.json", "w"), indent=1)

"""Makes the golden numbers and the sample files of this folder: python golden.py (PyTorch 2, Pillow).

The pictures are a formula that square_test.go repeats, so only results are stored.
"""
import json

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

torch.set_num_threads(1)


def formula(w, h):
    y, x, c = np.meshgrid(np.arange(h), np.arange(w), np.arange(3), indexing="ij")
    return ((x * 7 + y * 13 + c * 29 + (x * y) % 11 * 17 + (x * x + y * 3) % 251) % 256).astype(np.uint8)


def planes(a):
    return torch.from_numpy(a).permute(2, 0, 1)[None].float() / 255


def stretch(a, size):
    return F.interpolate(planes(a), size=(size, size), mode="bilinear", align_corners=False)


def views(square):
    v = square.shape[-1] // 2
    glob = F.interpolate(square, size=(v, v), mode="bilinear", align_corners=True)
    local = F.pixel_unshuffle(square, 2).view(3, 4, v, v).transpose(0, 1)
    return (torch.cat([glob, local]) * 255).to(torch.uint8)


out = {}
for name, w, h, size in [("small", 37, 19, 24), ("enlarged", 9, 14, 32), ("large", 1000, 653, 768)]:
    s = stretch(formula(w, h), size)
    v = views(s)
    # Every stride-th element, with a stride that shares no factor with the sizes, is enough and keeps the file small.
    stride = 7 if size < 100 else 4421
    out[name] = {"width": w, "height": h, "size": size, "stride": stride,
                 "stretch": s.flatten()[::stride].tolist(), "stretch_sum": float(s.double().sum()),
                 "views": v.flatten()[::stride].tolist(), "views_sum": int(v.long().sum())}
g = torch.Generator().manual_seed(0)
x = torch.empty(1, 3, 5, 7).uniform_(-1.2, 1.2, generator=g)
out["image"] = {"in": x.flatten().tolist(), "out": (255 * (x / 2 + 0.5).clamp(0, 1)).floor().to(torch.uint8).flatten().tolist()}
json.dump(out, open("golden.json", "w"))

# Sample files that Go's standard library cannot write. 24 x 16: left half red, right half blue.
rgb = np.zeros((16, 24, 3), np.uint8)
rgb[:, :12] = (220, 30, 30)
rgb[:, 12:] = (30, 30, 220)
im = Image.fromarray(rgb)
im.convert("CMYK").save("cmyk.jpg", quality=95)
im.save("progressive.jpg", quality=95, progressive=True)
im.save("lossy.webp", quality=95)
rgba = im.convert("RGBA")
rgba.putpixel((0, 0), (1, 2, 3, 0))
rgba.save("lossless.webp", lossless=True, exact=True)
frames = [rgba, Image.new("RGBA", (24, 16), (0, 255, 0, 255))]
frames[0].save("animated.webp", save_all=True, append_images=frames[1:], duration=100, lossless=True, exact=True)
alpha = im.convert("RGBA")
alpha.putalpha(128)
alpha.save("animated-alpha.webp", save_all=True, append_images=frames[1:], duration=100, quality=90)
frames[0].save("animated.png", save_all=True, append_images=frames[1:], duration=100)
exif = Image.Exif()
exif[0x0112] = 6
im.save("turned.webp", lossless=True, exif=exif.tobytes())

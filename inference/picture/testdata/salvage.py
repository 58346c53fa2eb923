"""Makes salvage/: whole files that salvage_test.go damages (python salvage.py; Pillow). 96 x 80, a gradient."""
import io
import os

import numpy as np
from PIL import Image, ImageChops

os.makedirs("salvage", exist_ok=True)
y, x = np.mgrid[0:80, 0:96]
card = np.stack([x * 2 + 30, y * 3, 255 - x - y], -1).clip(0, 255).astype(np.uint8)
im = Image.fromarray(card)
im.save("salvage/restart.jpg", quality=85, restart_marker_blocks=3)
im.save("salvage/optimised.jpg", quality=85, optimize=True, subsampling=0)
im.save("salvage/progressive.jpg", quality=85, progressive=True)
im.convert("L").save("salvage/grey.jpg", quality=85, restart_marker_rows=1)
im.convert("CMYK").save("salvage/cmyk.jpg", quality=85)
buffer = io.BytesIO()  # without Adobe's segment the values are ink, not its absence
ImageChops.invert(im.convert("CMYK")).save(buffer, "JPEG", quality=85)
data = buffer.getvalue()
at = data.index(b"\xff\xee\x00\x0eAdobe")
open("salvage/cmyk-bare.jpg", "wb").write(data[:at] + data[at + 16:])
im.save("salvage/lossy.webp", quality=80)
y, x, c = np.meshgrid(np.arange(80), np.arange(96), np.arange(3), indexing="ij")
noise = ((x * 7 + y * 13 + c * 29 + (x * y) % 11 * 17 + (x * x + y * 3) % 251) % 256).astype(np.uint8)
Image.fromarray(noise).save("salvage/lossless.webp", lossless=True)
im.quantize(64).save("salvage/card.gif")
im.quantize(64).save("salvage/interlaced.gif", interlace=1)
im.save("salvage/card.bmp")

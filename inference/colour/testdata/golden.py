"""Makes golden.json: colours through ICC profiles, by LittleCMS (python golden.py; needs Pillow with littlecms2).

The profiles are made here, so that nothing of others is kept: matrices with parametric, sampled and plain gamma curves, grey ones, and
tables of 8 and 16 bits and of version 4 (mft1, mft2, mAB) for RGB, grey and CMYK with Lab and XYZ between.
"""
import base64
import io
import json
import struct
import zlib

from PIL import Image, ImageCms


def s15(v):
    return struct.pack(">i", round(v * 65536))


def xyz(*v):
    return b"XYZ \0\0\0\0" + b"".join(map(s15, v))


def para(kind, *v):
    return b"para\0\0\0\0" + struct.pack(">HH", kind, 0) + b"".join(map(s15, v))


def gamma(g):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(g * 256))


def sampled(f, n):
    return b"curv\0\0\0\0" + struct.pack(f">I{n}H", n, *(round(65535 * f(i / (n - 1))) for i in range(n)))


def text(s, version):
    if version >= 4:
        u = s.encode("utf-16-be")
        return b"mluc\0\0\0\0" + struct.pack(">II", 1, 12) + b"enUS" + struct.pack(">II", len(u), 28) + u
    a = s.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(a)) + a + bytes(4 + 4 + 2 + 1 + 67)


def profile(name, version, klass, space, pcs, tags):
    tags = {b"desc": text(name, version), b"wtpt": xyz(0.9642, 1, 0.8249), b"cprt": text("none", 4) if version >= 4 else b"text\0\0\0\0none\0", **tags}
    at, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for sig, data in tags.items():
        table += sig + struct.pack(">II", at + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(">I4sI4s4s4s", 0, b"\0\0\0\0", version << 24, klass, space, pcs) + bytes(12) + b"acsp" + bytes(24)
    head += struct.pack(">I", 0) + (bytes(12) if name.startswith("no white") else s15(0.9642) + s15(1) + s15(0.8249))
    head = head.ljust(128, b"\0")
    data = head + struct.pack(">I", len(tags)) + table + body
    return struct.pack(">I", len(data)) + data[4:]


SRGB = (3, 2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
MATRIX = {  # columns adapted to D50
    "srgb": [(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)],
    "p3": [(0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407)],
    "adobe": [(0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)],
    "prophoto": [(0.79767, 0.28807, 0.0), (0.13519, 0.71184, 0.0), (0.03134, 0.00009, 0.82491)],
}


def rgb(name, version, matrix, curve):
    r, g, b = MATRIX[matrix]
    return profile(name, version, b"mntr", b"RGB ", b"XYZ ", {b"rXYZ": xyz(*r), b"gXYZ": xyz(*g), b"bXYZ": xyz(*b),
                                                             b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def lab(ink):
    """A made-up printer: what C, M, Y, K (0..1) look like."""
    c, m, y, k = ink
    light = (1 - 0.45 * c) * (1 - 0.5 * m) * (1 - 0.08 * y) * (1 - 0.93 * k)
    return 8 + 87 * light ** 0.8, (-35 * c + 72 * m - 6 * y) * (1 - 0.9 * k) * (1 - 0.3 * c * m), (-48 * c - 8 * m + 88 * y) * (1 - 0.9 * k) * (1 - 0.4 * c * y)


def mft(bits, channels, grid, f, pcs="Lab "):
    """lut8 and lut16: linear input and output curves around a table."""
    identity = b"".join(s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1))
    out = []
    for i in range(grid ** channels):
        at, rest = [], i
        for _ in range(channels):
            at.insert(0, rest % grid / (grid - 1))
            rest //= grid
        v = f(at)
        if pcs == "Lab ":
            lead = 65280 if bits == 16 else 255
            v = (v[0] / 100 * lead, (v[1] + 128) / 255 * lead, (v[2] + 128) / 255 * lead)
        else:
            v = tuple(x * 32768 for x in v)
        out += [min(max(round(x), 0), 65535 if bits == 16 else 255) for x in v]
    if bits == 8:
        ramp = bytes(range(256))
        return b"mft1\0\0\0\0" + bytes([channels, 3, grid, 0]) + identity + ramp * channels + bytes(out) + ramp * 3
    ramp = struct.pack(">2H", 0, 65535)
    return b"mft2\0\0\0\0" + bytes([channels, 3, grid, 0]) + identity + struct.pack(">HH", 2, 2) + ramp * channels + struct.pack(f">{len(out)}H", *out) + ramp * 3


def mab(channels, grid, f):
    """lutAToB of version 4: A curves, table, M curves, matrix, B curves; in XYZ."""
    values = []
    for i in range(grid ** channels):
        at, rest = [], i
        for _ in range(channels):
            at.insert(0, rest % grid / (grid - 1))
            rest //= grid
        values += [min(max(round(v * 65535), 0), 65535) for v in f(at)]
    a, one = para(0, 1.0) + b"", para(0, 1.0)
    table = bytes([grid] * channels).ljust(16, b"\0") + bytes([2, 0, 0, 0]) + struct.pack(f">{len(values)}H", *values)
    table += bytes(-len(table) % 4)
    b_at = 32
    matrix_at = b_at + 3 * len(one)
    m_at = matrix_at + 48
    table_at = m_at + 3 * len(one)
    a_at = table_at + len(table)
    matrix = b"".join(s15(v) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0))
    head = b"mAB \0\0\0\0" + bytes([channels, 3, 0, 0]) + struct.pack(">5I", b_at, matrix_at, m_at, table_at, a_at)
    return head + one * 3 + matrix + one * 3 + table + a * channels


def to_xyz(ink):
    l, a, b = lab(ink)
    y = (l + 16) / 116
    f = lambda t: t ** 3 if t > 24 / 116 else (t - 16 / 116) * 108 / 841
    return tuple(max(0.0, v) * 32768 / 65535 for v in (f(y + a / 500) * 0.9642, f(y), f(y - b / 200) * 0.8249))


def rgb_lab(at):
    r, g, b = (v ** 2.2 for v in at)
    x, y, z = (sum(MATRIX["adobe"][j][i] * (r, g, b)[j] for j in range(3)) for i in range(3))
    f = lambda t: t ** (1 / 3) if t > (24 / 116) ** 3 else t * 841 / 108 + 16 / 116
    x, y, z = f(x / 0.9642), f(y), f(z / 0.8249)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def tinted(at):
    l, a, b = rgb_lab(at)
    return 7 + 0.93 * l, a + 4 * (1 - l / 100), b - 5 * (1 - l / 100)


srgb_curve = lambda v: v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4
PROFILES = {
    "sRGB parametric": ("RGB", rgb("own sRGB", 4, "srgb", para(*SRGB))),
    "sRGB sampled": ("RGB", rgb("own sRGB", 2, "srgb", sampled(srgb_curve, 1024))),
    "P3": ("RGB", rgb("own P3", 4, "p3", para(*SRGB))),
    "P3 without a white in its header": ("RGB", rgb("no white P3", 4, "p3", para(*SRGB))),
    "Adobe": ("RGB", rgb("own Adobe", 2, "adobe", gamma(563 / 256))),
    "ProPhoto": ("RGB", rgb("own ProPhoto", 2, "prophoto", gamma(1.8))),
    "linear": ("RGB", rgb("own linear", 4, "srgb", para(0, 1.0))),
    "channels swapped": ("RGB", profile("swapped", 2, b"mntr", b"RGB ", b"XYZ ", {
        b"rXYZ": xyz(*MATRIX["srgb"][2]), b"gXYZ": xyz(*MATRIX["srgb"][0]), b"bXYZ": xyz(*MATRIX["srgb"][1]),
        b"rTRC": gamma(2.2), b"gTRC": gamma(2.2), b"bTRC": gamma(2.2)})),
    "grey 1.8": ("L", profile("grey", 2, b"mntr", b"GRAY", b"XYZ ", {b"kTRC": gamma(1.8)})),
    "grey dot gain": ("L", profile("grey", 2, b"prtr", b"GRAY", b"XYZ ", {b"kTRC": sampled(lambda v: v ** 1.75, 256)})),
    "RGB table 16": ("RGB", profile("scanner", 2, b"scnr", b"RGB ", b"Lab ", {b"A2B0": mft(16, 3, 9, rgb_lab)})),
    "RGB table, tinted black": ("RGB", profile("scanner", 2, b"scnr", b"RGB ", b"Lab ", {b"A2B0": mft(16, 3, 9, tinted)})),
    "RGB table, version 4": ("RGB", profile("scanner v4", 4, b"scnr", b"RGB ", b"Lab ", {b"A2B0": mft(16, 3, 9, tinted)})),
    "grey table": ("L", profile("grey table", 2, b"prtr", b"GRAY", b"Lab ", {b"A2B0": mft(16, 1, 9, lambda at: (10 + 90 * at[0], 3 * (1 - at[0]), 2))})),
    "CMYK table 8": ("CMYK", profile("press 8", 2, b"prtr", b"CMYK", b"Lab ", {b"A2B0": mft(8, 4, 5, lab)})),
    "CMYK table 16": ("CMYK", profile("press 16", 2, b"prtr", b"CMYK", b"Lab ", {b"A2B0": mft(16, 4, 5, lab)})),
    "CMYK version 4": ("CMYK", profile("press v4", 4, b"prtr", b"CMYK", b"XYZ ", {b"A2B0": mab(4, 5, to_xyz)})),
}

COLOURS = [(0, 0, 0), (255, 255, 255), (230, 60, 40), (255, 0, 0), (0, 255, 0), (0, 0, 255), (128, 128, 128), (12, 9, 14), (40, 44, 38), (250, 220, 190),
           (34, 139, 60), (70, 130, 180), (200, 10, 120), (5, 60, 3), (250, 250, 5), (90, 17, 201)]
INKS = [(0, 0, 0, 0), (255, 255, 255, 255), (107, 234, 243, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 128),
        (30, 20, 25, 10), (200, 180, 30, 60), (120, 40, 200, 5), (255, 255, 0, 0), (0, 255, 255, 0), (17, 90, 150, 220), (64, 64, 64, 64)]

out = {}
for name, (mode, data) in PROFILES.items():
    colours = INKS if mode == "CMYK" else [(i,) for i in range(0, 256, 15)] if mode == "L" else COLOURS
    im = Image.new(mode, (len(colours), 1))
    im.putdata([c[0] if mode == "L" else c for c in colours])
    p = ImageCms.ImageCmsProfile(io.BytesIO(data))
    srgb = ImageCms.createProfile("sRGB")
    done = ImageCms.profileToProfile(im, p, srgb, outputMode="RGB")
    out[name] = {"profile": base64.b64encode(zlib.compress(data, 9)).decode(), "from": colours, "to": [list(v) for v in done.getdata()]}
json.dump(out, open("golden.json", "w"), separators=(",", ":"))

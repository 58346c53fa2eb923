"""Finds the only subject of a picture more exactly than the segmenter of judges.py: a small U-Net on 64x64 pixels that is not told a word.

    python outline.py --work DIR --minutes 70     trains on the composed scenes with one subject; writes DIR/outline.pt and prints its IoU on held-out ones

score.py --outline compares guidance masks with it. All other figures keep the judges' own masks, so that they can be compared with those of before.
"""
import argparse, pathlib, sys, time
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import judges as j  # noqa: E402


def up(x):
    return F.interpolate(x, scale_factor=2, mode="bilinear")


class Outline(nn.Module):
    """Pictures [B, 3, 64, 64] in -1..1 -> logits [B, 32, 32]"""

    def __init__(self):
        super().__init__()
        conv = j.conv
        self.a = nn.Sequential(conv(3, 32, 2, 5), conv(32, 32))
        self.b = nn.Sequential(conv(32, 64, 2), conv(64, 64))
        self.c = nn.Sequential(conv(64, 96, 2), conv(96, 96))
        self.d = nn.Sequential(conv(96, 128, 2), conv(128, 128))
        self.up1 = nn.Sequential(conv(128 + 96, 96))
        self.up2 = nn.Sequential(conv(96 + 64, 96), conv(96, 64))
        self.up3 = nn.Sequential(conv(64 + 32, 48), nn.Conv2d(48, 1, 1))

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        c = self.c(b)
        c = self.up1(torch.cat([up(self.d(c)), c], 1))
        b = self.up2(torch.cat([up(c), b], 1))
        return self.up3(torch.cat([up(b), a], 1))[:, 0]

    @torch.inference_mode()
    def find(self, pictures, batch=64):
        """uint8 pictures [B, 128, 128, 3] -> masks [B, 16, 16] in 0..1, of the picture and its mirror"""
        logits = [self(j.small(p)) + self(j.small(p[:, :, ::-1])).flip(2) for p in j.split(pictures, batch)]
        return cells(torch.cat(logits) / 2)


def cells(logits):
    return F.avg_pool2d(logits.sigmoid()[:, None], 2)[:, 0]


def loss_of(net, x, m):
    """x [B, 3, 64, 64], m [B, 16, 16] in 0..1"""
    with torch.autocast("cpu", torch.bfloat16):
        logits = net(x).float()
    p = cells(logits).clamp(1e-4, 1 - 1e-4)
    dice = 1 - (2 * (p * m).sum((1, 2)) + 1) / (p.sum((1, 2)) + m.sum((1, 2)) + 1)
    return F.binary_cross_entropy(p, m) * 2 + dice.mean()


def held_out(net, work):
    """IoU on held-out scenes with one subject: of individuals and of words that training never saw."""
    net.eval()
    out = {}
    for split in ("test", "new"):
        data = j.Subjects(work, split)
        alone = np.flatnonzero(data.alone)
        out[split] = round(float(j.iou(net.find(data.pictures(alone)), data.masks(alone)).mean()), 3)
    return out


def train(work, minutes, batch=64, lr=3e-3, seed=0):
    torch.manual_seed(seed)
    data, cache, rng = j.Subjects(work, "train"), j.Cached(j.Subjects(work, "train"), work / "judges.npz"), np.random.default_rng(seed)
    alone = np.flatnonzero(data.alone)
    true, pictures = data.masks(alone), cache.pictures[[data.entries[i][0] for i in alone]]
    net = Outline().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), lr, betas=(.9, .98), weight_decay=.02)
    start, step = time.time(), 0
    while (spent := (time.time() - start) / 60) < minutes:
        for g in optimizer.param_groups:
            g["lr"] = lr * min(1, (step + 1) / 60) * min(1, 2 * (1 - spent / minutes) + .01)  # falls in the second half
        some = rng.choice(len(alone), batch)
        x, m = pictures[some], true[some]
        if rng.random() < .5:
            x, m = x[:, :, ::-1], m.flip(2)
        loss = loss_of(net, j.soften(rng, j.floats(x)), m)
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step(), optimizer.zero_grad()
        step += 1
    torch.save(net.state_dict(), work / "outline.pt")
    print(f"{step} steps of {batch}: IoU {held_out(net, work)}")


def load(work):
    net = Outline()
    net.load_state_dict(torch.load(pathlib.Path(work) / "outline.pt"))
    return net.eval()


if __name__ == "__main__":
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--work", type=pathlib.Path, required=True)
    p.add_argument("--minutes", type=float, required=True)
    a = p.parse_args()
    torch.set_num_threads(1)
    train(a.work, a.minutes)

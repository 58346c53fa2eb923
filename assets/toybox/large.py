"""The autoencoder that the program gets: pictures of 256 x 256 from the latents of the one for 128 x 128, which everything else learns with.

One level more on the side of the picture (factor 8 instead of 4). The latents stay what they are, so that U-Net and all that is trained
need not know: the decoder learns to draw larger pictures from the smaller autoencoder's latents, slightly off as sampled ones are, and the
encoder to find the same latents in the larger picture. Drawings with smooth edges have little that is lost at half their size.
"""
import time
import numpy as np
import torch
import torch.nn.functional as F
import autoencoder
from scenes import LARGE

LEVEL = "f8c4"


@torch.no_grad()
def grow(small):
    """Begins as the small one: its decoder, each pixel four times, and its encoder behind a new first level."""
    torch.manual_seed(1)
    vae = autoencoder.build(LEVEL)
    new, old = dict(vae.named_parameters()), dict(small.named_parameters())
    for name, value in old.items():
        place = name
        if name.startswith("encoder.down_blocks."):
            head, tail = name[len("encoder.down_blocks."):].split(".", 1)
            place = f"encoder.down_blocks.{int(head) + 1}.{tail}"
        if place.startswith("encoder.conv_in."):  # of another picture
            continue
        new[place].copy_(value)
    up, last = vae.decoder.up_blocks[-2].upsamplers[0].conv, vae.decoder.up_blocks[-1]
    for conv in [up, *(r.conv2 for r in last.resnets)]:
        conv.weight.zero_(), conv.bias.zero_()
    for c in range(up.weight.shape[0]):
        up.weight[c, c, 1, 1] = 1
    return vae


class Pictures:
    """What scenes.py --side 256 wrote into a folder, on one device: pictures [n, 3, 256, 256] and masks [n, 2, 16, 16], uint8. poll() adds what is new,
    and looks no more often than `every` seconds."""

    def __init__(self, device, folder):
        self.device, self.folder, self.blocks, self.checked = device, folder, set(), 0.0

    def __len__(self):
        return len(self.pictures) if self.blocks else 0

    def poll(self, every=0.0):
        if every and time.time() - self.checked < every:
            return
        self.checked = time.time()
        for path in sorted(self.folder.glob(f"{LARGE}-*-meta.json")):
            if path.name not in self.blocks:
                self.blocks.add(path.name)
                for k in ("pictures", "masks"):
                    have, more = getattr(self, k, None), torch.from_numpy(np.load(str(path)[:-len("meta.json")] + k + ".npy")).to(self.device)
                    more = more.permute(0, 3, 1, 2) if k == "pictures" else more
                    setattr(self, k, more if have is None else torch.cat([have, more]))


def loss_of(vae, small, x, share, noise, off, precision):
    """(loss, mean absolute error of 0..1, error of the encoder's latents in their deviations). x [B, 3, H, W] in -1..1, H and W multiples of 8."""
    with precision:
        with torch.no_grad():
            wanted = small.encode(F.avg_pool2d(x, 2).contiguous(memory_format=torch.channels_last)).latent_dist
        found = vae.encode(x).latent_dist
        z = wanted.mean.float()
        deviation = z.std()
        y = vae.decode(z + off * deviation * noise).sample.float()
    distance = ((found.mean.float() - z) / deviation) ** 2
    spread = (found.logvar.float() - wanted.logvar.float()).abs().mean()
    loss = autoencoder.difference(y, x, (1 + 2 * share) / 1.5) + distance.mean() + .01 * spread
    return loss, (y.detach() - x).abs().mean() / 2, distance.mean().sqrt().detach()

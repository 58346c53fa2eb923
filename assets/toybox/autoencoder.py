"""The autoencoder of the toybox: its sizes, its loss, and how well it keeps subjects."""
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

# name: factor and channels of the latent -> channels of each level
LEVELS = {"f4c4": (4, 4, [32, 64, 96]), "f8c4": (8, 4, [32, 32, 64, 96]), "f8c8": (8, 8, [32, 64, 96, 128]), "f8c16": (8, 16, [32, 64, 96, 128])}


def config(latent="f4c4", scaling=1.0):
    factor, channels, levels = LEVELS[latent]
    return dict(_class_name="AutoencoderKL", in_channels=3, out_channels=3, latent_channels=channels, sample_size=32 * factor if latent in ("f4c4", "f8c4") else 128,
                down_block_types=["DownEncoderBlock2D"] * len(levels), up_block_types=["UpDecoderBlock2D"] * len(levels), mid_block_add_attention=False,
                block_out_channels=levels, layers_per_block=1, norm_num_groups=8, act_fn="silu", scaling_factor=scaling)


def build(latent="f4c4"):
    return AutoencoderKL.from_config(config(latent))


def gradients(x):
    return x[..., 1:, :] - x[..., :-1, :], x[..., :, 1:] - x[..., :, :-1]


def difference(y, x, weight):
    """Error of pictures y against x [B, 3, H, W], with weight [B, 1, H, W] per pixel. Edges, at two scales, keep the picture crisp."""
    e = (y - x).abs()
    loss = (weight * (e + .5 * e * e)).mean()
    small = lambda t: F.avg_pool2d(t, 2)
    for a, b, w in ((y, x, weight), (small(y), small(x), small(weight))):
        for g, h, k in zip(gradients(a), gradients(b), (w[..., 1:, :], w[..., :, 1:])):
            loss = loss + .5 * (k * (g - h).abs()).mean()
    return loss


def disturbance(x, latent, g, spread=.1):
    """For pictures x [B, 3, H, W]: noise of their latents' shape, and by how much of their deviation [B, 1, 1, 1] each is off."""
    factor, c, _ = LEVELS[latent]
    d = x.device
    return torch.randn(len(x), c, x.shape[2] // factor, x.shape[3] // factor, generator=g, device=d), spread * torch.rand(len(x), 1, 1, 1, generator=g, device=d)


def loss_of(vae, x, share, noise, off, precision, kl_weight=1e-5):
    """(loss, mean absolute error of 0..1). The decoder learns from latents that are off by up to a tenth of their deviation, as sampled
    ones are (disturbance); the subject counts three times."""
    with precision:
        post = vae.encode(x).latent_dist
        mean, logvar = post.mean.float(), post.logvar.float()
        off = off * mean.detach().std()
        z = mean + ((logvar.exp() + off * off).sqrt()) * noise
        y = vae.decode(z).sample.float()
    kl = .5 * (mean ** 2 + logvar.exp() - 1 - logvar).mean()
    return difference(y, x, (1 + 2 * share) / 1.5) + kl_weight * kl, (y.detach() - x).abs().mean() / 2


@torch.no_grad()
def errors(vae, store, count=200, batch=25):
    """Mean absolute error of 0..1 on the first pictures of a store: over the whole picture, and inside the subjects (cells that are theirs by more than half)."""
    whole, inside, area = 0.0, 0.0, 0.0
    for i in range(0, count, batch):
        x = store.pictures[i:i + batch].float() / 127.5 - 1
        y = vae.decode(vae.encode(x).latent_dist.mode()).sample.clamp(-1, 1)
        e = (y - x).abs().mean(1, keepdim=True) / 2
        m = F.interpolate((store.masks[i:i + batch].amax(1, keepdim=True) > 127).float(), size=x.shape[-2:])
        whole, inside, area = whole + e.mean().item() * len(x) / count, inside + (e * m).sum().item(), area + m.sum().item()
    return whole, inside / area

"""Muon: momentum whose matrices are orthogonalised before the step (K. Jordan, 2024), with AdamW for everything that is no matrix.

On this data it needs about half the steps of AdamW alone. Convolutions count as matrices [out, in * k * k]. Updates are scaled to
the size of AdamW's (0.2 * sqrt of the longer side), so that one learning rate serves both.
"""
import torch
from flat import OUTER


def flat(t):
    """t as [n, m], without moving numbers in memory where t lies as channels_last; the order of columns is free."""
    if t.ndim == 4 and t.is_contiguous(memory_format=torch.channels_last):
        return t.permute(0, 2, 3, 1).flatten(1)
    return t.flatten(1) if t.ndim > 1 else t[None]


@torch.no_grad()
def orthogonal(g, steps=5):
    """The nearest semi-orthogonal matrix of g [n, m], roughly: singular values end between 0.7 and 1.2 (quintic Newton-Schulz iteration)."""
    x = g.bfloat16()
    wide = x.shape[0] <= x.shape[1]
    x = x if wide else x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        s = x @ x.T
        x = torch.addmm(x, torch.addmm(s, s, s, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x if wide else x.T).to(g.dtype)


class Muon(torch.optim.Optimizer):
    """named: pairs of name and parameter. Embeddings, first and last layers, biases and norms get AdamW with the same rate."""

    def __init__(self, named, lr, momentum=.95, betas=(.9, .99), weight_decay=.01):
        matrix, rest = [], []
        for n, p in named:
            (matrix if p.ndim >= 2 and not any(o in n for o in OUTER) else rest).append(p)
        groups = [dict(params=matrix, muon=True), dict(params=rest, muon=False)]
        super().__init__([g for g in groups if g["params"]], dict(lr=lr, momentum=momentum, betas=betas, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            lr, decay, (b1, b2) = group["lr"], group["weight_decay"], group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                s = self.state[p]
                if group["muon"]:
                    if not s:
                        s["momentum"] = torch.zeros_like(p)
                    m = s["momentum"]
                    m.lerp_(p.grad, 1 - group["momentum"])
                    g = flat(p.grad.lerp(m, group["momentum"]))
                    flat(p).mul_(1 - lr * decay).add_(orthogonal(g), alpha=-lr * .2 * max(g.shape) ** .5)
                else:
                    if not s:
                        s["first"], s["second"], s["steps"] = torch.zeros_like(p), torch.zeros_like(p), 0
                    s["steps"] += 1
                    s["first"].lerp_(p.grad, 1 - b1)
                    s["second"].lerp_(p.grad.square(), 1 - b2)
                    scale = (s["second"] / (1 - b2 ** s["steps"])).sqrt_().add_(1e-8)
                    p.mul_(1 - lr * decay * (p.ndim >= 2)).add_(s["first"] / scale, alpha=-lr / (1 - b1 ** s["steps"]))

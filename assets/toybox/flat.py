"""Weights, gradients, averages and optimizer of a training as a few flat tensors: a step is a handful of operations, whatever the network.

Matrices of one shape lie next to each other, so that Muon (momentum whose matrices are orthogonalised before the step, K. Jordan 2024)
orthogonalises all of them in one batch; embeddings, first and last layers, biases and norms get AdamW with the same rate. Convolutions
count as matrices [out, k * k * in] and lie as channels_last. Updates of Muon are scaled to the size of AdamW's (0.2 * sqrt of the
longer side), so that one learning rate serves both. Nothing here waits for the device.
"""
import torch

OUTER = ("conv_in", "conv_out", "patch_embed", "embedding", "pos_embed", "head")


@torch.no_grad()
def orthogonal(g, steps=5):
    """The nearest semi-orthogonal matrices of g [k, n, m], roughly: singular values end between 0.7 and 1.2 (quintic Newton-Schulz iteration)."""
    x = g.bfloat16()
    wide = x.shape[1] <= x.shape[2]
    x = x if wide else x.mT
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        s = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(s, s, s, beta=-4.7750, alpha=2.0315), x, beta=3.4445)
    return (x if wide else x.mT).to(g.dtype)


def view(flat, start, shape):
    """A tensor of this shape out of a flat one; of four axes it lies as channels_last."""
    part = flat[start:start + shape.numel()]
    return part.view(shape[0], shape[2], shape[3], shape[1]).permute(0, 3, 1, 2) if len(shape) == 4 else part.view(shape)


class Flat:
    """named: pairs of name and parameter on their device; rates: pairs of a name's beginning and the share of the rate it learns with
    (default 1). The parameters become views of `weights`, their gradients views of `grads`."""

    def __init__(self, named, momentum=.95, betas=(.9, .99), weight_decay=.01, average=.9985, rates=()):
        self.momentum, self.betas, self.decay, self.average = momentum, betas, weight_decay, average
        named = list(named)
        share = lambda n: next((s for start, s in rates if n.startswith(start)), 1.0)
        kinds = {}  # (kind, shape, share of the rate) -> parameters
        for n, p in named:
            muon = p.ndim >= 2 and not any(o in n for o in OUTER)
            shape = (p.shape[0], p[0].numel()) if muon else ()
            kinds.setdefault((not muon, shape, p.ndim >= 2 if not muon else True, share(n)), []).append((n, p))
        device, size, self.groups, self.views = named[0][1].device, 0, [], {}
        for key in sorted(kinds, key=lambda k: (k[0], k[3], k[1], k[2])):
            start = size
            for n, p in kinds[key]:
                self.views[n] = (size, p.shape)
                size += p.numel()
            self.groups.append((key, start, size))
            size = -(-size // 64) * 64
        self.regions = []  # Muon's part by rate: start, end, share, [(shape, start, end)]
        for (plain, shape, _, share_of), start, end in self.groups:
            if not plain:
                if not self.regions or self.regions[-1][2] != share_of:
                    self.regions.append([start, end, share_of, []])
                self.regions[-1][1] = end
                self.regions[-1][3].append((shape, start, end))
        self.plain = next((start for (plain, *_), start, _ in self.groups if plain), size)  # AdamW's part comes last
        self.weights, self.grads = torch.zeros(size, device=device), torch.zeros(size, device=device)
        self.first, self.second = torch.zeros(size, device=device), torch.zeros(size - self.plain, device=device)
        self.parameters = dict(named)
        for n, p in named:
            lies = self.view(self.weights, n)
            with torch.no_grad():
                lies.copy_(p)
            p.data, p.grad = lies, self.view(self.grads, n)
        self.ema, self.steps, self.skipped = self.weights.clone(), torch.zeros((), device=device), torch.zeros((), device=device)

    def view(self, flat, name):
        return view(flat, *self.views[name])

    @torch.no_grad()
    def step(self, lr, clip=1.0):
        """One update with the gradients, which are zero afterwards. A step whose gradients are not finite changes nothing and counts as skipped.

        lr: a number. Returns the gradients' norm as a tensor."""
        norm = self.grads.norm()
        fine = torch.isfinite(norm).float()
        self.grads.nan_to_num_(0, 0, 0).mul_((clip / (norm + 1e-6)).clamp(max=1).nan_to_num(0))
        self.steps += fine
        self.skipped += 1 - fine
        b1, b2 = self.betas
        count = self.steps.clamp(min=1)
        lean, lean_1, lean_2 = (fine * (1 - b) for b in (self.momentum, b1, b2))
        for start, end, share, groups in self.regions:  # of one rate
            rate, g, w, m = fine * (lr * share), self.grads[start:end], self.weights[start:end], self.first[start:end]
            m.lerp_(g, lean)
            update = g.lerp(m, self.momentum).bfloat16()
            for shape, first, last in groups:
                part = update[first - start:last - start].view(-1, *shape)
                torch.mul(orthogonal(part), .2 * max(shape) ** .5, out=part)
            w.mul_(1 - rate * self.decay).sub_(update.float().mul_(rate))
        for (plain, _, matrix, share), start, end in self.groups:
            if plain:
                rate, g, w, m = fine * (lr * share), self.grads[start:end], self.weights[start:end], self.first[start:end]
                v = self.second[start - self.plain:end - self.plain]
                m.lerp_(g, lean_1)
                v.lerp_(g.square(), lean_2)
                scale = (v / (1 - b2 ** count)).sqrt_().add_(1e-8)
                if matrix:
                    w.mul_(1 - rate * self.decay)
                w.sub_(m / scale * (rate / (1 - b1 ** count)))
        self.grads.zero_()
        self.ema.lerp_(self.weights, fine * (1 - torch.minimum((1 + self.steps) / (10 + self.steps), torch.full_like(self.steps, self.average))))
        return norm

    def state(self):
        """What resumes: plain tensors. named() reads them."""
        layout = [(n, *v) for n, v in self.views.items()]
        return dict(layout=layout, **{k: getattr(self, k).cpu() for k in ("weights", "ema", "first", "second", "steps")})

    def load(self, state):
        if [(n, *v) for n, v in self.views.items()] != [tuple(x) for x in state["layout"]]:
            raise SystemExit("what was saved belongs to other networks: give another --work folder")
        for k in ("weights", "ema", "first", "second", "steps"):
            getattr(self, k).copy_(state[k][len(state[k]) - len(self.second):] if k == "second" else state[k])


def named(state, which="ema"):
    """name -> weight of a state() as saved."""
    out = {}
    for name, start, shape in state["layout"]:
        out[name] = view(state[which], start, shape)
    return out

"""Group normalization of pictures that lie as channels_last on a graphics card, forward and backward, as Triton kernels.

torch's own brings such a picture into the other order and back, each time it passes: a third of a training step. Here each pass reads
the picture as it lies. What is summed is float32. The formulas are those of torch.nn.functional.group_norm.
"""
import torch

try:
    import triton
    import triton.language as tl
except ImportError:  # no card, then
    triton = None

if triton:
    @triton.jit
    def sums(x, y, first, second, rows, C, HAS_Y: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
        """Per picture and channel over its places: sum of x and of x * x; with y, sum of y and of x * y. x, y [B, rows, C]."""
        b, c = tl.program_id(0).to(tl.int64), tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
        r, there = tl.arange(0, ROWS), c < C
        a, q = tl.zeros([COLUMNS], tl.float32), tl.zeros([COLUMNS], tl.float32)
        for start in range(0, rows, ROWS):
            at = b * rows * C + (start + r)[:, None] * C + c[None, :]
            ok = ((start + r) < rows)[:, None] & there[None, :]
            v = tl.load(x + at, mask=ok, other=0.).to(tl.float32)
            if HAS_Y:
                w = tl.load(y + at, mask=ok, other=0.).to(tl.float32)
                a += tl.sum(w, 0)
                q += tl.sum(v * w, 0)
            else:
                a += tl.sum(v, 0)
                q += tl.sum(v * v, 0)
        tl.store(first + b * C + c, a, mask=there)
        tl.store(second + b * C + c, q, mask=there)

    @triton.jit
    def scaled(x, y, of_x, of_y, plus, out, rows, C, total, HAS_Y: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr):
        """x * of_x + plus, and with y that plus y * of_y, where the three are per picture and channel. total: rows of all pictures."""
        r, c = tl.program_id(0) * ROWS + tl.arange(0, ROWS), tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
        at, bc = r.to(tl.int64)[:, None] * C + c[None, :], (r // rows)[:, None] * C + c[None, :]
        ok = (r < total)[:, None] & (c < C)[None, :]
        v = tl.load(x + at, mask=ok, other=0.).to(tl.float32) * tl.load(of_x + bc, mask=ok, other=0.) + tl.load(plus + bc, mask=ok, other=0.)
        if HAS_Y:
            v += tl.load(y + at, mask=ok, other=0.).to(tl.float32) * tl.load(of_y + bc, mask=ok, other=0.)
        tl.store(out + at, v.to(out.dtype.element_ty), mask=ok)


def _sums(x, y=None):
    b, c, h, w = x.shape
    first, second = (torch.empty(b, c, device=x.device) for _ in range(2))
    sums[b, triton.cdiv(c, 32)](x, x if y is None else y, first, second, h * w, c, y is not None, 64, 32)
    return first, second


def _scaled(x, of_x, plus, y=None, of_y=None):
    b, c, h, w = x.shape
    out = torch.empty_like(x)
    scaled[triton.cdiv(b * h * w, 64), triton.cdiv(c, 32)](x, x if y is None else y, of_x, of_x if y is None else of_y, plus, out, h * w, c, b * h * w, y is not None, 64, 32)
    return out


class Norm(torch.autograd.Function):
    """x [B, C, H, W] as channels_last; weight, bias [C] float32. What comes out is of x's type."""

    @staticmethod
    def forward(ctx, x, groups, weight, bias, eps):
        b, c, h, w = x.shape
        first, second = (s.view(b, groups, c // groups) for s in _sums(x))
        n = h * w * (c // groups)
        mean = first.sum(2, keepdim=True) / n
        rstd = (second.sum(2, keepdim=True) / n - mean * mean).clamp_min(0).add(eps).rsqrt()
        scale = (rstd * weight.view(1, groups, -1)).contiguous()
        plus = (bias.view(1, groups, -1) - mean * scale).contiguous()
        ctx.save_for_backward(x, mean, rstd, weight, scale)
        ctx.groups, ctx.n = groups, n
        return _scaled(x, scale, plus)

    @staticmethod
    def backward(ctx, g):
        x, mean, rstd, weight, scale = ctx.saved_tensors
        g = g.contiguous(memory_format=torch.channels_last)
        one, by_x = (s.view_as(scale) for s in _sums(x, g))  # sums of g and of g * x
        w = weight.view(1, ctx.groups, -1)
        all_one, all_x = (one * w).sum(2, keepdim=True), (by_x * w).sum(2, keepdim=True)
        of_x = (all_one * mean - all_x) * rstd ** 3 / ctx.n
        plus = -of_x * mean - all_one * rstd / ctx.n
        out = _scaled(x, of_x.expand_as(scale).contiguous(), plus.expand_as(scale).contiguous(), g, scale)
        return out, None, ((by_x - mean * one) * rstd).sum(0).flatten(), one.sum(0).flatten(), None


def right():
    """Do the kernels work on this card, and give torch's numbers?"""
    if not triton:
        return False
    try:
        x = torch.randn(2, 48, 7, 9, device="cuda").to(memory_format=torch.channels_last).requires_grad_()
        layer, found = torch.nn.GroupNorm(8, 48).to("cuda"), []
        for function in (lambda x: Norm.apply(x, 8, layer.weight, layer.bias, layer.eps), layer):
            y = function(x)
            found.append((y, *torch.autograd.grad((y ** 3).sum(), [x, layer.weight])))
        return all(torch.allclose(a, b, rtol=1e-3, atol=1e-3 * b.abs().max().item()) for a, b in zip(*found))
    except Exception as e:
        print(f"norms run as torch has them: {str(e).strip().splitlines()[0][:300]}", flush=True)
        return False


def use():
    """From now on every torch.nn.GroupNorm of this process that sees a picture as channels_last takes it as it lies."""
    plain = torch.nn.GroupNorm.forward

    def forward(self, x):
        if x.ndim == 4 and x.is_cuda and x.is_contiguous(memory_format=torch.channels_last) and self.affine and x.shape[1] > 1:
            return Norm.apply(x, self.num_groups, self.weight, self.bias, self.eps)
        return plain(self, x)

    torch.nn.GroupNorm.forward = forward

"""Attention written out. On CPUs with matrix units the backward pass of the fused kernel takes 40 % of a training step."""
import os
import torch
import torch.distributed as dist
import torch.nn.functional as F
from optim import flat


def explicit_attention():
    """Replaces torch's fused attention everywhere in this process."""

    def attention(q, k, v, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False):
        assert not dropout_p and not enable_gqa
        s = (q * (q.shape[-1] ** -.5 if scale is None else scale)) @ k.transpose(-1, -2)
        if is_causal:
            s = s + torch.full(s.shape[-2:], float("-inf"), dtype=s.dtype).triu(1)
        if attn_mask is not None:
            s = s + attn_mask
        return s.softmax(-1).to(v.dtype) @ v

    F.scaled_dot_product_attention = attention


class Team:
    """Single-threaded processes that train one model together, by averaging gradients each step.

    On a busy machine two processes of one thread wait for each other once a step; two threads of one process would wait at
    every operator. Started once per RANK with WORLD_SIZE set (see train.sh); alone without these variables.
    """

    def __init__(self, threads=2):
        self.rank, self.size = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        torch.set_num_threads(threads if self.size == 1 else 1)
        if self.size > 1:
            dist.init_process_group("gloo", init_method=os.environ["TEAM"], rank=self.rank, world_size=self.size)

    def average(self, params, *numbers):
        """Averages the gradients, in place, and the numbers (returned): a clock, a loss."""
        if self.size == 1:
            return list(numbers)
        grads = [flat(p.grad).view(-1) for p in params]
        all = torch.cat(grads + [torch.tensor(numbers)])
        dist.all_reduce(all)
        all /= self.size
        torch._foreach_copy_(grads, list(all.split([g.numel() for g in grads] + [len(numbers)])[:-1]))
        return all[-len(numbers):].tolist()

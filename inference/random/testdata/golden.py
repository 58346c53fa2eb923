"""Makes golden.txt: SHA-256 of torch.randn on the CPU (little-endian float32 bytes of all draws, one after the other).

    python golden.py > golden.txt        (torch 2.15.0, x86-64 with AVX2)

Every line: seed, sizes of the draws from one generator, first value as float32 bits, digest.
"""
import hashlib, struct
import torch

torch.set_num_threads(1)
seeds = [0, 1, 2, 42, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 42, 2**63 - 1, 2**63, 2**64 - 1, -1, -7, 20241123]
draws = [[1], [2], [3], [15], [16], [17], [31], [32], [33], [100], [256], [623], [624], [625], [1248], [4 * 16 * 16], [4 * 64 * 96 + 5],
         [3, 5, 16, 1, 40, 2], [7, 7, 7], [16, 1, 16, 1], [0, 5]]
large = {0: [4 * 128 * 128], 1: [2**20], -1: [4 * 128 * 128, 4 * 128 * 128]}


def line(seed, sizes):
    g = torch.Generator("cpu").manual_seed(seed)
    data = b"".join(torch.randn(n, generator=g, dtype=torch.float32).numpy().astype("<f4").tobytes() for n in sizes)
    print(seed, ",".join(map(str, sizes)), "%08x" % struct.unpack("<I", data[:4])[0], hashlib.sha256(data).hexdigest())


for s in seeds:
    for d in draws:
        line(s, d)
for s, d in large.items():
    line(s, d)

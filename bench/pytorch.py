"""The rows of the benchmarks in PyTorch, for comparison.

    python pytorch.py ROW [--threads N]   prints PyTorch's version; then, for each line read, runs
                                        the work once and prints its milliseconds
    python pytorch.py ROW --losses        prints the first losses in float64, without dropout
"""

import argparse
import sys
import time

import torch
import torch.nn.functional as F


def noise(seed, shape, scale=1.0, dtype=torch.float32):
    """Numbers in [-scale, scale) from a hash of their position, as in numbers.ts."""
    wrap = 0xFFFFFFFF
    word = (torch.arange(torch.Size(shape).numel(), dtype=torch.int64) + seed * 0x9E3779B9) & wrap
    word = ((word ^ (word >> 16)) * 0x85EBCA6B) & wrap
    word = ((word ^ (word >> 13)) * 0xC2B2AE35) & wrap
    word = word ^ (word >> 16)
    return ((word.double() / 2**31 - 1) * scale).float().reshape(shape).to(dtype)


def noise_integers(seed, shape, limit):
    share = ((noise(seed, shape).double() * 0.5 + 0.5) * limit).floor()
    return share.clamp(max=limit - 1).long()


def glorot(seed, inputs, outputs, dtype):
    return noise(seed, (inputs, outputs), (6 / (inputs + outputs)) ** 0.5, dtype)


def text_classifier(dtype, dropout):
    """One training step of the model in textClassifier.ts; returns the loss."""
    batch, length, tokens, dim, heads = 32, 128, 10_000, 128, 4
    zeros = lambda n: torch.zeros(n, dtype=dtype)
    ones = lambda n: torch.ones(n, dtype=dtype)
    table = noise(101, (tokens, dim), 0.05, dtype)
    position = noise(102, (length, dim), 0.05, dtype)
    q, k, v, out, up, down = (glorot(s, dim, dim, dtype) for s in (103, 104, 105, 106, 110, 111))
    bq, bk, bv, bout, bup, bdown = (zeros(dim) for _ in range(6))
    g1, b1, g2, b2 = ones(dim), zeros(dim), ones(dim), zeros(dim)
    head, bhead = glorot(112, dim, 2, dtype), zeros(2)
    parameters = [table, position, q, k, v, out, up, down, bq, bk, bv, bout, bup, bdown]
    parameters += [g1, b1, g2, b2, head, bhead]
    for parameter in parameters:
        parameter.requires_grad_()
    lengths = noise_integers(120, (batch, 1), 113) + 16
    real = torch.arange(length) < lengths
    ids = (noise_integers(121, (batch, length), 9999) + 1) * real
    labels = noise_integers(122, (batch,), 2)
    seen = torch.where(real, 0.0, -1e9).to(dtype)[:, None, None, :]
    weight = real.to(dtype)[:, :, None]
    fused = dtype == torch.float32  # the fastest Adam that PyTorch has
    optimizer = torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=fused)

    def split(x):
        return x.reshape(batch, length, heads, dim // heads).transpose(1, 2)

    def step():
        optimizer.zero_grad(set_to_none=True)
        x = (F.embedding(ids, table) + position).reshape(batch * length, dim)
        projected = [split(torch.addmm(b, x, w)) for w, b in ((q, bq), (k, bk), (v, bv))]
        attended = F.scaled_dot_product_attention(*projected, attn_mask=seen)
        attended = torch.addmm(bout, attended.transpose(1, 2).reshape(x.shape), out)
        x = F.layer_norm(x + F.dropout(attended, dropout), (dim,), g1, b1, 1e-6)
        fed = torch.addmm(bdown, torch.relu(torch.addmm(bup, x, up)), down)
        x = F.layer_norm(x + F.dropout(fed, dropout), (dim,), g2, b2, 1e-6)
        pooled = (x.reshape(batch, length, dim) * weight).sum(1) / weight.sum(1)
        loss = F.cross_entropy(torch.addmm(bhead, F.dropout(pooled, dropout), head), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def cnn(dtype, _):
    """One training step of the model in cnn.ts; returns the loss."""
    images = noise(210, (64, 1, 28, 28), 1.0, dtype)
    labels = noise_integers(211, (64,), 10)
    zeros = lambda n: torch.zeros(n, dtype=dtype)
    ones = lambda n: torch.ones(n, dtype=dtype)
    filters = noise(201, (32, 1, 3, 3), (6 / 297) ** 0.5, dtype)
    more = noise(202, (64, 32, 3, 3), (6 / 864) ** 0.5, dtype)
    head = noise(203, (10, 3136), (6 / 3146) ** 0.5, dtype)
    blocks = [(filters, zeros(32), ones(32), zeros(32)), (more, zeros(64), ones(64), zeros(64))]
    parameters = [*blocks[0], *blocks[1], head, zeros(10)]
    for parameter in parameters:
        parameter.requires_grad_()
    fused = dtype == torch.float32  # the fastest Adam that PyTorch has
    optimizer = torch.optim.Adam(parameters, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, fused=fused)

    def step():
        optimizer.zero_grad(set_to_none=True)
        x = images
        for weight, bias, scale, shift in blocks:
            x = F.conv2d(x, weight, bias, padding=1)
            x = F.batch_norm(x, None, None, scale, shift, True, 0.1, 1e-5)
            x = F.max_pool2d(torch.relu(x), 2)
        loss = F.cross_entropy(F.linear(x.flatten(1), head, parameters[-1]), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


rows = {"clf_step": text_classifier, "cnn_step": cnn}

parser = argparse.ArgumentParser()
parser.add_argument("row", choices=rows)
parser.add_argument("--threads", type=int, default=1)
parser.add_argument("--losses", action="store_true")
arguments = parser.parse_args()
torch.set_num_threads(arguments.threads)

if arguments.losses:
    step = rows[arguments.row](torch.float64, 0.0)
    print([step() for _ in range(4)])
    sys.exit()

step = rows[arguments.row](torch.float32, 0.1)
print(torch.__version__, flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    step()
    print((time.perf_counter() - start) * 1000, flush=True)

"""The rows of the benchmarks in PyTorch, for comparison.

    python pytorch.py ROW [--threads N]   takes turns as process.ts has it: says what it is, then, for
                                        each line `samples runs`, the milliseconds of a run
    python pytorch.py --references        prints the results in float64, which are what all others
                                        are checked against
"""

import argparse
import json
import resource
import sys
import time

started = time.perf_counter()
import torch  # noqa: E402 (the row `cold` counts this)
import torch.nn.functional as F  # noqa: E402

LEARNING_RATE, EPS = 1e-3, 1e-5
CHECKED_STEPS, ADAM_STEPS = 4, 3
SAMPLES, PLACES_SEED = 16, 999
DROPOUT = 0.1  # while timed; 0 while checked


# --- numbers, as in numbers.ts ---


def noise(seed, shape, scale=1.0, dtype=torch.float32):
    """Numbers in [-scale, scale) from a hash of their position."""
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


def around_one(seed, size, dtype):
    return (1 + noise(seed, (size,), 0.1)).to(dtype)


# --- rows: each makes, for a dtype, a function that does the work and returns named results ---


def product(a_shape, b_shape, transposed=None):
    def make(dtype):
        a, b = noise(1, a_shape, 1.0, dtype), noise(2, b_shape, 1.0, dtype)
        left, right = (a.t() if transposed == "a" else a), (b.t() if transposed == "b" else b)
        return lambda: {"y": left @ right}

    return make


def attention(shape, causal, backward):
    def make(dtype):
        q, k, v, dy = (noise(seed, shape, 1.0, dtype) for seed in (11, 12, 13, 14))
        attend = lambda: F.scaled_dot_product_attention(q, k, v, is_causal=causal)
        if not backward:
            return lambda: {"y": attend()}
        for x in (q, k, v):
            x.requires_grad_()

        def run():
            q.grad = k.grad = v.grad = None
            y = attend()
            y.backward(dy)
            return {"y": y, "dq": q.grad, "dk": k.grad, "dv": v.grad}

        return run

    return make


def batch_norm(dtype):
    shape = (128, 64, 32, 32)
    x, dy = noise(21, shape, 1.0, dtype).requires_grad_(), noise(22, shape, 1.0, dtype)
    weight = around_one(23, 64, dtype).requires_grad_()
    bias = noise(24, (64,), 0.1, dtype).requires_grad_()

    def run():
        x.grad = weight.grad = bias.grad = None
        y = F.batch_norm(x, None, None, weight, bias, training=True, eps=EPS)
        y.backward(dy)
        return {"y": y, "dx": x.grad, "dweight": weight.grad, "dbias": bias.grad}

    return run


def over_sheet(function):
    def make(dtype):
        x = noise(601, (4096, 1024), 3.0, dtype)
        return lambda: {"y": function(x)}

    return make


def layer_norm(dtype):
    x = noise(601, (4096, 1024), 3.0, dtype)
    weight, bias = around_one(602, 1024, dtype), noise(603, (1024,), 0.1, dtype)
    return lambda: {"y": F.layer_norm(x, (1024,), weight, bias, EPS)}


def adam_of(parameters, dtype):
    # `fused` is the fastest Adam that PyTorch has.
    return torch.optim.Adam(parameters, lr=LEARNING_RATE, eps=1e-8, fused=dtype == torch.float32)


def adam(dtype):
    parameter = noise(701, (10_000_000,), 1.0, dtype).requires_grad_()
    parameter.grad = noise(702, (10_000_000,), 1.0, dtype)
    optimizer = adam_of([parameter], dtype)

    def run():
        optimizer.step()
        return {"y": parameter}

    return run


def training(make_loss):
    """A row whose work is a step of training; `make_loss(dtype, dropout)` → parameters, loss."""

    def make(dtype, dropout=DROPOUT):
        parameters, loss_of = make_loss(dtype, dropout)
        for parameter in parameters:
            parameter.requires_grad_()
        optimizer = adam_of(parameters, dtype)

        def step():
            optimizer.zero_grad(set_to_none=True)
            loss = loss_of()
            loss.backward()
            optimizer.step()
            return loss.item()

        return step

    make.trains = True
    return make


def perceptron(dtype, _dropout):
    sizes = (784, 512, 512, 10)
    layers = range(len(sizes) - 1)
    weights = [glorot(301 + i, sizes[i], sizes[i + 1], dtype) for i in layers]
    biases = [torch.zeros(size, dtype=dtype) for size in sizes[1:]]
    x, labels = noise(310, (128, 784), 1.0, dtype), noise_integers(311, (128,), 10)

    def loss():
        h = x
        for i in layers:
            h = torch.addmm(biases[i], h, weights[i])
            h = torch.relu(h) if i < len(sizes) - 2 else h
        return F.cross_entropy(h, labels)

    return weights + biases, loss


def text_classifier(dtype, dropout):
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
    lengths = noise_integers(120, (batch, 1), 113) + 16
    real = torch.arange(length) < lengths
    ids = (noise_integers(121, (batch, length), 9999) + 1) * real
    labels = noise_integers(122, (batch,), 2)
    seen = torch.where(real, 0.0, -1e9).to(dtype)[:, None, None, :]
    weight = real.to(dtype)[:, :, None]

    def split(x):
        return x.reshape(batch, length, heads, dim // heads).transpose(1, 2)

    def loss():
        x = (F.embedding(ids, table) + position).reshape(batch * length, dim)
        projected = [split(torch.addmm(b, x, w)) for w, b in ((q, bq), (k, bk), (v, bv))]
        attended = F.scaled_dot_product_attention(*projected, attn_mask=seen)
        attended = torch.addmm(bout, attended.transpose(1, 2).reshape(x.shape), out)
        x = F.layer_norm(x + F.dropout(attended, dropout), (dim,), g1, b1, 1e-6)
        fed = torch.addmm(bdown, torch.relu(torch.addmm(bup, x, up)), down)
        x = F.layer_norm(x + F.dropout(fed, dropout), (dim,), g2, b2, 1e-6)
        pooled = (x.reshape(batch, length, dim) * weight).sum(1) / weight.sum(1)
        return F.cross_entropy(torch.addmm(bhead, F.dropout(pooled, dropout), head), labels)

    return parameters, loss


def convolutional(dtype, _dropout):
    def kernel(seed, inputs, outputs):  # drawn as [height, width, inputs, outputs]
        scale = (6 / (9 * (inputs + outputs))) ** 0.5
        drawn = noise(seed, (3, 3, inputs, outputs), scale, dtype)
        return drawn.permute(3, 2, 0, 1).contiguous()

    kernels = [kernel(201, 1, 32), kernel(202, 32, 64)]
    biases, shifts = ([torch.zeros(n, dtype=dtype) for n in (32, 64)] for _ in range(2))
    scales = [torch.ones(n, dtype=dtype) for n in (32, 64)]
    # Rows in the order height, width, channels, which PyTorch flattens channels first.
    dense = glorot(203, 3136, 10, dtype).reshape(7, 7, 64, 10).permute(2, 0, 1, 3)
    dense, bias = dense.reshape(3136, 10).contiguous(), torch.zeros(10, dtype=dtype)
    x = noise(210, (64, 1, 28, 28), 1.0, dtype).to(memory_format=torch.channels_last)
    labels = noise_integers(211, (64,), 10)

    def loss():
        h = x
        for i in range(2):
            h = F.conv2d(h, kernels[i], biases[i], padding=1)
            h = F.batch_norm(h, None, None, scales[i], shifts[i], training=True, eps=EPS)
            h = F.max_pool2d(torch.relu(h), 2)
        return F.cross_entropy(torch.addmm(bias, h.reshape(64, 3136), dense), labels)

    return [*kernels, *biases, *scales, *shifts, dense, bias], loss


def language_model(dtype, _dropout):
    layers, dim, heads, length, tokens, batch = 4, 256, 8, 256, 256, 8
    zeros = lambda n: torch.zeros(n, dtype=dtype)
    ones = lambda n: torch.ones(n, dtype=dtype)
    table, position = noise(401, (tokens, dim), 0.05, dtype), noise(402, (length, dim), 0.05, dtype)
    blocks = []
    for seed in range(410, 410 + 10 * layers, 10):
        shapes = ((dim, 3 * dim), (dim, dim), (dim, 4 * dim), (4 * dim, dim))
        weights = [glorot(seed + i, *shape, dtype) for i, shape in enumerate(shapes)]
        biases = [zeros(outputs) for _, outputs in shapes]
        blocks.append((*weights, *biases, ones(dim), zeros(dim), ones(dim), zeros(dim)))
    scale, shift, head = ones(dim), zeros(dim), glorot(499, dim, tokens, dtype)
    drawn = noise_integers(500, (batch, length + 1), tokens)
    ids, targets = drawn[:, :-1].contiguous(), drawn[:, 1:].reshape(-1)

    def loss():
        x = (F.embedding(ids, table) + position).reshape(batch * length, dim)
        for qkv, out, up, down, bqkv, bout, bup, bdown, g1, b1, g2, b2 in blocks:
            h = torch.addmm(bqkv, F.layer_norm(x, (dim,), g1, b1, EPS), qkv)
            h = h.reshape(batch, length, 3, heads, dim // heads).permute(2, 0, 3, 1, 4)
            h = F.scaled_dot_product_attention(*h, is_causal=True)
            x = x + torch.addmm(bout, h.transpose(1, 2).reshape(x.shape), out)
            h = torch.addmm(bup, F.layer_norm(x, (dim,), g2, b2, EPS), up)
            x = x + torch.addmm(bdown, F.gelu(h, approximate="tanh"), down)
        return F.cross_entropy(F.layer_norm(x, (dim,), scale, shift, EPS) @ head, targets)

    parameters = [table, position, *(p for block in blocks for p in block), scale, shift, head]
    return parameters, loss


rows = {f"gemm_nn_{n}": product((n, n), (n, n)) for n in (64, 128, 256, 512, 1024, 2048)}
rows["gemm_nt_512"] = product((512, 512), (512, 512), "b")
rows["gemm_tn_512"] = product((512, 512), (512, 512), "a")
rows["gemm_skinny"] = product((4096, 128), (128, 128))
for sizes in ((8, 8, 512, 64), (32, 4, 128, 32)):
    for causal in (False, True):
        name = f"attn_{'x'.join(map(str, sizes))}_{'causal' if causal else 'full'}"
        rows[f"{name}_fwd"] = attention(sizes, causal, backward=False)
        rows[f"{name}_fwdbwd"] = attention(sizes, causal, backward=True)
rows |= {
    "bn_fwdbwd": batch_norm,
    "exp_4m": over_sheet(torch.exp),
    "gelu_4m": over_sheet(lambda x: F.gelu(x, approximate="tanh")),
    "softmax_4m": over_sheet(lambda x: torch.softmax(x, -1)),
    "layernorm_4m": layer_norm,
    "adam_10m": adam,
    "mlp_step": training(perceptron),
    "clf_step": training(text_classifier),
    "cnn_step": training(convolutional),
    "gpt_step": training(language_model),
}


# --- references ---


def results(name, dtype):
    """What is compared of a row: the first losses, or its results (Adam's after a few steps)."""
    if hasattr(rows[name], "trains"):
        step = rows[name](dtype, dropout=0.0)
        return {"losses": [step() for _ in range(CHECKED_STEPS)]}
    run = rows[name](dtype)
    for _ in range(ADAM_STEPS if name == "adam_10m" else 1):
        outputs = run()
    return {"outputs": {output: sample(x) for output, x in outputs.items()}}


def sample(x):
    flat = x.detach().flatten().double()
    places = noise_integers(PLACES_SEED, (SAMPLES,), flat.numel())
    return {"values": flat[places].tolist(), "norm": flat.norm().item(), "size": flat.numel()}


def error_of(name, references):
    """The largest relative error in float32, by the rule of references.ts."""
    got, expected = results(name, torch.float32), references[name]
    if "losses" in got:
        return max(abs(a / b - 1) for a, b in zip(got["losses"], expected["losses"]))
    errors = []
    for output, sampled in got["outputs"].items():
        wanted = expected["outputs"][output]
        typical = wanted["norm"] / sampled["size"] ** 0.5
        pairs = zip(sampled["values"], wanted["values"])
        errors += [abs(a - b) / typical for a, b in pairs]
        errors.append(abs(sampled["norm"] / wanted["norm"] - 1))
    return max(errors)


def print_references():
    rounded = lambda x: float(f"{x:.12g}")
    references = {}
    for name in rows:
        found = results(name, torch.float64)
        if "losses" in found:
            references[name] = {"losses": [rounded(x) for x in found["losses"]]}
            continue
        references[name] = {"outputs": {}}
        for output, sampled in found["outputs"].items():
            values = [rounded(x) for x in sampled["values"]]
            norm = rounded(sampled["norm"])
            references[name]["outputs"][output] = {"values": values, "norm": norm}
    print("{")
    lines = [f'  "{name}": {json.dumps(one)}' for name, one in references.items()]
    print(",\n".join(lines))
    print("}")


# --- turns, as in process.ts ---


def say(**message):
    print(json.dumps(message), flush=True)


def peak_bytes():
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def take_turns(run):
    for line in sys.stdin:
        samples, runs = map(int, line.split())
        times = []
        for _ in range(samples):
            start = time.perf_counter()
            for _ in range(runs):
                run()
            times.append((time.perf_counter() - start) * 1000 / runs)
        say(ms=times, peak=peak_bytes())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("row", nargs="?")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--references", action="store_true")
    arguments = parser.parse_args()
    if arguments.references:
        print_references()
        return
    torch.set_num_threads(arguments.threads)
    about = {"version": torch.__version__, "threads": arguments.threads}
    if arguments.row == "cold":
        (torch.ones(4, 4) @ torch.ones(4, 4)).sum().item()
        say(**about, error=0, ms=[(time.perf_counter() - started) * 1000], peak=peak_bytes())
        return
    if arguments.row not in rows:
        say(cannot="pytorch.py has no such row")
        return
    with open(__file__.replace("peers/pytorch.py", "references.json")) as file:
        error = error_of(arguments.row, json.load(file))
    say(**about, error=error)
    take_turns(rows[arguments.row](torch.float32))


main()

"""Does a job with JAX on the CPU.

Usage: jax_peer.py JOB PROBLEM scan|step, with the job as JSON (job.ts) and the path of the problem's file (problem.ts). Prints the
report as JSON. The stopwatch is that of measure.ts.

`scan` compiles a loop of 32 steps, `step` a single one. Either gathers its mini-batch from the normalized data set itself, gives its old
state away for the new one, and keeps pictures channels last. XLA's threads sleep and are as many as there are cores.
"""

import json
import math
import sys
import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

COMPARED_LOSSES = 4
STEPS_PER_CALL = 32
DTYPES = {"F32": np.float32, "I32": np.int32, "U8": np.uint8}
PREFIXES = {
    "dense": "fc",
    "conv2d": "conv",
    "batchNorm": "bn",
    "relu": "relu",
    "maxPool": "pool",
    "flatten": "flatten",
    "dropout": "dropout",
    "residual": "block",
}


def read_safetensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        body = np.frombuffer(file.read(), np.uint8)
    header.pop("__metadata__", None)

    def tensor(entry):
        begin, end = entry["data_offsets"]
        return body[begin:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"])

    return {name: tensor(entry) for name, entry in header.items()}


class Forward:
    """One forward pass in training, `[B, ..]` to logits; collects each Batch Norm's statistics. Pictures are `[B, H, W, C]`."""

    def __init__(self, tensors, key):
        self.tensors, self.key, self.statistics = tensors, key, {}

    def chain(self, layers, prefix, x):
        counts = {}
        for layer in layers:
            kind = PREFIXES[layer["kind"]]
            counts[kind] = counts.get(kind, 0) + 1
            x = getattr(self, layer["kind"])(layer, f"{prefix}{kind}{counts[kind]}", x)
        return x

    def dense(self, _layer, name, x):
        y = x @ self.tensors[f"{name}.weight"].T
        return y + self.tensors[f"{name}.bias"] if f"{name}.bias" in self.tensors else y

    def conv2d(self, layer, name, x):
        padding = [(layer["padding"], layer["padding"])] * 2
        strides = (layer["stride"], layer["stride"])
        kernel = self.tensors[f"{name}.weight"]
        y = jax.lax.conv_general_dilated(x, kernel, strides, padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return y + self.tensors[f"{name}.bias"] if f"{name}.bias" in self.tensors else y

    def batchNorm(self, layer, name, x):
        axes = tuple(range(x.ndim - 1))
        mean = x.mean(axes)
        variance = jnp.square(x - mean).mean(axes)
        self.statistics[name] = (mean, variance)
        scale = self.tensors[f"{name}.weight"] * jax.lax.rsqrt(variance + layer["epsilon"])
        return (x - mean) * scale + self.tensors[f"{name}.bias"]

    def relu(self, _layer, _name, x):
        return jax.nn.relu(x)

    def maxPool(self, layer, _name, x):
        kernel, stride = layer["kernel"], layer["stride"]
        if kernel == stride and x.shape[1] % kernel == 0 and x.shape[2] % kernel == 0:
            # Its gradient is faster than that of a window's.
            batch, height, width, channels = x.shape
            return x.reshape(batch, height // kernel, kernel, width // kernel, kernel, channels).max((2, 4))
        window = (1, kernel, kernel, 1)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, (1, stride, stride, 1), "VALID")

    def flatten(self, _layer, _name, x):
        # The weights behind are for channels first.
        x = x if x.ndim < 4 else x.transpose(0, 3, 1, 2)
        return x.reshape(x.shape[0], -1)

    def dropout(self, layer, _name, x):
        self.key, own = jax.random.split(self.key)
        return jnp.where(jax.random.bernoulli(own, 1 - layer["rate"], x.shape), x / (1 - layer["rate"]), 0)

    def residual(self, layer, name, x):
        shortcut = self.chain(layer["shortcut"], f"{name}.shortcut.", x)
        return self.chain(layer["layers"], f"{name}.", x) + shortcut


def channels_last(name, tensor):
    """Kernels `[O, I, kH, kW] -> [kH, kW, I, O]`, and the rest as it is."""
    return tensor.transpose(2, 3, 1, 0) if tensor.ndim == 4 else tensor


def normalized(tensors, part):
    x = tensors[f"{part}.inputs"]
    if "input.mean" in tensors:
        x = (x.astype(np.float32) - tensors["input.mean"]) / np.sqrt(tensors["input.var"] + 1e-5)
    return jnp.asarray(x.transpose(0, 2, 3, 1) if x.ndim == 4 else x)


class Trainer:
    def __init__(self, job, tensors, mode):
        self.config, self.layers = job["config"], job["network"]["layers"]
        state = {k: jnp.asarray(channels_last(k, v)) for k, v in tensors.items() if k.endswith((".weight", ".bias"))}
        zeros = lambda: {name: jnp.zeros_like(value) for name, value in state.items()}
        running = {k: jnp.asarray(v) for k, v in tensors.items() if ".running_" in k}
        self.state = (state, zeros(), zeros(), running)
        self.x, self.y = normalized(tensors, "train"), jnp.asarray(tensors["train.labels"])
        size = self.config["batchSize"]
        whole = len(self.x) // size * size
        # Of all epochs one after another.
        self.batches = tensors["order"][:, :whole].reshape(-1, size)
        self.steps_done, self.mode = 0, mode
        self.many = jax.jit(self._many, donate_argnums=0)
        self.one = jax.jit(self._one, donate_argnums=0)

    def _loss(self, parameters, batch, step):
        forward = Forward(parameters, jax.random.fold_in(jax.random.PRNGKey(self.config["seed"]), step))
        logits = forward.chain(self.layers, "", self.x[batch])
        chosen = jnp.take_along_axis(jax.nn.log_softmax(logits), self.y[batch][:, None], 1)
        return -chosen.mean(), forward.statistics

    def _one(self, state, batch, step):
        parameters, first, second, running = state
        (loss, statistics), gradients = jax.value_and_grad(self._loss, has_aux=True)(parameters, batch, step)
        rate, count = self.config["learningRate"], step + 1
        kept = self.config["bnMomentum"]
        first = {n: 0.9 * m + 0.1 * gradients[n] for n, m in first.items()}
        second = {n: 0.999 * v + 0.001 * jnp.square(gradients[n]) for n, v in second.items()}
        size, deviation = rate / (1 - 0.9**count), 1 / jnp.sqrt(1 - 0.999**count)
        parameters = {
            n: p - size * first[n] / (jnp.sqrt(second[n]) * deviation + 1e-8) for n, p in parameters.items()
        }
        fresh = {f"{n}.running_{k}": v for n, pair in statistics.items() for k, v in zip(("mean", "var"), pair)}
        running = {n: kept * v + (1 - kept) * fresh[n] for n, v in running.items()}
        return (parameters, first, second, running), loss

    def _many(self, state, batches, steps):
        return jax.lax.scan(lambda carried, each: self._one(carried, *each), state, (batches, steps))

    def train(self, steps):
        """Takes that many steps and returns the loss of each."""
        numbers = np.arange(self.steps_done, self.steps_done + steps, dtype=np.int32)
        batches = self.batches[numbers % len(self.batches)]
        self.steps_done += steps
        if self.mode == "scan":
            self.state, losses = self.many(self.state, batches, numbers)
            return losses.tolist()
        losses = []
        for batch, number in zip(batches, numbers):
            self.state, loss = self.one(self.state, batch, number)
            losses.append(loss)
        return [float(loss) for loss in losses]


class Stopwatch:
    def __init__(self, trainer):
        self.trainer, self.first_losses, self.steps, self.seconds, self.cpu_seconds = trainer, [], 0, 0.0, 0.0

    def train(self, steps):
        start, before = time.perf_counter(), time.process_time()
        losses = self.trainer.train(steps)
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - before
        self.steps += len(losses)
        self.first_losses += losses[: COMPARED_LOSSES - len(self.first_losses)]

    def train_for(self, seconds):
        self.steps, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        while self.steps == 0 or self.seconds < seconds:
            self.train(STEPS_PER_CALL)


def peak_memory():
    """In MB (10^6 bytes)."""
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM:")) * 1024 / 1e6


def main():
    job, path, mode = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    if job["task"]["kind"] != "speed" or job["config"]["optimizer"] != "adam" or job["config"]["schedule"] != "constant":
        raise SystemExit("jax_peer.py: expected a job that measures the speed of Adam at a constant rate")
    trainer = Trainer(job, read_safetensors(path), mode)
    stopwatch, task = Stopwatch(trainer), job["task"]
    # Compilation does not count.
    stopwatch.train(STEPS_PER_CALL)
    stopwatch.train_for(task["warmUp"])
    stopwatch.train_for(task["seconds"])
    samples = stopwatch.steps * job["config"]["batchSize"]
    report = {
        "engine": f"JAX {jax.__version__}, {mode}",
        "firstLosses": stopwatch.first_losses,
        "samplesPerSecond": samples / stopwatch.seconds,
        "samplesPerCpuSecond": samples / stopwatch.cpu_seconds,
        "peakRss": peak_memory() if sys.platform == "linux" else math.nan,
        "evaluations": [],
    }
    print(json.dumps(report))


main()

"""Does a job with PyTorch on the CPU, in the setting that is fastest for it.

Usage: pytorch.py JOB PROBLEM tune, with the job as JSON (job.ts) and the path of the problem's file (problem.ts), prints the
fastest setting as JSON; pytorch.py JOB PROBLEM SETTING prints the report. The stopwatch is that of measure.ts.

What makes PyTorch fast here: channels_last memory, denormals as zero, gradients set to None instead of zero, the whole data set
normalized beforehand, and the fastest of six: the optimizer's tensors one after another in one call (foreach), in one pass (fused), or
that and the model compiled, each with one thread and with all.

PyTorch averages the variance divided by m - 1 where this project divides by m: the one known difference. It does not enter
the training step.
"""

import json
import math
import resource
import statistics
import sys
import time
from collections import OrderedDict

import numpy as np
import torch
from torch import nn

COMPARED_LOSSES = 4
STEPS_PER_CALL = 8
TUNING_SECONDS = 1
TUNING_ROUNDS = 3
OPTIMIZERS = ("foreach", "fused", "compiled")
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
        return torch.from_numpy(body[begin:end].view(DTYPES[entry["dtype"]]).reshape(entry["shape"]).copy())

    return {name: tensor(entry) for name, entry in header.items()}


class Residual(nn.Module):
    """Names its layers as problem.ts does: those inside by their own names, the shortcut's behind `shortcut.`."""

    def __init__(self, layers, shortcut):
        super().__init__()
        self.layers = list(layers)
        for name, module in layers.items():
            self.add_module(name, module)
        self.shortcut = nn.Sequential(shortcut)

    def forward(self, x):
        y = x
        for name in self.layers:
            y = getattr(self, name)(y)
        return y + self.shortcut(x)


def build_layer(layer, name, tensors, image):
    kind = layer["kind"]
    if kind == "dense":
        units, features = tensors[f"{name}.weight"].shape
        return nn.Linear(features, units, bias=f"{name}.bias" in tensors)
    if kind == "conv2d":
        channels, inputs, kernel, _ = tensors[f"{name}.weight"].shape
        bias = f"{name}.bias" in tensors
        return nn.Conv2d(inputs, channels, kernel, layer["stride"], layer["padding"], bias=bias)
    if kind == "batchNorm":
        norm = nn.BatchNorm2d if image else nn.BatchNorm1d
        return norm(tensors[f"{name}.weight"].shape[0], eps=layer["epsilon"])
    if kind == "maxPool":
        return nn.MaxPool2d(layer["kernel"], layer["stride"])
    if kind == "dropout":
        return nn.Dropout(layer["rate"])
    if kind == "residual":
        inside = build_chain(layer["layers"], f"{name}.", tensors, image)
        return Residual(inside, build_chain(layer["shortcut"], f"{name}.shortcut.", tensors, image))
    return {"relu": nn.ReLU, "flatten": nn.Flatten}[kind]()


def build_chain(layers, prefix, tensors, image):
    counts, modules = {}, OrderedDict()
    for layer in layers:
        kind = PREFIXES[layer["kind"]]
        counts[kind] = counts.get(kind, 0) + 1
        name = f"{kind}{counts[kind]}"
        modules[name] = build_layer(layer, f"{prefix}{name}", tensors, image)
        image = image and layer["kind"] != "flatten"
    return modules


def build_model(network, tensors, momentum):
    """The network with the problem's initial tensors. PyTorch's momentum is the share of the new value."""
    model = nn.Sequential(build_chain(network["layers"], "", tensors, len(network["inputShape"]) == 3))
    own = model.state_dict()
    model.load_state_dict({name: tensors.get(name, value) for name, value in own.items()})
    for module in model.modules():
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            module.momentum = 1 - momentum
    return model.to(memory_format=torch.channels_last)


def normalized(inputs, tensors):
    if "input.mean" not in tensors:
        return inputs
    x = (inputs.float() - tensors["input.mean"]) / torch.sqrt(tensors["input.var"] + 1e-5)
    return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x


class Trainer:
    def __init__(self, job, tensors, optimizer):
        self.config = job["config"]
        self.model = build_model(job["network"], tensors, self.config["bnMomentum"])
        self.optimizer = self._optimizer({"foreach": True} if optimizer == "foreach" else {"fused": True})
        self.loss = torch.compile(self._loss) if optimizer == "compiled" else self._loss
        self.x, self.y = normalized(tensors["train.inputs"], tensors), tensors["train.labels"].long()
        if "test.inputs" in tensors:
            self.test_x, self.test_y = normalized(tensors["test.inputs"], tensors), tensors["test.labels"].long()
        self.order = tensors["order"].long()
        self.steps_per_epoch = len(self.x) // self.config["batchSize"]
        self.steps_done = 0

    def _loss(self, x, y):
        return nn.functional.cross_entropy(self.model(x), y)

    def _optimizer(self, form):
        rate, parameters = self.config["learningRate"], self.model.parameters()
        if self.config["optimizer"] == "adam":
            return torch.optim.Adam(parameters, lr=rate, **form)
        return torch.optim.SGD(parameters, lr=rate, momentum=0.9, **form)

    def _learning_rate(self):
        progress = self.steps_done / (self.config["epochs"] * self.steps_per_epoch)
        factor = {"constant": 1, "cosine": (1 + math.cos(math.pi * progress)) / 2}[self.config["schedule"]]
        return self.config["learningRate"] * factor

    def train(self, steps):
        """Takes at most that many steps, fewer at the end of an epoch, and returns the loss of each."""
        epoch, first = divmod(self.steps_done, self.steps_per_epoch)
        batches = self.order[epoch % len(self.order)]
        size = self.config["batchSize"]
        self.model.train()
        losses = []
        for step in range(first, min(first + steps, self.steps_per_epoch)):
            losses.append(self._step(batches[step * size : (step + 1) * size]))
        return torch.stack(losses).tolist()

    def _step(self, batch):
        self.optimizer.param_groups[0]["lr"] = self._learning_rate()
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.loss(self.x[batch], self.y[batch])
        loss.backward()
        self.optimizer.step()
        self.steps_done += 1
        return loss.detach()

    def test_accuracy(self):
        self.model.eval()
        with torch.no_grad():
            correct = sum(
                (self.model(x).argmax(1) == y).sum().item()
                for x, y in zip(self.test_x.split(500), self.test_y.split(500))
            )
        return correct / len(self.test_y)


class Stopwatch:
    def __init__(self, trainer):
        self.trainer, self.first_losses, self.steps, self.seconds, self.cpu_seconds = trainer, [], 0, 0.0, 0.0

    def train(self, steps):
        start, before = time.perf_counter(), time.process_time()
        losses = self.trainer.train(min(steps, STEPS_PER_CALL))
        self.seconds += time.perf_counter() - start
        self.cpu_seconds += time.process_time() - before
        self.steps += len(losses)
        self.first_losses += losses[: COMPARED_LOSSES - len(self.first_losses)]

    def train_for(self, seconds):
        self.steps, self.seconds, self.cpu_seconds = 0, 0.0, 0.0
        while self.steps == 0 or self.seconds < seconds:
            self.train(STEPS_PER_CALL)


def fastest_setting(job, tensors):
    """Several threads lose to one on small layers, and collapse when somebody else has a core. Settings take turns."""
    rates = {}
    for threads in sorted({1, job["threads"]}):
        torch.set_num_threads(threads)
        for optimizer in OPTIMIZERS:
            try:
                stopwatch = Stopwatch(Trainer(job, tensors, optimizer))
                stopwatch.train_for(TUNING_SECONDS / 2)
                rates[optimizer, threads] = (stopwatch, [])
            except Exception as error:  # torch.compile without a C++ compiler
                print(f"{optimizer}: {str(error).splitlines()[0]}", file=sys.stderr)
    for _ in range(TUNING_ROUNDS):
        for (optimizer, threads), (stopwatch, found) in rates.items():
            torch.set_num_threads(threads)
            stopwatch.train_for(TUNING_SECONDS)
            found.append(stopwatch.steps / stopwatch.seconds)
    optimizer, threads = max(rates, key=lambda setting: statistics.median(rates[setting][1]))
    return {"optimizer": optimizer, "threads": threads}


def learn(stopwatch, trainer, epochs, task):
    evaluations = []
    looks = task["evaluationsPerEpoch"]
    for look in range(1, epochs * looks + 1):
        until = math.floor(look * trainer.steps_per_epoch / looks + 0.5)
        while stopwatch.steps < until:
            stopwatch.train(until - stopwatch.steps)
        accuracy = trainer.test_accuracy()
        evaluations.append(
            {"step": stopwatch.steps, "seconds": stopwatch.seconds, "testAccuracy": accuracy, "rss": memory("VmRSS")}
        )
        if accuracy >= task.get("target", math.inf):
            break
    return evaluations


def memory(field):
    """Resident memory in MB (10^6 bytes): VmRSS now, VmHWM at most."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    with open("/proc/self/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith(f"{field}:")) * 1024 / 1e6


def blas():
    return "MKL" if torch.backends.mkl.is_available() else "no MKL"


def main():
    job, path, setting = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
    torch.set_flush_denormal(True)
    tensors = read_safetensors(path)
    if setting == "tune":
        print(json.dumps(fastest_setting(job, tensors)))
        return
    setting = json.loads(setting)
    torch.set_num_threads(setting["threads"])
    trainer = Trainer(job, tensors, setting["optimizer"])
    stopwatch, task, evaluations = Stopwatch(trainer), job["task"], []
    if task["kind"] == "learning":
        evaluations = learn(stopwatch, trainer, job["config"]["epochs"], task)
    else:
        stopwatch.train_for(task["warmUp"])
        stopwatch.train_for(task["seconds"])
    report = {
        "engine": f"PyTorch {torch.__version__}, {blas()}, {setting['optimizer']}, {setting['threads']} threads",
        "firstLosses": stopwatch.first_losses,
        "samplesPerSecond": stopwatch.steps * job["config"]["batchSize"] / stopwatch.seconds,
        "samplesPerCpuSecond": stopwatch.steps * job["config"]["batchSize"] / stopwatch.cpu_seconds,
        "peakRss": memory("VmHWM"),
        "evaluations": evaluations,
    }
    print(json.dumps(report))


main()

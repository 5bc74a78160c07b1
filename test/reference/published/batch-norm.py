"""Writes batch-norm.json: Batch Norm as the ONNX specification's examples and PyTorch give it.

No test runs this; it is how the numbers were obtained, with numpy 1.24.2 and torch 1.13.0:

    python3 test/reference/published/batch-norm.py > test/reference/published/batch-norm.json

ONNX: https://github.com/onnx/onnx/blob/v1.16.0/onnx/backend/test/case/node/batchnorm.py. Its generator seeds NumPy with 0 before
each of the two functions (base.py), so the inputs below are those of `test_batchnorm_example`, `test_batchnorm_epsilon` and of
their `_training_mode` twins; the outputs are the specification's equations in float64.
PyTorch: https://pytorch.org/docs/1.13/generated/torch.nn.BatchNorm1d.html, three mini-batches in training, then evaluation.
"""

import json

import numpy as np
import torch


def listed(array):
    array = np.asarray(array)
    return {"shape": list(array.shape), "data": [float(f"{value:.9g}") for value in array.reshape(-1)]}


def draw(random):
    names = ["X", "scale", "B", "input_mean"]
    shapes = [(2, 3, 4, 5), (3,), (3,), (3,)]
    arrays = {name: random.randn(*shape).astype(np.float32) for name, shape in zip(names, shapes)}
    return {**arrays, "input_var": random.rand(3).astype(np.float32)}


def normalize(X, scale, B, mean, var, epsilon):
    scale, B, mean, var = (value.astype(np.float64).reshape(-1, 1, 1) for value in (scale, B, mean, var))
    return scale * (X - mean) / np.sqrt(var + epsilon) + B


def onnx_examples():
    for training_mode in (0, 1):
        random = np.random.RandomState(0)
        for name, epsilon in (("example", 1e-5), ("epsilon", 1e-2)):
            inputs = draw(random)
            X, scale, B, mean, var = inputs.values()
            batch_mean, batch_var = X.mean(axis=(0, 2, 3), dtype=np.float64), X.var(axis=(0, 2, 3), dtype=np.float64)
            if training_mode:
                outputs = {
                    "Y": normalize(X, scale, B, batch_mean, batch_var, epsilon),
                    "running_mean": mean * 0.9 + batch_mean * 0.1,
                    "running_var": var * 0.9 + batch_var * 0.1,
                }
            else:
                outputs = {"Y": normalize(X, scale, B, mean, var, epsilon)}
            yield {
                "name": f"test_batchnorm_{name}" + ("_training_mode" if training_mode else ""),
                "attributes": {"epsilon": epsilon, "momentum": 0.9, "training_mode": training_mode},
                "inputs": {key: listed(value) for key, value in inputs.items()},
                "outputs": {key: listed(value) for key, value in outputs.items()},
            }


def pytorch_run(name, layer, shape, generator):
    """Three mini-batches in training mode, the running statistics after each, then the last one in evaluation mode."""
    layer = layer.double()
    with torch.no_grad():
        layer.weight.copy_(torch.randn(shape[1], generator=generator).float())
        layer.bias.copy_(torch.randn(shape[1], generator=generator).float())
    steps = []
    for _ in range(3):
        X = torch.randn(shape, generator=generator).float().double().requires_grad_()
        dY = torch.randn(shape, generator=generator).float().double()
        layer.zero_grad()
        Y = layer(X)
        Y.backward(dY)
        tensors = {
            "X": X, "dY": dY, "Y": Y, "dX": X.grad, "dScale": layer.weight.grad, "dB": layer.bias.grad,
            "running_mean": layer.running_mean, "running_var": layer.running_var,
        }
        steps.append({key: listed(value.detach().numpy()) for key, value in tensors.items()})
    layer.eval()
    return {
        "name": name,
        "momentum": layer.momentum,
        "epsilon": layer.eps,
        "scale": listed(layer.weight.detach().numpy()),
        "B": listed(layer.bias.detach().numpy()),
        "steps": steps,
        "evaluated": listed(layer(X).detach().numpy()),
    }


def pytorch_runs():
    generator = torch.Generator().manual_seed(0)
    yield pytorch_run("BatchNorm1d(3)", torch.nn.BatchNorm1d(3), (5, 3), generator)
    yield pytorch_run("BatchNorm1d(2, momentum=0.3, eps=1e-3)", torch.nn.BatchNorm1d(2, momentum=0.3, eps=1e-3), (4, 2), generator)
    yield pytorch_run("BatchNorm1d(2, momentum=None)", torch.nn.BatchNorm1d(2, momentum=None), (4, 2), generator)
    yield pytorch_run("BatchNorm2d(2)", torch.nn.BatchNorm2d(2), (2, 2, 3, 3), generator)


print(json.dumps({"onnx": list(onnx_examples()), "pytorch": list(pytorch_runs())}, separators=(",", ":")))

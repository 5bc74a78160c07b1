"""Reads exported models with other people's ONNX readers, and compares what they answer to the samples beside each model.

    python3 read.py models/mnist-cnn models/mnist-mlp

Prints one JSON object a line: model, reader, and either the largest difference to the answers in samples.npz or an error.
"""

import json
import sys
from pathlib import Path

import numpy as np


def onnx_reference(path, x):
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    return ReferenceEvaluator(model).run(None, {model.graph.input[0].name: x})[0]


def onnxruntime(path, x):
    import onnxruntime as ort

    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


def openvino(path, x):
    import openvino as ov

    model = ov.Core().compile_model(ov.Core().read_model(path), "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return model(x)[0]


def opencv(path, x):
    import cv2

    net = cv2.dnn.readNetFromONNX(str(path))
    # Without a free number of samples: one after the other.
    return np.concatenate([answer_of_opencv(net, sample[None]) for sample in x])


def answer_of_opencv(net, sample):
    net.setInput(sample)
    return net.forward().reshape(1, -1)


def tinygrad(path, x):
    from tinygrad import Tensor
    from tinygrad.nn.onnx import OnnxRunner

    runner = OnnxRunner(path)
    (name,) = runner.graph_inputs
    return next(iter(runner({name: Tensor(x)}).values())).numpy()


READERS = {
    "onnx.checker and onnx.reference": onnx_reference,
    "ONNX Runtime": onnxruntime,
    "OpenVINO": openvino,
    "OpenCV": opencv,
    "tinygrad": tinygrad,
}


def main():
    for folder in map(Path, sys.argv[1:]):
        samples = np.load(folder / "samples.npz")
        x, y = samples["x"].astype(np.float32), samples["y"]
        for name, read in READERS.items():
            row = {"model": folder.name, "reader": name}
            try:
                answers = read(folder / "model.onnx", x)
                row["difference"] = float(np.abs(answers.reshape(y.shape) - y).max())
            except Exception as error:
                row["error"] = f"{type(error).__name__}: {error}".splitlines()[0][:200]
            print(json.dumps(row), flush=True)


main()

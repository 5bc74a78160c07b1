"""Makes pytorch.onnx and pytorch.json: a file from elsewhere, and what its author's framework answers.

Usage: python3 pytorch.py (made with PyTorch 1.13 on a CPU). PRESERVE keeps BatchNorm2d as nodes of the file; the default folds it
into the convolutions.
"""

import json
from pathlib import Path

import torch
from torch import nn

torch.manual_seed(0)
model = nn.Sequential(
    nn.Conv2d(1, 4, 3, stride=2, padding=1, bias=False),
    nn.BatchNorm2d(4),
    nn.ReLU(),
    nn.Conv2d(4, 6, 3, stride=2, padding=1),
    nn.BatchNorm2d(6),
    nn.LeakyReLU(),
    nn.AdaptiveAvgPool2d(1),
    nn.Flatten(),
    nn.Linear(6, 3),
)
for _ in range(20):
    model(2 * torch.randn(8, 1, 12, 12) + 1)
model.eval()

image = torch.randn(2, 1, 12, 12)
here = Path(__file__).parent
torch.onnx.export(
    model,
    image,
    str(here / "pytorch.onnx"),
    input_names=["image"],
    output_names=["scores"],
    dynamic_axes={"image": {0: "batch"}, "scores": {0: "batch"}},
    opset_version=15,
    training=torch.onnx.TrainingMode.PRESERVE,
)
answer = {"image": image.flatten().tolist(), "scores": model(image).flatten().tolist()}
(here / "pytorch.json").write_text(json.dumps(answer))

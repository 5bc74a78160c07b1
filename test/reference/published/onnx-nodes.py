"""Writes onnx-nodes.zip: ONNX's own tests of single nodes, for the ops that the compiler may meet.

No test runs this; it is how the files were obtained, with onnx 1.23.2:

    python3 test/reference/published/onnx-nodes.py

Each folder of the archive is a test as ONNX's backends run it: model.onnx, input_0.pb …, output_0.pb …. Left out are those that use element
types that no model here has, sequences, and random numbers, and what is larger than 40 kB.
Source: https://github.com/onnx/onnx/tree/v1.23.0/onnx/backend/test/case/node
"""

import pathlib
import warnings
import zipfile

import numpy as np
import onnx
from onnx import numpy_helper

warnings.filterwarnings("ignore")
from onnx.backend.test.case.node import collect_testcases  # noqa: E402

OPS = set(
    """Abs Add And ArgMax ArgMin AveragePool BatchNormalization Cast CastLike Celu Clip Concat Constant ConstantOfShape Conv
    ConvTranspose DepthToSpace Div Dropout Elu Equal Erf Exp Expand Flatten Gather Gelu Gemm GlobalAveragePool GlobalMaxPool Greater
    GreaterOrEqual GroupNormalization HardSigmoid HardSwish Identity InstanceNormalization IsNaN LayerNormalization LeakyRelu Less
    LessOrEqual Log LogSoftmax MatMul Max MaxPool Mean Min Mish Mul Neg Not Or PRelu Pad Pow RMSNormalization Reciprocal ReduceL1
    ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare Relu Reshape Resize
    Selu Shape Sigmoid Size Slice Softmax Softplus Softsign SpaceToDepth Split Sqrt Squeeze Sub Sum Swish Tanh ThresholdedRelu Tile
    Transpose Unsqueeze Where Xor""".split()
)
TYPES = {np.dtype(name) for name in ("float32", "float64", "int32", "int64", "uint8", "bool")}
MOST_BYTES = 40_000


def files_of(case):
    inputs, outputs = case.data_sets[0]
    for values in (inputs, outputs):
        if any(not isinstance(value, np.ndarray) or value.dtype not in TYPES for value in values):
            return None
    named = {"model.onnx": case.model.SerializeToString()}
    for kind, values, ports in (("input", inputs, case.model.graph.input), ("output", outputs, case.model.graph.output)):
        for i, (value, port) in enumerate(zip(values, ports)):
            named[f"{kind}_{i}.pb"] = numpy_helper.from_array(value, port.name).SerializeToString()
    return named


target = pathlib.Path(__file__).with_name("onnx-nodes.zip")
count = 0
with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    for case in sorted(collect_testcases(None), key=lambda case: case.name):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPS or nodes[0].domain != "":
            continue
        files = files_of(case)
        if files is None or sum(map(len, files.values())) > MOST_BYTES:
            continue
        count += 1
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(f"{case.name.removeprefix('test_')}/{name}"), content)
print(f"{count} tests with onnx {onnx.__version__}, {target.stat().st_size} bytes")

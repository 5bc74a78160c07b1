"""Triton's clients, synchronous and asynchronous, against a Worker behind a front that compresses as the platform does.

    python triton.py localhost:8787 model
"""

import asyncio
import sys

import numpy as np
import tritonclient.http as sync
import tritonclient.http.aio as aio
from tritonclient.utils import InferenceServerException

HOST, MODEL = sys.argv[1:]
COMPRESSIONS = [None, "gzip", "deflate"]


def requests_of(module, metadata):
    """Every way of sending one sample: inputs and outputs as JSON or bytes, and classes."""
    [input], [output] = metadata["inputs"], metadata["outputs"]
    shape = [1 if size == -1 else size for size in input["shape"]]
    data = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) % 256
    for as_bytes in [True, False]:
        tensor = module.InferInput(input["name"], shape, input["datatype"])
        tensor.set_data_from_numpy(data, binary_data=as_bytes)
        for more in [{"binary_data": True}, {"binary_data": False}, {"class_count": 3}]:
            yield [tensor], [module.InferRequestedOutput(output["name"], **more)]


def values_of(result, name):
    """The numbers of an output, or the three largest where it came as classes."""
    values = result.as_numpy(name)
    if values.dtype.kind == "f":
        return np.sort(values.ravel())[::-1][:3]
    texts = [value.decode() if isinstance(value, bytes) else value for value in values.ravel()]
    return np.array([float(text.split(":")[0]) for text in texts])


def check(got, expected):
    np.testing.assert_allclose(got, expected, rtol=1e-5, atol=1e-5)


def synchronous():
    client = sync.InferenceServerClient(HOST)
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(MODEL)
    metadata = client.get_model_metadata(MODEL)
    assert metadata["name"] == MODEL
    assert client.get_model_config(MODEL)["max_batch_size"] > 0
    assert MODEL in [model["name"] for model in client.get_model_repository_index()]
    before = client.get_inference_statistics(MODEL)["model_stats"][0]["inference_count"]
    name, answers = metadata["outputs"][0]["name"], []
    for inputs, outputs in requests_of(sync, metadata):
        for sent in COMPRESSIONS:
            for wanted in COMPRESSIONS:
                result = client.infer(
                    MODEL, inputs, outputs=outputs,
                    request_compression_algorithm=sent, response_compression_algorithm=wanted,
                )
                answers.append(values_of(result, name))
    for answer in answers:
        check(answer, answers[0])
    after = client.get_inference_statistics(MODEL)["model_stats"][0]["inference_count"]
    assert after - before == len(answers), (before, after)
    try:
        client.get_model_metadata("nobody")
        raise AssertionError("a model that is not there has metadata")
    except InferenceServerException as error:
        assert error.message().startswith("model: expected"), error
    return answers[0], len(answers)


async def asynchronous(expected):
    client, count = aio.InferenceServerClient(HOST), 0
    assert await client.is_server_live() and await client.is_model_ready(MODEL)
    metadata = await client.get_model_metadata(MODEL)
    assert metadata["name"] == MODEL
    assert (await client.get_model_config(MODEL))["max_batch_size"] > 0
    for inputs, outputs in requests_of(aio, metadata):
        for sent in COMPRESSIONS:
            result = await client.infer(MODEL, inputs, outputs=outputs, request_compression_algorithm=sent)
            check(values_of(result, metadata["outputs"][0]["name"]), expected)
            count += 1
    for name, said in [("nobody", "model: expected"), (MODEL, "inputs")]:
        wrong = aio.InferInput("nothing", [1], "FP32")
        wrong.set_data_from_numpy(np.zeros(1, np.float32))
        try:
            await client.infer(name, [wrong])
            raise AssertionError("a wrong request is answered")
        except InferenceServerException as error:
            assert error.message().startswith(said), error
    await client.close()
    return count


answer, count = synchronous()
print(f"tritonclient.http: {count} inferences, metadata, configuration, statistics and refusals as expected")
print(f"tritonclient.http.aio: {asyncio.run(asynchronous(answer))} inferences, metadata and refusals as expected")

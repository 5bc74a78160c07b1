"""Scores a CSV by a file of raw columns on Ray Data: score.py model.onnx rows.csv answers.parquet-folder workers"""
import json
import sys
import time

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.csv
import ray


class Scorer:
    """Keeps one session in each worker."""

    def __init__(self, path: str):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options)
        self.inputs = self.session.get_inputs()

    def __call__(self, batch: dict) -> dict:
        feeds = {}
        for port in self.inputs:
            column = batch[port.name]
            if port.type == "tensor(string)":
                texts = np.array(["" if value is None else value for value in column], dtype=object)
                feeds[port.name] = texts.reshape(-1, 1)
            else:
                feeds[port.name] = column.astype(np.float32).reshape(-1, 1)
        label, probabilities = self.session.run(["label", "probabilities"], feeds)
        return {"row": batch["row"], "label": label[:, 0], "probability": probabilities.max(axis=1)}


def main() -> None:
    model, table, out, workers = sys.argv[1:]
    ports = onnxruntime.InferenceSession(model).get_inputs()
    types = {p.name: pa.string() if p.type == "tensor(string)" else pa.float64() for p in ports}
    # Beside the workers that score, one CPU reads and writes.
    ray.init(num_cpus=int(workers) + 1, include_dashboard=False, log_to_driver=False, logging_level="error")
    ray.data.DataContext.get_current().enable_progress_bars = False
    start = time.perf_counter()
    convert = pyarrow.csv.ConvertOptions(column_types={**types, "row": pa.int64()}, include_columns=["row", *types])
    rows = ray.data.read_csv(table, convert_options=convert)
    scored = rows.map_batches(
        Scorer, fn_constructor_args=[model], batch_size=8192, batch_format="numpy", concurrency=int(workers)
    )
    scored.write_parquet(out)
    answers = ray.data.read_parquet(out).to_pandas().sort_values("row")
    print(json.dumps({"rows": len(answers), "seconds": time.perf_counter() - start}))
    answers.to_csv(f"{out}.csv", index=False)


main()

"""One peer on one split of one table: a job as JSON on standard input, its answers as JSON on standard output.

Everything runs on one thread. Trees that stop early have at most 1,000 rounds and a patience of 50 on the validation part; all else is the
libraries' default. CPU seconds are of the fit alone, with the columns already in memory.
"""

import csv
import importlib
import json
import os
import pickle
import sys
import time
import warnings

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[name] = "1"
warnings.filterwarnings("ignore")

import numpy as np
import pandas as pd

ROUNDS, PATIENCE = 1000, 50
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "None", "?"}
ROW_CALLS = 200


def table_of(job):
    """The columns as numbers and categories, indexed by the line in which each row ends."""
    with open(job["file"], newline="") as file:
        reader = csv.reader(file)
        header = [name.strip() for name in next(reader)]
        rows = {reader.line_num: row for row in reader if row}
    cells = pd.DataFrame.from_dict(rows, orient="index", columns=header)
    frame = pd.DataFrame(index=cells.index)
    for column in job["columns"]:
        texts = cells[column["name"]].map(lambda cell: None if cell.strip() in MISSING else cell.strip())
        if column["kind"] == "numeric":
            frame[column["name"]] = pd.to_numeric(texts.str.replace(r"[^0-9.eE+-]", "", regex=True), errors="coerce").astype("float32")
        elif column["kind"] == "date":
            frame[column["name"]] = pd.to_datetime(texts, errors="coerce").astype("int64").astype("float32")
        else:
            frame[column["name"]] = texts
    # Names as the converters to ONNX want them.
    frame.columns = [f"f{i}" for i in range(len(job["columns"]))]
    return frame


def is_text(column):
    return not pd.api.types.is_float_dtype(column)


def texts_of(frame):
    return [name for name in frame if is_text(frame[name])]


def as_categories(frame, train):
    frame = frame.copy()
    for name in texts_of(frame):
        known = sorted(frame.loc[train, name].dropna().unique())
        frame[name] = pd.Categorical(frame[name], categories=known)
    return frame


def as_codes(frame):
    """Categories as their numbers, a gap as NaN."""
    codes = {name: frame[name].cat.codes.replace(-1, np.nan) if is_text(frame[name]) else frame[name] for name in frame}
    return pd.DataFrame(codes).to_numpy(np.float32)


def as_texts(frame):
    frame = frame.copy()
    for name in texts_of(frame):
        frame[name] = frame[name].astype(object).where(frame[name].notna(), "missing").astype(str)
    return frame


def converted(kind, model, width, **options):
    import onnxmltools
    from onnxmltools.convert.common.data_types import FloatTensorType

    convert = getattr(onnxmltools, f"convert_{kind}")
    return convert(model, initial_types=[("x", FloatTensorType([None, width]))], **options).SerializeToString()


class Peer:
    """fit(train, validation), answer(rows), size(), onnx() where there is one."""

    prepare = staticmethod(lambda frame: frame)
    # Loaded before the clock starts.
    modules = ()

    def __init__(self, classes, stops, seed):
        self.classes, self.stops, self.seed = classes, stops, seed

    def answer(self, rows):
        return self.model.predict_proba(rows) if self.classes else self.model.predict(rows)

    def size(self):
        return len(pickle.dumps(self.model))

    def onnx(self, _width):
        return None


class HistGB(Peer):
    modules = ("sklearn.ensemble",)
    prepare = staticmethod(as_codes)

    def fit(self, X, y, Xv, yv):
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        make = HistGradientBoostingClassifier if self.classes else HistGradientBoostingRegressor
        # It takes at most 255 categories; columns with more are numbers to it.
        most = np.nan_to_num(np.nanmax(np.concatenate([X, Xv]), axis=0), nan=0)
        columns = [i for i in self.categorical if most[i] < 255]
        options = dict(categorical_features=columns or None, random_state=self.seed)
        if self.stops:
            self.model = make(max_iter=ROUNDS, early_stopping=True, n_iter_no_change=PATIENCE, **options)
            self.model.fit(X, y, X_val=Xv, y_val=yv)
        else:
            self.model = make(early_stopping=False, **options).fit(X, y)

    def onnx(self, width):
        from skl2onnx import to_onnx

        options = {id(self.model): {"zipmap": False}} if self.classes else None
        return to_onnx(self.model, np.zeros((1, width), np.float32), options=options).SerializeToString()


class XGB(Peer):
    modules = ("xgboost",)
    def fit(self, X, y, Xv, yv):
        import xgboost

        make = xgboost.XGBClassifier if self.classes else xgboost.XGBRegressor
        options = dict(n_estimators=ROUNDS, early_stopping_rounds=PATIENCE) if self.stops else {}
        self.model = make(enable_categorical=True, n_jobs=1, random_state=self.seed, **options)
        self.model.fit(X, y, eval_set=[(Xv, yv)] if self.stops else None, verbose=False)

    def size(self):
        return len(self.model.get_booster().save_raw("ubj"))

    def onnx(self, width):
        return None if self.categorical else converted("xgboost", self.model, width)


class LightGBM(Peer):
    modules = ("lightgbm",)
    def fit(self, X, y, Xv, yv):
        import lightgbm

        make = lightgbm.LGBMClassifier if self.classes else lightgbm.LGBMRegressor
        self.model = make(n_jobs=1, random_state=self.seed, verbosity=-1, **(dict(n_estimators=ROUNDS) if self.stops else {}))
        stop = dict(eval_set=[(Xv, yv)], callbacks=[lightgbm.early_stopping(PATIENCE, verbose=False)])
        self.model.fit(X, y, **(stop if self.stops else {}))

    def size(self):
        return len(self.model.booster_.model_to_string())

    def onnx(self, width):
        options = {"zipmap": False} if self.classes else {}
        return None if self.categorical else converted("lightgbm", self.model, width, **options)


class CatBoost(Peer):
    modules = ("catboost",)
    prepare = staticmethod(as_texts)

    def fit(self, X, y, Xv, yv):
        import catboost

        make = catboost.CatBoostClassifier if self.classes else catboost.CatBoostRegressor
        self.model = make(
            thread_count=1,
            random_seed=self.seed,
            verbose=False,
            allow_writing_files=False,
            cat_features=texts_of(X),
            **(dict(early_stopping_rounds=PATIENCE) if self.stops else {}),
        )
        self.model.fit(X, y, **(dict(eval_set=(Xv, yv)) if self.stops else {}))

    def size(self):
        self.model.save_model("model.cbm")
        return os.path.getsize("model.cbm")

    def onnx(self, _width):
        if self.categorical:
            return None  # It exports numbers alone.
        self.model.save_model("model.onnx", format="onnx")
        return open("model.onnx", "rb").read()


class MLP(Peer):
    modules = ("sklearn.neural_network",)
    def fit(self, X, y, _Xv, _yv):
        from sklearn.compose import ColumnTransformer
        from sklearn.impute import SimpleImputer
        from sklearn.neural_network import MLPClassifier, MLPRegressor
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import OneHotEncoder, StandardScaler

        texts = texts_of(X)
        numbers = [name for name in X if name not in texts]
        parts = ColumnTransformer(
            [
                ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
                ("texts", OneHotEncoder(handle_unknown="ignore"), texts),
            ]
        )
        make = MLPClassifier if self.classes else MLPRegressor
        self.mean, self.scale = (0, 1) if self.classes else (y.mean(), y.std() or 1)
        self.model = make_pipeline(parts, make(early_stopping=self.stops, random_state=self.seed))
        self.model.fit(X, y if self.classes else (y - self.mean) / self.scale)

    prepare = staticmethod(as_texts)

    def answer(self, rows):
        return self.model.predict_proba(rows) if self.classes else self.model.predict(rows) * self.scale + self.mean


class Pytabkit(Peer):
    """Its networks take no gaps: numbers get the median of the training part, and a column that says where there was none."""

    modules = ("pytabkit",)
    prepare = staticmethod(as_texts)

    def fit(self, X, y, Xv, yv):
        import pytabkit
        import torch

        torch.set_num_threads(1)
        numbers = X.drop(columns=texts_of(X))
        self.medians = numbers.median().fillna(0)
        self.gappy = [name for name in numbers if numbers[name].isna().any()]
        make = getattr(pytabkit, f"{self.kind}_{'Classifier' if self.classes else 'Regressor'}")
        self.model = make(device="cpu", random_state=self.seed, n_threads=1, verbosity=0)
        self.model.fit(self.whole(X), y, self.whole(Xv), yv, cat_col_names=texts_of(X))

    def whole(self, X):
        gaps = {f"{name} gap": X[name].isna().astype("float32") for name in self.gappy}
        return X.fillna(self.medians).assign(**gaps)

    def answer(self, rows):
        return super().answer(self.whole(rows))


class RealMLP(Pytabkit):
    kind = "RealMLP_TD"


class TabM(Pytabkit):
    kind = "TabM_D"


PEERS = {"hgb": HistGB, "xgb": XGB, "lgb": LightGBM, "cat": CatBoost, "mlp": MLP, "realmlp": RealMLP, "tabm": TabM}


def milliseconds(call):
    call()
    call()
    times = []
    end = time.perf_counter() + 2
    while len(times) < ROW_CALLS and time.perf_counter() < end:
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    return float(np.median(times))


def onnx_milliseconds(peer, prepared):
    import onnxruntime

    try:
        content = peer.onnx(prepared.shape[1])
    except Exception as error:  # A converter that does not know the model is no failure of the peer.
        print(f"{type(error).__name__}: {error}"[:200], file=sys.stderr)
        content = None
    if content is None:
        return {}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    row = np.asarray(prepared[:1], np.float32)
    return {"row_ms_onnx": milliseconds(lambda: session.run(None, {name: row})), "bytes_onnx": len(content)}


def main():
    job = json.load(sys.stdin)
    os.chdir(job["folder"])
    engine, _, plain = job["engine"].partition("-")
    frame = as_categories(table_of(job), job["lines"]["train"])
    peer = PEERS[engine](job["classes"], plain != "plain", job["seed"])
    peer.categorical = [i for i, name in enumerate(frame) if is_text(frame[name])]
    parts = {part: peer.prepare(frame.loc[lines]) for part, lines in job["lines"].items()}
    targets = {part: np.asarray(values, np.int64 if job["classes"] else np.float32) for part, values in job["targets"].items()}
    for module in peer.modules:
        importlib.import_module(module)
    start = time.process_time()
    peer.fit(parts["train"], targets["train"], parts["validation"], targets["validation"])
    seconds = time.process_time() - start
    test = parts["test"]
    answers = np.asarray(peer.answer(test), np.float64)
    if job["classes"]:
        # Classes that the training part lacks have no column.
        spread = np.zeros((len(test), job["classes"]))
        spread[:, getattr(peer.model, "classes_", np.arange(answers.shape[1])).astype(int).ravel()] = answers
        answers = spread
    one = test[:1]
    result = {
        "cpu_seconds": seconds,
        "bytes": peer.size(),
        "row_ms": milliseconds(lambda: peer.answer(one)),
        **onnx_milliseconds(peer, np.asarray(test)),
        "answers": answers.ravel().tolist(),
    }
    json.dump(result, sys.stdout)


main()

"""Makes iris-forest.onnx, iris-logistic.onnx and iris.json: classifiers of irises, and what scikit-learn answers.

Usage: python3 iris.py (made with scikit-learn 1.2.1 and onnx 1.12). skl2onnx was not to be had, so the nodes that its converters
emit with options={"zipmap": False} are written here by hand, attribute for attribute.
https://github.com/onnx/sklearn-onnx/tree/1.13.1/skl2onnx/operator_converters
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

here = Path(__file__).parent
data, target = load_iris(return_X_y=True)
data = data.astype(np.float32)


def forest_nodes(model):
    """TreeEnsembleClassifier: every tree's nodes in one list; a leaf votes with its share of each class."""
    tree_node = {name: [] for name in "falsenodeids featureids modes nodeids treeids truenodeids values".split()}
    vote = {name: [] for name in "ids nodeids treeids weights".split()}
    for tree_id, estimator in enumerate(model.estimators_):
        tree = estimator.tree_
        for node in range(tree.node_count):
            leaf = tree.children_left[node] == -1
            row = {
                "falsenodeids": 0 if leaf else tree.children_right[node],
                "featureids": 0 if leaf else tree.feature[node],
                "modes": "LEAF" if leaf else "BRANCH_LEQ",
                "nodeids": node,
                "treeids": tree_id,
                "truenodeids": 0 if leaf else tree.children_left[node],
                # Inputs are 32-bit: the largest such number below the threshold divides them alike.
                "values": 0.0 if leaf else float(below(tree.threshold[node])),
            }
            for name, value in row.items():
                tree_node[name].append(value)
            if leaf:
                counts = tree.value[node][0]
                for class_id, count in enumerate(counts):
                    vote["ids"].append(class_id)
                    vote["nodeids"].append(node)
                    vote["treeids"].append(tree_id)
                    vote["weights"].append(count / counts.sum() / len(model.estimators_))
    ensemble = helper.make_node(
        "TreeEnsembleClassifier",
        ["X"],
        ["label", "probabilities"],
        domain="ai.onnx.ml",
        classlabels_int64s=[int(label) for label in model.classes_],
        nodes_hitrates=[1.0] * len(tree_node["values"]),
        nodes_missing_value_tracks_true=[0] * len(tree_node["values"]),
        post_transform="NONE",
        **{f"nodes_{name}": values for name, values in tree_node.items()},
        **{f"class_{name}": values for name, values in vote.items()},
    )
    return [ensemble]


def below(threshold):
    rounded = np.float32(threshold)
    return np.nextafter(rounded, np.float32(-np.inf)) if rounded > threshold else rounded


def logistic_nodes(pipeline):
    """Scaler, LinearClassifier, Normalizer, and a cast of the label."""
    scaler, model = pipeline
    return [
        helper.make_node(
            "Scaler", ["X"], ["variable"], domain="ai.onnx.ml", offset=scaler.mean_, scale=1 / scaler.scale_
        ),
        helper.make_node(
            "LinearClassifier",
            ["variable"],
            ["chosen", "probability_tensor"],
            domain="ai.onnx.ml",
            classlabels_ints=[int(label) for label in model.classes_],
            coefficients=model.coef_.ravel(),
            intercepts=model.intercept_,
            multi_class=1,
            post_transform="SOFTMAX",
        ),
        helper.make_node("Normalizer", ["probability_tensor"], ["probabilities"], domain="ai.onnx.ml", norm="L1"),
        helper.make_node("Cast", ["chosen"], ["label"], to=TensorProto.INT64),
    ]


def write(name, nodes):
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, [None, 4])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 3]),
        ],
    )
    opsets = [helper.make_opsetid("ai.onnx.ml", 1), helper.make_opsetid("", 15)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8, producer_name="iris.py")
    onnx.checker.check_model(model)
    onnx.save(model, str(here / f"{name}.onnx"))


forest = RandomForestClassifier(n_estimators=8, max_depth=4, random_state=0).fit(data, target)
logistic = make_pipeline(StandardScaler(), LogisticRegression()).fit(data, target)
write("iris-forest", forest_nodes(forest))
write("iris-logistic", logistic_nodes(logistic))

irises = data[7::30]
answers = {
    name: {"label": model.predict(irises).tolist(), "probabilities": model.predict_proba(irises).ravel().tolist()}
    for name, model in [("iris-forest", forest), ("iris-logistic", logistic)]
}
(here / "iris.json").write_text(json.dumps({"irises": irises.ravel().tolist(), **answers}))

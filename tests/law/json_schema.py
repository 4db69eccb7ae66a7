"""Holds TOML files against a JSON Schema: one line a file, `ok` or `refused` and why.

    json_schema.py SCHEMA FILE...
"""

import datetime
import json
import sys
import tomllib

import jsonschema


def plain(value):
    """A TOML value as editors see it: dates are texts."""
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    if isinstance(value, (datetime.date, datetime.datetime, datetime.time)):
        return value.isoformat()
    return value


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    for path in sys.argv[2:]:
        try:
            with open(path, "rb") as file:
                value = plain(tomllib.load(file))
        except tomllib.TOMLDecodeError as error:
            print(f"refused {path} not TOML: {error}")
            continue
        error = next(validator.iter_errors(value), None)
        print(f"ok {path}" if error is None else f"refused {path} {error.message}"[:300].replace("\n", " "))


main()

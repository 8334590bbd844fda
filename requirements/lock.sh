#!/bin/sh
# Writes the locks of this folder anew, one a group of pyproject.toml, each with the newest versions.
set -eu
cd "$(dirname "$0")/.."
lock() {
    .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --upgrade "$@"
}
lock pyproject.toml --group base -o requirements/base.txt
lock pyproject.toml --group base --group dev -c requirements/base.txt -o requirements/dev.txt
for group in spark spark-build site; do
    lock --group "$group" -o "requirements/$group.txt"
done
echo uv | lock - -o requirements/uv.txt

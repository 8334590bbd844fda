"""What a Spark that cannot work says in one line, without starting one."""

import sys
from pathlib import Path

import pytest

from warehouse.spark.faults import SparkFault, explain, require_java

SAID = {
    "java.io.IOException: No space left on device": "make room",
    (
        "java.io.InvalidClassException: org.apache.spark.deploy.ApplicationDescription; local "
        "class incompatible"
    ): "another version",
    (
        "class file version 61.0, this version of the Java Runtime only recognizes up to 55.0; "
        "UnsupportedClassVersionError"
    ): "too old",
    "java.lang.OutOfMemoryError: Java heap space": "SPARK_EXECUTOR_MEMORY",
    "org.apache.spark.SparkException: All masters are unresponsive! Giving up.": "does not answer",
    "java.net.UnknownHostException: nowhere.example": "is not known",
    (
        "java.net.BindException: Cannot assign requested address: Service 'sparkDriver' failed"
    ): "no address of this machine",
    (
        "Job aborted due to stage failure: ExecutorLostFailure (executor 1 exited)\nCaused by: No "
        "space left on device"
    ): "make room",
    (
        "Job aborted due to stage failure: Task 0 lost: ExecutorLostFailure (executor 1 exited)"
    ): "lost its workers",
    "java.io.IOException: Mkdirs failed to create file:/mnt/x": "a worker cannot write to",
    (
        'org.apache.hadoop.fs.UnsupportedFileSystemException: No FileSystem for scheme "s3a"'
    ): "SPARK_CONF_DIR",
}


@pytest.mark.parametrize("text", SAID)
def test_what_spark_says_becomes_one_line_that_says_what_to_do(text: str) -> None:
    # an error of our own SQL is no fault of the cluster
    assert explain("[PARSE_SYNTAX_ERROR] Syntax error at or near 'from'") == ""
    found = explain(f"26/11/26 ERROR x\n{text}\n\tat y")
    assert SAID[text] in found and "\n" not in found and found.startswith("ENGINE=spark: ")


def java(folder: Path, says: str, code: int = 0) -> dict[str, str]:
    """An environment whose Java says this of itself."""
    path = folder / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(
        f"#!{sys.executable} -I\nimport sys\nprint({says!r}, file=sys.stderr)\nsys.exit({code})\n",
        encoding="utf-8",
    )
    path.chmod(0o755)
    return {"JAVA_HOME": str(folder)}


@pytest.mark.parametrize(
    ("says", "code", "expected"),
    [
        ('openjdk version "17.0.21" 2026-10-20', 0, 17),
        ('java version "21" 2023-09-19', 0, 21),
        ('java version "1.8.0_392"', 0, r"says .*1\.8\.0"),
        ('openjdk version "11.0.2"', 0, r"says .*11\.0\.2"),
        ("broken", 1, "says 'broken"),
        (None, 0, "No such file "),
    ],
)
def test_a_java_serves_or_is_refused_with_how_to_get_one(
    tmp_path: Path, says: str | None, code: int, expected: int | str
) -> None:
    environment = java(tmp_path, says, code) if says else {"JAVA_HOME": str(tmp_path)}
    if isinstance(expected, int):
        assert require_java(environment) == expected
        return
    with pytest.raises(SparkFault, match=expected) as found:
        require_java(environment)
    assert "apt-get install" in str(found.value) and "\n" not in str(found.value)

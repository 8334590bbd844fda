"""The library of estimation/ under the name citysync: what pyproject.toml cannot say of a folder
that is called otherwise. The study, its samples, specs and report stay in the checkout.
"""

from setuptools import find_packages, setup

OF_THE_STUDY = ("analyses", "report", "sample", "study")
LEFT_OUT = [pattern for name in OF_THE_STUDY for pattern in (name, f"{name}.*")]

setup(
    packages=[
        "citysync",
        *(f"citysync.{name}" for name in find_packages("estimation", exclude=LEFT_OUT)),
    ],
    package_dir={"citysync": "estimation"},
    package_data={"": ["*.csv", "*.md", "llms.txt", "py.typed"]},
    include_package_data=False,
)

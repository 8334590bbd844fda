"""Every package below estimation/ under the name citysync: what pyproject.toml cannot say of a
folder that is called otherwise.
"""

from setuptools import find_packages, setup

setup(
    packages=["citysync", *(f"citysync.{name}" for name in find_packages("estimation"))],
    package_dir={"citysync": "estimation"},
    package_data={
        "": [
            f"**/*.{ending}"
            for ending in ("yml", "j2", "css", "js", "md", "R", "do", "csv", "LICENSE")
        ]
    },
    include_package_data=False,
)

"""The library of estimation/ under the name citysync: what pyproject.toml cannot say of a folder
that is called otherwise. The study, its samples, specs and report stay in the checkout.
"""

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

OF_THE_STUDY = ("analyses", "report", "sample", "study")
# the classifier of policy texts: module by package, and its data
MODULES_OF_THE_STUDY = {("citysync", "classify"), ("citysync.measures", "policy_tools")}
LEFT_OUT = [*OF_THE_STUDY, *(f"{name}.*" for name in OF_THE_STUDY)]


class BuildLibrary(build_py):
    """What is built, without the modules of the study."""

    def find_package_modules(self, package: str, package_dir: str) -> list[tuple[str, str, str]]:
        """Modules of a package, as (package, module, file)."""
        found = super().find_package_modules(package, package_dir)
        return [row for row in found if row[:2] not in MODULES_OF_THE_STUDY]


setup(
    cmdclass={"build_py": BuildLibrary},
    packages=[
        "citysync",
        *(f"citysync.{name}" for name in find_packages("estimation", exclude=LEFT_OUT)),
    ],
    package_dir={"citysync": "estimation"},
    package_data={"": ["*.csv", "*.md", "llms.txt", "py.typed", "CITATION.cff"]},
    exclude_package_data={"citysync.data": ["policy_lexicon.csv"]},
    include_package_data=False,
)

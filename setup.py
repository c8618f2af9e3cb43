"""The package lstmrec: loose ranges for those who install it; conf/locks has the exact pins it runs with."""

from setuptools import find_packages, setup

SPARK = [
    "pyspark==4.0.*",  # 4.1 wants a newer pyarrow than Petastorm reads with
    "delta-spark==4.0.*",
    "pydantic-settings[yaml]>=2.6,<3",
    "pyyaml>=6,<7",
    "structlog>=24.1",
    "numpy>=1.26,<2",  # Petastorm 0.13 and TensorFlow 2.18 were built against numpy 1
    "pandas>=2.2,<2.3",
    "pyarrow>=14,<15",  # the newest that Petastorm 0.13 works with
    "onnxruntime>=1.20,<2",
    "scipy>=1.13,<2",
    "jinja2>=3.1,<4",  # the report's page,
    "vl-convert-python>=1.7,<2",  # and its charts: Vega-Lite to SVG, with no browser and no network
]

# Horovod asks TensorFlow for its headers when it is built: TensorFlow has to be installed first, and pip
# told --no-build-isolation. `make setup` does that and keeps the wheel.
TRAIN_ON_ANY_DEVICE = [
    *SPARK,
    "horovod==0.28.1",
    "petastorm==0.13.1",
    "tf2onnx>=1.16,<2",
    "onnx>=1.17,<2",
    "protobuf>=4.25,<6",  # TensorFlow 2.18 breaks with 6 and later, without saying so in its metadata
    "optuna>=5,<6",
    "setuptools<70",  # Petastorm and TensorBoard import pkg_resources
]

# only where tracking.uri is set; the last two for a store in a database
TRACKING = ["mlflow-skinny>=3,<4", "sqlalchemy>=2,<3", "alembic>=1.13,<2"]

DEV = [
    "hypothesis>=6.100",
    "mypy>=1.11",
    "pandas-stubs>=2.2,<2.3",
    "playwright>=1.45,<2",  # drives the Chromium of the machine; none is downloaded
    "pre-commit>=3.7",
    "pytest>=8",
    "rectools>=0.19,<0.20",  # the tests compare our metrics with its own
    "replay-rec>=0.22,<0.23",  # and with those of this one
    "ruff>=0.8",
    "types-PyYAML>=6",
]

setup(
    name="lstmrec",
    version="0.1.0",
    description="Batch recommendations from click logs in a data lake: Spark, Delta Lake, Horovod, an LSTM",
    python_requires="==3.11.*",
    packages=find_packages(include=["lstmrec", "lstmrec.*"]),
    package_data={"lstmrec": ["py.typed"], "lstmrec.report": ["*.jinja"]},
    extras_require={
        "spark": SPARK,
        "train": [*TRAIN_ON_ANY_DEVICE, "tensorflow-cpu==2.18.1"],
        "train-gpu": [
            *TRAIN_ON_ANY_DEVICE,
            "tensorflow[and-cuda]==2.18.1",
        ],  # instead of train, never with it
        "tracking": TRACKING,
        "dev": DEV,
    },
)

from pyspark.sql import SparkSession


def test_the_tests_own_settings_reach_spark_and_its_heap(spark: SparkSession) -> None:
    assert spark.sparkContext.master == "local[2]"
    assert spark._jvm is not None
    assert spark._jvm.java.lang.Runtime.getRuntime().maxMemory() > 2.5 * 2**30

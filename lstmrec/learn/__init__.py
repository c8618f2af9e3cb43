"""The LSTM: Petastorm feeds it, TensorFlow and Horovod train it, an artifact keeps it. No Spark session."""

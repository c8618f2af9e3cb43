"""The LSTM: fed by Petastorm, trained by TensorFlow and Horovod, kept as an artifact. No Spark session here."""

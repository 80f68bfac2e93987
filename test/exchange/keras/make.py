"""Writes siamese.safetensors and expected.json: a network of Keras, and what Keras computes with it in float64.

pip install keras==3.15.1 jax==0.10.2 safetensors==0.8.0; python make.py
"""
import json
import os

os.environ["KERAS_BACKEND"] = "jax"
import jax

jax.config.update("jax_enable_x64", True)
import keras
import numpy as np
from keras import layers
from safetensors.numpy import save_file

keras.config.set_floatx("float64")
height, width, channels = shape = (14, 11, 3)

# The network of the TensorFlow article, with the max-pool before batch-norm.
inputs = x = layers.Input(shape)
for filters in (4, 6):
    x = layers.Conv2D(filters, 3, padding="same")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
tower = keras.Model(inputs, layers.Dense(8, activation="sigmoid")(layers.Flatten()(x)))
a, b = layers.Input(shape), layers.Input(shape)
difference = layers.Lambda(lambda pair: keras.ops.abs(pair[0] - pair[1]))([tower(a), tower(b)])
siamese = keras.Model([a, b], layers.Dense(1)(difference))

random = np.random.default_rng(7)
for variable in siamese.variables:
    values = random.normal(scale=0.3, size=variable.shape)
    if variable.name in ("gamma", "moving_variance"):
        values = 0.5 + np.abs(values)
    variable.assign(values.astype("float32"))

pictures = random.random((5, *shape)).astype("float32")
pairs = [[0, 1], [2, 3], [4, 0], [1, 1]]
embeddings = tower.predict(pictures, verbose=0)
logits = siamese.predict([pictures[[i for i, _ in pairs]], pictures[[j for _, j in pairs]]], verbose=0)

folder = os.path.dirname(os.path.abspath(__file__))
weights = {variable.path: np.asarray(variable, "float32") for variable in siamese.variables}
network = {"imageSize": shape, "batchNormEpsilon": 1e-3}
save_file(weights, f"{folder}/siamese.safetensors", metadata={"network": json.dumps(network)})
with open(f"{folder}/expected.json", "w") as file:
    values = {"pictures": pictures, "embeddings": embeddings, "logits": logits}
    flat = {name: [round(float(v), 9) for v in array.ravel()] for name, array in values.items()}
    json.dump({"keras": keras.__version__, "pairs": pairs, **flat}, file)
    file.write("\n")

"""Writes the tensor files beside this script (numpy 2.4.6, ml_dtypes 0.6.0, Python 3.11)."""

import io
import os

import ml_dtypes
import numpy as np

os.chdir(os.path.dirname(os.path.abspath(__file__)))

special = np.array([0x7FC00123, 0x80000000, 0x7F800000, 1], dtype="u4").view("f4")
mixed = {
    "in/hidden_states": np.arange(6, dtype="f4").reshape(2, 3) * 0.5 - 1,
    "special": special,
    "f8": np.array([1 / 3, -2.5, 1e300]),
    "f2": np.array([1.5, -0.25], dtype="f2"),
    "c8": np.array([1 + 2j], dtype="c8"),
    "i1": np.array([-128, 127], dtype="i1"),
    "i2": np.array([-32768, 32767], dtype="i2"),
    "i4": np.array([-(2**31), 2**31 - 1], dtype="i4"),
    "i8": np.array([-(2**63), 2**63 - 1], dtype="i8"),
    "u1": np.array([0, 255], dtype="u1"),
    "u2": np.array([0, 65535], dtype="u2"),
    "u4": np.array([0, 2**32 - 1], dtype="u4"),
    "u8": np.array([0, 2**64 - 1], dtype="u8"),
    "b1": np.array([True, False, True]),
    "scalar": np.array(7, dtype="f4"),
    "empty": np.zeros((0, 4), dtype="f4"),
    "caf\u00e9": np.array([3], dtype="i8"),
}
np.savez("mixed.npz", **mixed)
np.savez_compressed(
    "compressed.npz",
    zeros=np.zeros((300, 300), dtype="f4"),
    ramp=(np.arange(1000, dtype="i4") * 7919) % 1009,
)


class Pipe(io.RawIOBase):
    """A stream that cannot seek, so that sizes follow the data in the archive."""

    def __init__(self, path):
        self.file = open(path, "wb")

    def writable(self):
        return True

    def write(self, data):
        return self.file.write(data)

    def flush(self):
        self.file.flush()


np.savez(Pipe("streamed.npz"), a=np.arange(4, dtype="i4"))
np.save("fortran.npy", np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4)))
np.save("big-endian.npy", np.arange(3, dtype=">f4"))
np.save("bfloat16.npy", np.arange(3).astype(ml_dtypes.bfloat16))
np.save("object.npy", np.array([{"a": 1}], dtype=object))
np.save("structured.npy", np.zeros(2, dtype=[("x", "f4"), ("y", "i4")]))
np.save("text.npy", np.array(["ab", "c"]))

"""Stands in for Triton Inference Server where there is none: sequences with implicit state.

    python stand_in.py REPOSITORY [--port 8001]

It reads each model's config.pbtxt by Triton's own ModelConfig and answers the calls that
client.py makes, by the rules of Triton's documents: a request that starts a sequence finds the
initial state and the start control's true value, every later one the state that its predecessor
gave, and only what is configured goes in and comes out. ONNX Runtime computes. It is for tests and
for a first try: no batching, no scheduling, no limits.
"""

import argparse
import threading
from concurrent import futures
from pathlib import Path

import grpc
import numpy as np
import onnxruntime
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2, service_pb2, service_pb2_grpc
from tritonclient.utils import triton_to_np_dtype

START = model_config_pb2.ModelSequenceBatching.Control.CONTROL_SEQUENCE_START


class Refusal(Exception):
    """A request that does not fit the configuration."""


class Model:
    """One model of the repository with the state of its sequences."""

    def __init__(self, folder):
        self.config = text_format.Parse(
            (folder / "config.pbtxt").read_text(), model_config_pb2.ModelConfig())
        assert self.config.name == folder.name, "a model is named after its folder"
        assert self.config.backend == "onnxruntime" and self.config.max_batch_size == 0
        self.sequences = self.config.sequence_batching
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        self.session = onnxruntime.InferenceSession(
            str(folder / "1" / self.config.default_model_filename), options,
            providers=["CPUExecutionProvider"])
        self.state, self.lock = {}, threading.Lock()
        self.controls = {
            entry.name: control.bool_false_true for entry in self.sequences.control_input
            for control in entry.control if control.kind == START}
        # The backend's own check when it loads a model.
        configured = [entry.name for entry in self.config.input] + list(self.controls) + [
            entry.input_name for entry in self.sequences.state]
        assert sorted(configured) == sorted(port.name for port in self.session.get_inputs()), (
            "every input without a default is configured, once")

    def infer(self, inputs, wanted, sequence, starts, ends):
        """The outputs of one request of a sequence."""
        with self.lock:
            if starts:
                limit = self.sequences.oldest.max_candidate_sequences
                if sequence not in self.state and len(self.state) >= limit:
                    raise Refusal(f"{limit} sequences are under way")
                self.state[sequence] = {
                    entry.input_name: initial(entry) for entry in self.sequences.state}
            elif sequence not in self.state:
                raise Refusal(f"sequence {sequence} was not started")
            feeds = {**inputs, **self.state[sequence], **{
                name: np.array([values[starts]]) for name, values in self.controls.items()}}
            carried = {entry.output_name: entry for entry in self.sequences.state}
            names = [*wanted, *carried]
            results = dict(zip(names, self.session.run(names, feeds)))
            for name, entry in carried.items():
                check(name, results[name], entry)
                self.state[sequence][entry.input_name] = results[name]
            if ends:
                del self.state[sequence]
            return {name: results[name] for name in wanted}


def initial(entry):
    """The state that a sequence starts with."""
    start, = entry.initial_state
    assert start.data_type == entry.data_type and start.zero_data and len(start.name) > 0
    assert all(size > 0 and due in (-1, size)
               for size, due in zip(start.dims, entry.dims, strict=True))
    return np.zeros(list(start.dims), data_type(entry))


def data_type(entry):
    word = model_config_pb2.DataType.Name(entry.data_type).removeprefix("TYPE_")
    return triton_to_np_dtype(word)


def check(name, value, entry):
    """Refuses a tensor that is not as configured; a model's scalar may be configured as [1]."""
    shape = value.shape or (1,)
    if value.dtype != data_type(entry):
        raise Refusal(f"'{name}' is {value.dtype}, not {np.dtype(data_type(entry))}")
    if len(shape) != len(entry.dims) or any(
            due not in (-1, size) for size, due in zip(shape, entry.dims)):
        raise Refusal(f"'{name}' has shape {list(shape)}, not {list(entry.dims)}")


class Service(service_pb2_grpc.GRPCInferenceServiceServicer):
    """The calls that a client of sequences makes."""

    def __init__(self, repository):
        folders = [path.parent for path in Path(repository).glob("*/config.pbtxt")]
        self.models = {folder.name: Model(folder) for folder in folders}

    def ServerReady(self, request, context):
        return service_pb2.ServerReadyResponse(ready=True)

    def ModelConfig(self, request, context):
        model = self.find(request.name, context)
        return service_pb2.ModelConfigResponse(config=model.config)

    def ModelInfer(self, request, context):
        model = self.find(request.model_name, context)
        given = request.parameters
        response = service_pb2.ModelInferResponse(model_name=request.model_name, model_version="1")
        try:
            inputs = self.inputs(request, model.config)
            configured = {entry.name: entry for entry in model.config.output}
            wanted = [output.name for output in request.outputs] or list(configured)
            if not set(wanted) <= set(configured):
                raise Refusal(f"{wanted} are not all outputs")
            results = model.infer(
                inputs, wanted, given["sequence_id"].int64_param,
                given["sequence_start"].bool_param, given["sequence_end"].bool_param)
            for name, value in results.items():
                check(name, value, configured[name])
                word = model_config_pb2.DataType.Name(configured[name].data_type)
                response.outputs.add(
                    name=name, datatype=word.removeprefix("TYPE_"), shape=value.shape)
                response.raw_output_contents.append(np.ascontiguousarray(value).tobytes())
        except Refusal as refusal:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(refusal))
        return response

    def inputs(self, request, config):
        """The request's tensors, each as configured."""
        configured = {entry.name: entry for entry in config.input}
        values = {}
        for tensor, content in zip(request.inputs, request.raw_input_contents, strict=True):
            if tensor.name not in configured:
                raise Refusal(f"'{tensor.name}' is not an input")
            value = np.frombuffer(content, triton_to_np_dtype(tensor.datatype))
            values[tensor.name] = value.reshape(list(tensor.shape))
            check(tensor.name, values[tensor.name], configured[tensor.name])
        if missing := set(configured) - set(values):
            raise Refusal(f"{sorted(missing)} are missing")
        return values

    def find(self, name, context):
        if name not in self.models:
            context.abort(grpc.StatusCode.NOT_FOUND, f"there is no model '{name}'")
        return self.models[name]


def serve(repository, port=0):
    """Starts to serve; returns the server and its port."""
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = grpc.server(futures.ThreadPoolExecutor(), options=unlimited)
    service_pb2_grpc.add_GRPCInferenceServiceServicer_to_server(Service(repository), server)
    port = server.add_insecure_port(f"localhost:{port}")
    server.start()
    return server, port


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("repository", help="a folder that `rewrite --serve triton` wrote")
    parser.add_argument("--port", type=int, default=8001)
    arguments = parser.parse_args()
    server, port = serve(arguments.repository, arguments.port)
    print(f"standing in for Triton at localhost:{port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()

#pragma once

#ifndef ONNX_ML
#define ONNX_ML 1
#endif
#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#include <onnx/onnx_pb.h>

#include <string>

#include "COnnxShim.h"

namespace shim {

inline const onnx::ModelProto &message(OnnxModelRef ref) {
  return *static_cast<const onnx::ModelProto *>(ref.message);
}
inline const onnx::GraphProto &message(OnnxGraphRef ref) {
  return *static_cast<const onnx::GraphProto *>(ref.message);
}
inline const onnx::NodeProto &message(OnnxNodeRef ref) {
  return *static_cast<const onnx::NodeProto *>(ref.message);
}
inline const onnx::AttributeProto &message(OnnxAttributeRef ref) {
  return *static_cast<const onnx::AttributeProto *>(ref.message);
}
inline const onnx::TensorProto &message(OnnxTensorRef ref) {
  return *static_cast<const onnx::TensorProto *>(ref.message);
}
inline const onnx::ValueInfoProto &message(OnnxValueInfoRef ref) {
  return *static_cast<const onnx::ValueInfoProto *>(ref.message);
}
inline const onnx::TypeProto &message(OnnxTypeRef ref) {
  return *static_cast<const onnx::TypeProto *>(ref.message);
}

inline OnnxBytes bytes(const std::string &text) {
  return {reinterpret_cast<const uint8_t *>(text.data()), text.size()};
}

inline std::string text(OnnxBytes bytes) {
  return std::string(reinterpret_cast<const char *>(bytes.start), bytes.count);
}

/// Protobuf counts with int; every index has been checked against such a count.
inline int index(size_t position) { return static_cast<int>(position); }

}  // namespace shim

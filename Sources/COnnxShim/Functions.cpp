#include "Messages.h"

namespace {

/// The field of defaults, which the installed library may be too old to know (onnx.proto,
/// FunctionProto.attribute_proto).
constexpr int defaultsField = 11;

const onnx::FunctionProto &message(OnnxFunctionRef ref) {
  return *static_cast<const onnx::FunctionProto *>(ref.message);
}

}  // namespace

OnnxFunctionRef onnx_model_function(OnnxModelRef model, size_t position) noexcept {
  return {&shim::message(model).functions(shim::index(position))};
}

size_t onnx_function_input_count(OnnxFunctionRef function) noexcept {
  return message(function).input_size();
}

OnnxBytes onnx_function_input(OnnxFunctionRef function, size_t position) noexcept {
  return shim::bytes(message(function).input(shim::index(position)));
}

size_t onnx_function_output_count(OnnxFunctionRef function) noexcept {
  return message(function).output_size();
}

OnnxBytes onnx_function_output(OnnxFunctionRef function, size_t position) noexcept {
  return shim::bytes(message(function).output(shim::index(position)));
}

size_t onnx_function_node_count(OnnxFunctionRef function) noexcept {
  return message(function).node_size();
}

OnnxNodeRef onnx_function_node(OnnxFunctionRef function, size_t position) noexcept {
  return {&message(function).node(shim::index(position))};
}

size_t onnx_function_opset_count(OnnxFunctionRef function) noexcept {
  return message(function).opset_import_size();
}

OnnxBytes onnx_function_opset_domain(OnnxFunctionRef function, size_t position) noexcept {
  return shim::bytes(message(function).opset_import(shim::index(position)).domain());
}

int64_t onnx_function_opset_version(OnnxFunctionRef function, size_t position) noexcept {
  return message(function).opset_import(shim::index(position)).version();
}

bool onnx_function_defaults(
    OnnxFunctionRef function, OnnxAttributeConsumer consume, void *context) noexcept {
  try {
    const auto &fields = message(function).unknown_fields();
    for (int position = 0; position < fields.field_count(); ++position) {
      const auto &field = fields.field(position);
      if (field.number() != defaultsField ||
          field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) {
        continue;
      }
      onnx::AttributeProto attribute;
      if (!attribute.ParseFromString(field.length_delimited())) return false;
      consume(context, {&attribute});
    }
    return true;
  } catch (...) {
    return false;
  }
}

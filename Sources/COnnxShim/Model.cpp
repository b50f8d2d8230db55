#include <google/protobuf/io/coded_stream.h>

#include <limits>
#include <memory>
#include <new>

#include "Messages.h"

using namespace shim;

namespace {

/// Protobuf's own default, named: a chain of If in If reaches it at 33 levels.
constexpr int kRecursionLimit = 100;

}  // namespace

OnnxStatus onnx_model_parse(const void *bytes, size_t count, OnnxModelRef *model) noexcept {
  try {
    if (count > static_cast<size_t>(std::numeric_limits<int>::max())) return OnnxStatusTooLarge;
    auto parsed = std::make_unique<onnx::ModelProto>();
    google::protobuf::io::CodedInputStream stream(
        static_cast<const uint8_t *>(bytes), static_cast<int>(count));
    stream.SetRecursionLimit(kRecursionLimit);
    if (!parsed->MergePartialFromCodedStream(&stream) || !stream.ConsumedEntireMessage()) {
      return OnnxStatusMalformed;
    }
    model->message = parsed.release();
    return OnnxStatusDone;
  } catch (const std::bad_alloc &) {
    return OnnxStatusOutOfMemory;
  } catch (...) {
    return OnnxStatusFailed;
  }
}

void onnx_model_free(OnnxModelRef model) noexcept { delete &message(model); }

int64_t onnx_model_ir_version(OnnxModelRef model) noexcept { return message(model).ir_version(); }

OnnxBytes onnx_model_producer_name(OnnxModelRef model) noexcept {
  return bytes(message(model).producer_name());
}

OnnxBytes onnx_model_producer_version(OnnxModelRef model) noexcept {
  return bytes(message(model).producer_version());
}

size_t onnx_model_opset_count(OnnxModelRef model) noexcept {
  return message(model).opset_import_size();
}

OnnxBytes onnx_model_opset_domain(OnnxModelRef model, size_t position) noexcept {
  return bytes(message(model).opset_import(index(position)).domain());
}

int64_t onnx_model_opset_version(OnnxModelRef model, size_t position) noexcept {
  return message(model).opset_import(index(position)).version();
}

size_t onnx_model_metadata_count(OnnxModelRef model) noexcept {
  return message(model).metadata_props_size();
}

OnnxEntry onnx_model_metadata(OnnxModelRef model, size_t position) noexcept {
  const auto &entry = message(model).metadata_props(index(position));
  return {bytes(entry.key()), bytes(entry.value())};
}

size_t onnx_model_function_count(OnnxModelRef model) noexcept {
  return message(model).functions_size();
}

OnnxBytes onnx_model_function_domain(OnnxModelRef model, size_t position) noexcept {
  return bytes(message(model).functions(index(position)).domain());
}

OnnxBytes onnx_model_function_name(OnnxModelRef model, size_t position) noexcept {
  return bytes(message(model).functions(index(position)).name());
}

bool onnx_model_has_graph(OnnxModelRef model) noexcept { return message(model).has_graph(); }

OnnxGraphRef onnx_model_graph(OnnxModelRef model) noexcept { return {&message(model).graph()}; }

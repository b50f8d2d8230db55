#include <cstring>
#include <type_traits>

#include "Messages.h"

using namespace shim;

OnnxBytes onnx_tensor_name(OnnxTensorRef tensor) noexcept { return bytes(message(tensor).name()); }

int32_t onnx_tensor_data_type(OnnxTensorRef tensor) noexcept { return message(tensor).data_type(); }

OnnxInts onnx_tensor_dims(OnnxTensorRef tensor) noexcept {
  const auto &dims = message(tensor).dims();
  return {reinterpret_cast<const int64_t *>(dims.data()), static_cast<size_t>(dims.size())};
}

bool onnx_tensor_is_external(OnnxTensorRef tensor) noexcept {
  return message(tensor).data_location() == onnx::TensorProto::EXTERNAL;
}

bool onnx_tensor_has_segment(OnnxTensorRef tensor) noexcept {
  return message(tensor).has_segment();
}

bool onnx_tensor_has_raw_data(OnnxTensorRef tensor) noexcept {
  return message(tensor).has_raw_data();
}

OnnxBytes onnx_tensor_raw_data(OnnxTensorRef tensor) noexcept {
  return bytes(message(tensor).raw_data());
}

size_t onnx_tensor_external_count(OnnxTensorRef tensor) noexcept {
  return message(tensor).external_data_size();
}

OnnxEntry onnx_tensor_external(OnnxTensorRef tensor, size_t position) noexcept {
  const auto &entry = message(tensor).external_data(index(position));
  return {bytes(entry.key()), bytes(entry.value())};
}

OnnxTypedCounts onnx_tensor_typed_counts(OnnxTensorRef ref) noexcept {
  const auto &tensor = message(ref);
  OnnxTypedCounts counts;
  counts.floats = tensor.float_data_size();
  counts.int32s = tensor.int32_data_size();
  counts.int64s = tensor.int64_data_size();
  counts.doubles = tensor.double_data_size();
  counts.uint64s = tensor.uint64_data_size();
  counts.strings = tensor.string_data_size();
  return counts;
}

namespace {

/// False when the counts differ or an item does not fit the element type.
template <class Element, class Items>
bool unpack(const Items &items, void *destination, size_t byteCount) {
  if (static_cast<size_t>(items.size()) * sizeof(Element) != byteCount) return false;
  auto *out = static_cast<uint8_t *>(destination);
  for (const auto &item : items) {
    const Element element = static_cast<Element>(item);
    if (std::is_integral_v<Element> && !std::is_same_v<Element, bool> &&
        static_cast<decltype(+item)>(element) != item) {
      return false;
    }
    std::memcpy(out, &element, sizeof(Element));
    out += sizeof(Element);
  }
  return true;
}

}  // namespace

bool onnx_tensor_unpack(OnnxTensorRef ref, void *destination, size_t byteCount) noexcept {
  using Tensor = onnx::TensorProto;
  const Tensor &tensor = message(ref);
  switch (tensor.data_type()) {
    case Tensor::FLOAT:
    case Tensor::COMPLEX64:
      return unpack<float>(tensor.float_data(), destination, byteCount);
    case Tensor::DOUBLE:
    case Tensor::COMPLEX128:
      return unpack<double>(tensor.double_data(), destination, byteCount);
    case Tensor::INT32:
      return unpack<int32_t>(tensor.int32_data(), destination, byteCount);
    case Tensor::INT16:
      return unpack<int16_t>(tensor.int32_data(), destination, byteCount);
    case Tensor::UINT16:
    case Tensor::FLOAT16:
    case Tensor::BFLOAT16:
      return unpack<uint16_t>(tensor.int32_data(), destination, byteCount);
    case Tensor::INT8:
      return unpack<int8_t>(tensor.int32_data(), destination, byteCount);
    case Tensor::UINT8:
      return unpack<uint8_t>(tensor.int32_data(), destination, byteCount);
    case Tensor::BOOL:
      return unpack<bool>(tensor.int32_data(), destination, byteCount);
    case Tensor::INT64:
      return unpack<int64_t>(tensor.int64_data(), destination, byteCount);
    case Tensor::UINT32:
      return unpack<uint32_t>(tensor.uint64_data(), destination, byteCount);
    case Tensor::UINT64:
      return unpack<uint64_t>(tensor.uint64_data(), destination, byteCount);
    default:
      return false;
  }
}

OnnxBytes onnx_value_name(OnnxValueInfoRef value) noexcept { return bytes(message(value).name()); }

OnnxTypeRef onnx_value_type(OnnxValueInfoRef value) noexcept { return {&message(value).type()}; }

OnnxTypeKind onnx_type_kind(OnnxTypeRef type) noexcept {
  switch (message(type).value_case()) {
    case onnx::TypeProto::kTensorType: return OnnxTypeKindTensor;
    case onnx::TypeProto::kSequenceType: return OnnxTypeKindSequence;
    case onnx::TypeProto::kOptionalType: return OnnxTypeKindOptional;
    case onnx::TypeProto::VALUE_NOT_SET: return OnnxTypeKindNone;
    default: return OnnxTypeKindOther;
  }
}

OnnxTypeRef onnx_type_element(OnnxTypeRef ref) noexcept {
  const auto &type = message(ref);
  if (type.has_optional_type()) return {&type.optional_type().elem_type()};
  return {&type.sequence_type().elem_type()};
}

int32_t onnx_type_tensor_element(OnnxTypeRef type) noexcept {
  return message(type).tensor_type().elem_type();
}

bool onnx_type_has_shape(OnnxTypeRef type) noexcept {
  return message(type).tensor_type().has_shape();
}

size_t onnx_type_rank(OnnxTypeRef type) noexcept {
  return message(type).tensor_type().shape().dim_size();
}

OnnxDimension onnx_type_dimension(OnnxTypeRef type, size_t axis) noexcept {
  const auto &dimension = message(type).tensor_type().shape().dim(index(axis));
  return {dimension.has_dim_value(), dimension.dim_value(), bytes(dimension.dim_param())};
}

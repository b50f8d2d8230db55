#include "Messages.h"

#include <cstring>

using namespace shim;

OnnxBytes onnx_graph_name(OnnxGraphRef graph) noexcept { return bytes(message(graph).name()); }

size_t onnx_graph_node_count(OnnxGraphRef graph) noexcept { return message(graph).node_size(); }

OnnxNodeRef onnx_graph_node(OnnxGraphRef graph, size_t position) noexcept {
  return {&message(graph).node(index(position))};
}

size_t onnx_graph_initializer_count(OnnxGraphRef graph) noexcept {
  return message(graph).initializer_size();
}

OnnxTensorRef onnx_graph_initializer(OnnxGraphRef graph, size_t position) noexcept {
  return {&message(graph).initializer(index(position))};
}

size_t onnx_graph_sparse_initializer_count(OnnxGraphRef graph) noexcept {
  return message(graph).sparse_initializer_size();
}

namespace {

const google::protobuf::RepeatedPtrField<onnx::ValueInfoProto> &values(
    OnnxGraphRef graph, OnnxValueList list) {
  switch (list) {
    case OnnxValueListInput: return message(graph).input();
    case OnnxValueListOutput: return message(graph).output();
    default: return message(graph).value_info();
  }
}

}  // namespace

size_t onnx_graph_value_count(OnnxGraphRef graph, OnnxValueList list) noexcept {
  return values(graph, list).size();
}

OnnxValueInfoRef onnx_graph_value(
    OnnxGraphRef graph, OnnxValueList list, size_t position) noexcept {
  return {&values(graph, list).Get(index(position))};
}

OnnxBytes onnx_node_name(OnnxNodeRef node) noexcept { return bytes(message(node).name()); }

OnnxBytes onnx_node_op_type(OnnxNodeRef node) noexcept { return bytes(message(node).op_type()); }

OnnxBytes onnx_node_domain(OnnxNodeRef node) noexcept { return bytes(message(node).domain()); }

size_t onnx_node_input_count(OnnxNodeRef node) noexcept { return message(node).input_size(); }

OnnxBytes onnx_node_input(OnnxNodeRef node, size_t position) noexcept {
  return bytes(message(node).input(index(position)));
}

size_t onnx_node_output_count(OnnxNodeRef node) noexcept { return message(node).output_size(); }

OnnxBytes onnx_node_output(OnnxNodeRef node, size_t position) noexcept {
  return bytes(message(node).output(index(position)));
}

size_t onnx_node_attribute_count(OnnxNodeRef node) noexcept {
  return message(node).attribute_size();
}

OnnxAttributeRef onnx_node_attribute(OnnxNodeRef node, size_t position) noexcept {
  return {&message(node).attribute(index(position))};
}

namespace {

constexpr int kNodeMetadataField = 9;

bool equal(OnnxBytes a, OnnxBytes b) {
  return a.count == b.count && (a.count == 0 || std::memcmp(a.start, b.start, a.count) == 0);
}

/// Reads a varint below 2^32 and moves past it.
bool takeVarint(OnnxBytes &rest, uint32_t &value) {
  value = 0;
  for (int shift = 0; shift < 32 && rest.count > 0; shift += 7) {
    const uint8_t byte = *rest.start;
    rest.start += 1;
    rest.count -= 1;
    value |= static_cast<uint32_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

/// Decodes a StringStringEntryProto: field 1 is the key, field 2 the value, both length-delimited.
bool decodeEntry(OnnxBytes rest, OnnxEntry &entry) {
  while (rest.count > 0) {
    uint32_t tag, length;
    if (!takeVarint(rest, tag) || !takeVarint(rest, length) || length > rest.count) return false;
    const OnnxBytes content = {rest.start, length};
    if (tag == (1 << 3 | 2)) entry.key = content;
    else if (tag == (2 << 3 | 2)) entry.value = content;
    else return false;
    rest.start += length;
    rest.count -= length;
  }
  return true;
}

/// For libraries that know the field.
template <class Node>
auto findMetadata(const Node &node, OnnxBytes key, int)
    -> decltype(node.metadata_props(), OnnxBytes()) {
  for (const auto &entry : node.metadata_props()) {
    if (equal(bytes(entry.key()), key)) return bytes(entry.value());
  }
  return {};
}

/// For libraries that do not.
template <class Node>
OnnxBytes findMetadata(const Node &node, OnnxBytes key, long) {
  const auto &unknown = node.unknown_fields();
  for (int i = 0; i < unknown.field_count(); ++i) {
    const auto &field = unknown.field(i);
    if (field.number() != kNodeMetadataField) continue;
    if (field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED) continue;
    OnnxEntry entry = {};
    if (decodeEntry(bytes(field.length_delimited()), entry) && equal(entry.key, key)) {
      return entry.value;
    }
  }
  return {};
}

}  // namespace

OnnxBytes onnx_node_metadata(OnnxNodeRef node, OnnxBytes key) noexcept {
  return findMetadata(message(node), key, 0);
}

OnnxBytes onnx_attribute_name(OnnxAttributeRef attribute) noexcept {
  return bytes(message(attribute).name());
}

int32_t onnx_attribute_kind(OnnxAttributeRef ref) noexcept {
  using Attribute = onnx::AttributeProto;
  const Attribute &attribute = message(ref);
  if (attribute.has_type()) return attribute.type();
  if (attribute.has_f()) return Attribute::FLOAT;
  if (attribute.has_i()) return Attribute::INT;
  if (attribute.has_s()) return Attribute::STRING;
  if (attribute.has_t()) return Attribute::TENSOR;
  if (attribute.has_g()) return Attribute::GRAPH;
  if (attribute.floats_size() > 0) return Attribute::FLOATS;
  if (attribute.ints_size() > 0) return Attribute::INTS;
  if (attribute.strings_size() > 0) return Attribute::STRINGS;
  if (attribute.tensors_size() > 0) return Attribute::TENSORS;
  if (attribute.graphs_size() > 0) return Attribute::GRAPHS;
  return Attribute::UNDEFINED;
}

bool onnx_attribute_is_reference(OnnxAttributeRef attribute) noexcept {
  return !message(attribute).ref_attr_name().empty();
}

OnnxBytes onnx_attribute_reference(OnnxAttributeRef attribute) noexcept {
  return bytes(message(attribute).ref_attr_name());
}

float onnx_attribute_float(OnnxAttributeRef attribute) noexcept { return message(attribute).f(); }

int64_t onnx_attribute_int(OnnxAttributeRef attribute) noexcept { return message(attribute).i(); }

OnnxBytes onnx_attribute_string(OnnxAttributeRef attribute) noexcept {
  return bytes(message(attribute).s());
}

OnnxTensorRef onnx_attribute_tensor(OnnxAttributeRef attribute) noexcept {
  return {&message(attribute).t()};
}

OnnxGraphRef onnx_attribute_graph(OnnxAttributeRef attribute) noexcept {
  return {&message(attribute).g()};
}

OnnxFloats onnx_attribute_floats(OnnxAttributeRef attribute) noexcept {
  const auto &floats = message(attribute).floats();
  return {floats.data(), static_cast<size_t>(floats.size())};
}

OnnxInts onnx_attribute_ints(OnnxAttributeRef attribute) noexcept {
  const auto &ints = message(attribute).ints();
  return {reinterpret_cast<const int64_t *>(ints.data()), static_cast<size_t>(ints.size())};
}

size_t onnx_attribute_string_count(OnnxAttributeRef attribute) noexcept {
  return message(attribute).strings_size();
}

OnnxBytes onnx_attribute_string_at(OnnxAttributeRef attribute, size_t position) noexcept {
  return bytes(message(attribute).strings(index(position)));
}

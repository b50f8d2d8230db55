#include "COnnxDraft.h"

#include <google/protobuf/arena.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <limits>
#include <new>

#include "Messages.h"

using namespace shim;
using google::protobuf::RepeatedPtrField;

namespace {

/// The draft's messages live on an arena, which does not own what is added with
/// `UnsafeArenaAddAllocated`: that is what makes borrowing safe.
struct Draft {
  google::protobuf::Arena arena;
  onnx::ModelProto *model = google::protobuf::Arena::CreateMessage<onnx::ModelProto>(&arena);
};

Draft &draft(OnnxDraftRef ref) { return *static_cast<Draft *>(ref.draft); }

onnx::ModelProto &model(OnnxDraftRef ref) { return *draft(ref).model; }

onnx::GraphProto &graph(OnnxGraphDraft ref) { return *static_cast<onnx::GraphProto *>(ref.message); }

onnx::NodeProto &node(OnnxNodeDraft ref) { return *static_cast<onnx::NodeProto *>(ref.message); }

onnx::TensorProto &tensor(OnnxTensorDraft ref) {
  return *static_cast<onnx::TensorProto *>(ref.message);
}

onnx::ValueInfoProto &value(OnnxValueInfoDraft ref) {
  return *static_cast<onnx::ValueInfoProto *>(ref.message);
}

onnx::TypeProto &type(OnnxTypeDraft ref) { return *static_cast<onnx::TypeProto *>(ref.message); }

/// Borrowed messages are only read: writing them updates nothing but protobuf's own cached sizes,
/// which it keeps in relaxed atomics for exactly this.
template <class Message>
void borrow(RepeatedPtrField<Message> *list, const Message &message) {
  list->UnsafeArenaAddAllocated(const_cast<Message *>(&message));
}

/// Copies the fields of a graph that are not lists this software edits.
void copyRest(const onnx::GraphProto &from, onnx::GraphProto *to) {
  if (from.has_name()) to->set_name(from.name());
  if (from.has_doc_string()) to->set_doc_string(from.doc_string());
  for (const auto &item : from.sparse_initializer()) {
    borrow(to->mutable_sparse_initializer(), item);
  }
  for (const auto &item : from.quantization_annotation()) {
    borrow(to->mutable_quantization_annotation(), item);
  }
  to->mutable_unknown_fields()->MergeFrom(from.unknown_fields());
}

void copyRest(const onnx::ModelProto &from, onnx::ModelProto *to) {
  if (from.has_ir_version()) to->set_ir_version(from.ir_version());
  if (from.has_producer_name()) to->set_producer_name(from.producer_name());
  if (from.has_producer_version()) to->set_producer_version(from.producer_version());
  if (from.has_domain()) to->set_domain(from.domain());
  if (from.has_model_version()) to->set_model_version(from.model_version());
  if (from.has_doc_string()) to->set_doc_string(from.doc_string());
  to->mutable_opset_import()->CopyFrom(from.opset_import());
  for (const auto &item : from.training_info()) borrow(to->mutable_training_info(), item);
  for (const auto &item : from.functions()) borrow(to->mutable_functions(), item);
  to->mutable_unknown_fields()->MergeFrom(from.unknown_fields());
  copyRest(from.graph(), to->mutable_graph());
}

class Consumer : public google::protobuf::io::CopyingOutputStream {
 public:
  Consumer(OnnxConsumer consume, void *context) : consume_(consume), context_(context) {}
  bool Write(const void *bytes, int count) override {
    return consume_(context_, bytes, static_cast<size_t>(count));
  }

 private:
  OnnxConsumer consume_;
  void *context_;
};

constexpr int kWriteBlock = 1 << 18;

/// Set when a building function of this thread ran out of memory; writing reports it.
thread_local bool isOutOfMemory = false;

/// Drafts of this thread that were asked for and not freed: one that is made while another lives must
/// not hide the other's failure, even if that one could not be made at all.
thread_local int liveDrafts = 0;

template <class Body>
void edit(Body body) noexcept {
  if (isOutOfMemory) return;
  try {
    body();
  } catch (...) {
    isOutOfMemory = true;
  }
}

/// As `edit`, for functions that return a part of a draft: null when memory ran out.
template <class Part, class Body>
Part make(Body body) noexcept {
  if (isOutOfMemory) return {nullptr};
  try {
    return {body()};
  } catch (...) {
    isOutOfMemory = true;
    return {nullptr};
  }
}

}  // namespace

OnnxDraftRef onnx_draft_create(OnnxModelRef base) noexcept {
  if (liveDrafts == 0) isOutOfMemory = false;
  liveDrafts += 1;
  return make<OnnxDraftRef>([&] {
    auto *created = new Draft;
    if (base.message != nullptr) copyRest(message(base), created->model);
    return created;
  });
}

void onnx_draft_free(OnnxDraftRef ref) noexcept {
  liveDrafts -= 1;
  // An arena in which an allocation failed cannot be torn down: protobuf expects none to throw.
  if (!isOutOfMemory) delete static_cast<Draft *>(ref.draft);
}

void onnx_draft_set_ir_version(OnnxDraftRef ref, int64_t version) noexcept {
  edit([&] { model(ref).set_ir_version(version); });
}

void onnx_draft_set_producer(OnnxDraftRef ref, OnnxBytes name) noexcept {
  edit([&] { model(ref).set_producer_name(text(name)); });
}

void onnx_draft_keep_opsets(OnnxDraftRef ref, size_t count) noexcept {
  edit([&] {
    auto *opsets = model(ref).mutable_opset_import();
    while (static_cast<size_t>(opsets->size()) > count) opsets->RemoveLast();
  });
}

void onnx_draft_set_opset_version(OnnxDraftRef ref, size_t position, int64_t version) noexcept {
  edit([&] { model(ref).mutable_opset_import(index(position))->set_version(version); });
}

void onnx_draft_add_opset(OnnxDraftRef ref, OnnxBytes domain, int64_t version) noexcept {
  edit([&] {
    auto *opset = model(ref).add_opset_import();
    opset->set_domain(text(domain));
    opset->set_version(version);
  });
}

void onnx_draft_borrow_metadata(OnnxDraftRef ref, OnnxModelRef from, size_t position) noexcept {
  edit([&] {
    borrow(model(ref).mutable_metadata_props(), message(from).metadata_props(index(position)));
  });
}

void onnx_draft_add_metadata(OnnxDraftRef ref, OnnxEntry entry) noexcept {
  edit([&] {
    auto *added = model(ref).add_metadata_props();
    added->set_key(text(entry.key));
    added->set_value(text(entry.value));
  });
}

void onnx_draft_add_function(
    OnnxDraftRef ref, OnnxBytes domain, OnnxBytes name, OnnxGraphRef body) noexcept {
  auto *added = model(ref).add_functions();
  added->set_domain(text(domain));
  added->set_name(text(name));
  for (const auto &input : message(body).input()) added->add_input(input.name());
  for (const auto &output : message(body).output()) added->add_output(output.name());
  added->mutable_node()->CopyFrom(message(body).node());
}

void onnx_draft_add_function_opset(OnnxDraftRef ref, OnnxBytes domain, int64_t version) noexcept {
  auto *functions = model(ref).mutable_functions();
  auto *added = functions->Mutable(functions->size() - 1)->add_opset_import();
  added->set_domain(text(domain));
  added->set_version(version);
}

void onnx_draft_remove_functions(OnnxDraftRef ref, OnnxBytes domain) noexcept {
  const auto ours = text(domain);
  auto *functions = model(ref).mutable_functions();
  for (int index = functions->size() - 1; index >= 0; --index) {
    if (functions->Get(index).domain() != ours) continue;
    for (int next = index; next + 1 < functions->size(); ++next) {
      functions->SwapElements(next, next + 1);
    }
    functions->UnsafeArenaReleaseLast();
  }
}

OnnxGraphDraft onnx_draft_graph(OnnxDraftRef ref) noexcept {
  return make<OnnxGraphDraft>([&] { return model(ref).mutable_graph(); });
}

OnnxStatus onnx_draft_write(OnnxDraftRef ref, OnnxConsumer consume, void *context) noexcept {
  if (isOutOfMemory) return OnnxStatusOutOfMemory;
  try {
    if (model(ref).ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
      return OnnxStatusTooLarge;
    }
    Consumer consumer(consume, context);
    google::protobuf::io::CopyingOutputStreamAdaptor blocks(&consumer, kWriteBlock);
    google::protobuf::io::CodedOutputStream stream(&blocks);
    stream.SetSerializationDeterministic(true);
    model(ref).SerializeWithCachedSizes(&stream);
    stream.Trim();
    if (stream.HadError() || !blocks.Flush()) return OnnxStatusStopped;
    return OnnxStatusDone;
  } catch (const std::bad_alloc &) {
    return OnnxStatusOutOfMemory;
  } catch (...) {
    return OnnxStatusFailed;
  }
}

void onnx_graph_draft_set_name(OnnxGraphDraft ref, OnnxBytes name) noexcept {
  edit([&] { graph(ref).set_name(text(name)); });
}

void onnx_graph_draft_borrow_node(OnnxGraphDraft ref, OnnxNodeRef from) noexcept {
  edit([&] { borrow(graph(ref).mutable_node(), message(from)); });
}

OnnxNodeDraft onnx_graph_draft_copy_node(OnnxGraphDraft ref, OnnxNodeRef from) noexcept {
  return make<OnnxNodeDraft>([&] {
    auto *copy = graph(ref).add_node();
    copy->CopyFrom(message(from));
    return copy;
  });
}

OnnxNodeDraft onnx_graph_draft_add_node(OnnxGraphDraft ref) noexcept {
  return make<OnnxNodeDraft>([&] { return graph(ref).add_node(); });
}

void onnx_graph_draft_borrow_initializer(OnnxGraphDraft ref, OnnxTensorRef from) noexcept {
  edit([&] { borrow(graph(ref).mutable_initializer(), message(from)); });
}

OnnxTensorDraft onnx_graph_draft_add_initializer(OnnxGraphDraft ref) noexcept {
  return make<OnnxTensorDraft>([&] { return graph(ref).add_initializer(); });
}

namespace {

RepeatedPtrField<onnx::ValueInfoProto> *values(OnnxGraphDraft ref, OnnxValueList list) {
  switch (list) {
    case OnnxValueListInput: return graph(ref).mutable_input();
    case OnnxValueListOutput: return graph(ref).mutable_output();
    default: return graph(ref).mutable_value_info();
  }
}

}  // namespace

void onnx_graph_draft_borrow_value(
    OnnxGraphDraft ref, OnnxValueList list, OnnxValueInfoRef from) noexcept {
  edit([&] { borrow(values(ref, list), message(from)); });
}

OnnxValueInfoDraft onnx_graph_draft_add_value(OnnxGraphDraft ref, OnnxValueList list) noexcept {
  return make<OnnxValueInfoDraft>([&] { return values(ref, list)->Add(); });
}

void onnx_node_draft_set_op(OnnxNodeDraft ref, OnnxBytes type, OnnxBytes domain) noexcept {
  edit([&] {
    node(ref).set_op_type(text(type));
    if (domain.count > 0) node(ref).set_domain(text(domain));
    else node(ref).clear_domain();
  });
}

void onnx_node_draft_set_name(OnnxNodeDraft ref, OnnxBytes name) noexcept {
  edit([&] { node(ref).set_name(text(name)); });
}

void onnx_node_draft_clear_operands(OnnxNodeDraft ref) noexcept {
  edit([&] {
    node(ref).clear_input();
    node(ref).clear_output();
  });
}

void onnx_node_draft_add_input(OnnxNodeDraft ref, OnnxBytes name) noexcept {
  edit([&] { node(ref).add_input(text(name)); });
}

void onnx_node_draft_add_output(OnnxNodeDraft ref, OnnxBytes name) noexcept {
  edit([&] { node(ref).add_output(text(name)); });
}

void onnx_node_draft_clear_attributes(OnnxNodeDraft ref) noexcept {
  edit([&] { node(ref).clear_attribute(); });
}

void onnx_node_draft_copy_attribute(OnnxNodeDraft ref, OnnxAttributeRef from) noexcept {
  edit([&] { node(ref).add_attribute()->CopyFrom(message(from)); });
}

namespace {

onnx::AttributeProto *addAttribute(
    OnnxNodeDraft ref, OnnxBytes name, onnx::AttributeProto::AttributeType kind) {
  auto *added = node(ref).add_attribute();
  added->set_name(text(name));
  added->set_type(kind);
  return added;
}

}  // namespace

void onnx_node_draft_add_float(OnnxNodeDraft ref, OnnxBytes name, float value) noexcept {
  edit([&] { addAttribute(ref, name, onnx::AttributeProto::FLOAT)->set_f(value); });
}

void onnx_node_draft_add_int(OnnxNodeDraft ref, OnnxBytes name, int64_t value) noexcept {
  edit([&] { addAttribute(ref, name, onnx::AttributeProto::INT)->set_i(value); });
}

void onnx_node_draft_add_string(OnnxNodeDraft ref, OnnxBytes name, OnnxBytes value) noexcept {
  edit([&] { addAttribute(ref, name, onnx::AttributeProto::STRING)->set_s(text(value)); });
}

void onnx_node_draft_add_floats(OnnxNodeDraft ref, OnnxBytes name, OnnxFloats values) noexcept {
  edit([&] {
    auto *added = addAttribute(ref, name, onnx::AttributeProto::FLOATS);
    for (size_t i = 0; i < values.count; ++i) added->add_floats(values.start[i]);
  });
}

void onnx_node_draft_add_ints(OnnxNodeDraft ref, OnnxBytes name, OnnxInts values) noexcept {
  edit([&] {
    auto *added = addAttribute(ref, name, onnx::AttributeProto::INTS);
    for (size_t i = 0; i < values.count; ++i) added->add_ints(values.start[i]);
  });
}

void onnx_node_draft_add_strings(
    OnnxNodeDraft ref, OnnxBytes name, const OnnxBytes *values, size_t count) noexcept {
  edit([&] {
    auto *added = addAttribute(ref, name, onnx::AttributeProto::STRINGS);
    for (size_t i = 0; i < count; ++i) added->add_strings(text(values[i]));
  });
}

OnnxTensorDraft onnx_node_draft_add_tensor(OnnxNodeDraft ref, OnnxBytes name) noexcept {
  return make<OnnxTensorDraft>([&] {
    return addAttribute(ref, name, onnx::AttributeProto::TENSOR)->mutable_t();
  });
}

OnnxGraphDraft onnx_node_draft_add_graph(OnnxNodeDraft ref, OnnxBytes name) noexcept {
  return make<OnnxGraphDraft>([&] {
    return addAttribute(ref, name, onnx::AttributeProto::GRAPH)->mutable_g();
  });
}

void onnx_tensor_draft_set(
    OnnxTensorDraft ref, int32_t dataType, OnnxInts dims, OnnxBytes elements) noexcept {
  edit([&] {
    auto &filled = tensor(ref);
    filled.set_data_type(dataType);
    for (size_t axis = 0; axis < dims.count; ++axis) filled.add_dims(dims.start[axis]);
    filled.set_raw_data(elements.start, elements.count);
  });
}

void onnx_tensor_draft_copy(OnnxTensorDraft ref, OnnxTensorRef original) noexcept {
  edit([&] { tensor(ref).CopyFrom(message(original)); });
}

void onnx_tensor_draft_set_name(OnnxTensorDraft ref, OnnxBytes name) noexcept {
  edit([&] { tensor(ref).set_name(text(name)); });
}

void onnx_tensor_draft_set_location(OnnxTensorDraft ref, OnnxBytes location) noexcept {
  edit([&] {
    for (auto &entry : *tensor(ref).mutable_external_data()) {
      if (entry.key() == "location") entry.set_value(text(location));
    }
  });
}

void onnx_tensor_draft_set_external(
    OnnxTensorDraft ref, int32_t dataType, OnnxInts dims, OnnxBytes location, int64_t offset,
    int64_t length) noexcept {
  auto &filled = tensor(ref);
  filled.set_data_type(dataType);
  for (size_t axis = 0; axis < dims.count; ++axis) filled.add_dims(dims.start[axis]);
  filled.set_data_location(onnx::TensorProto::EXTERNAL);
  auto add = [&filled](const char *key, std::string value) {
    auto *entry = filled.add_external_data();
    entry->set_key(key);
    entry->set_value(std::move(value));
  };
  add("location", text(location));
  add("offset", std::to_string(offset));
  add("length", std::to_string(length));
}

void onnx_value_draft_copy(OnnxValueInfoDraft ref, OnnxValueInfoRef original) noexcept {
  edit([&] { value(ref).CopyFrom(message(original)); });
}

void onnx_value_draft_set_name(OnnxValueInfoDraft ref, OnnxBytes name) noexcept {
  edit([&] { value(ref).set_name(text(name)); });
}

OnnxTypeDraft onnx_value_draft_type(OnnxValueInfoDraft ref) noexcept {
  return make<OnnxTypeDraft>([&] { return value(ref).mutable_type(); });
}

void onnx_type_draft_set_tensor(OnnxTypeDraft ref, int32_t element) noexcept {
  edit([&] {
    auto *made = type(ref).mutable_tensor_type();
    if (element != 0) made->set_elem_type(element);
  });
}

void onnx_type_draft_set_shape(OnnxTypeDraft ref) noexcept {
  edit([&] { type(ref).mutable_tensor_type()->mutable_shape(); });
}

void onnx_type_draft_add_dimension(OnnxTypeDraft ref, OnnxDimension dimension) noexcept {
  edit([&] {
    auto *added = type(ref).mutable_tensor_type()->mutable_shape()->add_dim();
    if (dimension.hasValue) added->set_dim_value(dimension.value);
    else if (dimension.symbol.count > 0) added->set_dim_param(text(dimension.symbol));
  });
}

OnnxTypeDraft onnx_type_draft_set_sequence(OnnxTypeDraft ref) noexcept {
  return make<OnnxTypeDraft>([&] {
    return type(ref).mutable_sequence_type()->mutable_elem_type();
  });
}

OnnxTypeDraft onnx_type_draft_set_optional(OnnxTypeDraft ref) noexcept {
  return make<OnnxTypeDraft>([&] {
    return type(ref).mutable_optional_type()->mutable_elem_type();
  });
}

namespace {

template <class Message>
bool encode(const Message &message, void *destination) {
  try {
    return message.SerializePartialToArray(
        destination, static_cast<int>(message.ByteSizeLong()));
  } catch (...) {
    return false;
  }
}

template <class Message>
bool decode(RepeatedPtrField<Message> *list, OnnxBytes bytes) {
  try {
    return bytes.count <= static_cast<size_t>(std::numeric_limits<int>::max()) &&
           list->Add()->ParsePartialFromArray(bytes.start, static_cast<int>(bytes.count));
  } catch (...) {
    return false;
  }
}

}  // namespace

size_t onnx_node_byte_count(OnnxNodeRef from) noexcept {
  return from.message == nullptr ? 0 : message(from).ByteSizeLong();
}

size_t onnx_tensor_byte_count(OnnxTensorRef from) noexcept { return message(from).ByteSizeLong(); }

size_t onnx_value_byte_count(OnnxValueInfoRef from) noexcept {
  return message(from).ByteSizeLong();
}

bool onnx_node_encode(OnnxNodeRef from, void *destination) noexcept {
  return from.message != nullptr && encode(message(from), destination);
}

bool onnx_tensor_encode(OnnxTensorRef from, void *destination) noexcept {
  return encode(message(from), destination);
}

bool onnx_value_encode(OnnxValueInfoRef from, void *destination) noexcept {
  return encode(message(from), destination);
}

bool onnx_graph_draft_decode_node(OnnxGraphDraft ref, OnnxBytes from) noexcept {
  return decode(graph(ref).mutable_node(), from);
}

bool onnx_graph_draft_decode_initializer(OnnxGraphDraft ref, OnnxBytes from) noexcept {
  return decode(graph(ref).mutable_initializer(), from);
}

bool onnx_graph_draft_decode_value(
    OnnxGraphDraft ref, OnnxValueList list, OnnxBytes from) noexcept {
  return decode(values(ref, list), from);
}

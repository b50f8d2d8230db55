/// Building a message to be written, from pieces of a parsed model and new ones.
///
/// A draft *borrows* whatever it does not change: a borrowed message is written from where it lies
/// in the parsed model, byte for byte with the fields that this library does not know. The model
/// is not touched and must outlive the draft.
///
/// When memory runs out, building functions of the thread do nothing more and the parts they return
/// are null, which all of them accept; writing reports it. A thread builds one draft at a time.
#pragma once

#include "COnnxShim.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct OnnxDraftRef { void *draft; } OnnxDraftRef;
typedef struct OnnxGraphDraft { void *message; } OnnxGraphDraft;
typedef struct OnnxNodeDraft { void *message; } OnnxNodeDraft;
typedef struct OnnxTensorDraft { void *message; } OnnxTensorDraft;
typedef struct OnnxValueInfoDraft { void *message; } OnnxValueInfoDraft;
typedef struct OnnxTypeDraft { void *message; } OnnxTypeDraft;

// Drafts

/// A draft with everything of `base` but the lists of its graph and metadata; of nothing when
/// `base` is null. The caller frees it.
OnnxDraftRef onnx_draft_create(OnnxModelRef base) ONNX_NOEXCEPT;
void onnx_draft_free(OnnxDraftRef draft) ONNX_NOEXCEPT;
void onnx_draft_set_ir_version(OnnxDraftRef draft, int64_t version) ONNX_NOEXCEPT;
void onnx_draft_set_producer(OnnxDraftRef draft, OnnxBytes name) ONNX_NOEXCEPT;
/// Keeps the first operator sets of `base`.
void onnx_draft_keep_opsets(OnnxDraftRef draft, size_t count) ONNX_NOEXCEPT;
void onnx_draft_set_opset_version(
    OnnxDraftRef draft, size_t index, int64_t version) ONNX_NOEXCEPT;
void onnx_draft_add_opset(OnnxDraftRef draft, OnnxBytes domain, int64_t version) ONNX_NOEXCEPT;
void onnx_draft_borrow_metadata(
    OnnxDraftRef draft, OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
void onnx_draft_add_metadata(OnnxDraftRef draft, OnnxEntry entry) ONNX_NOEXCEPT;
/// Adds a model-local function with the inputs, outputs and nodes of `body`, which are copied.
void onnx_draft_add_function(
    OnnxDraftRef draft, OnnxBytes domain, OnnxBytes name, OnnxGraphRef body) ONNX_NOEXCEPT;
/// Adds an operator set to the function that was added last.
void onnx_draft_add_function_opset(
    OnnxDraftRef draft, OnnxBytes domain, int64_t version) ONNX_NOEXCEPT;
/// Removes the functions of a domain.
void onnx_draft_remove_functions(OnnxDraftRef draft, OnnxBytes domain) ONNX_NOEXCEPT;
OnnxGraphDraft onnx_draft_graph(OnnxDraftRef draft) ONNX_NOEXCEPT;

/// Takes the next bytes of a file; false stops the writing.
typedef bool (*OnnxConsumer)(void *context, const void *bytes, size_t count);

/// Writes the message, deterministically, piece by piece.
OnnxStatus onnx_draft_write(
    OnnxDraftRef draft, OnnxConsumer consume, void *context) ONNX_NOEXCEPT;

// Graphs

void onnx_graph_draft_set_name(OnnxGraphDraft graph, OnnxBytes name) ONNX_NOEXCEPT;
void onnx_graph_draft_borrow_node(OnnxGraphDraft graph, OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxNodeDraft onnx_graph_draft_copy_node(OnnxGraphDraft graph, OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxNodeDraft onnx_graph_draft_add_node(OnnxGraphDraft graph) ONNX_NOEXCEPT;
void onnx_graph_draft_borrow_initializer(
    OnnxGraphDraft graph, OnnxTensorRef tensor) ONNX_NOEXCEPT;
OnnxTensorDraft onnx_graph_draft_add_initializer(OnnxGraphDraft graph) ONNX_NOEXCEPT;
void onnx_graph_draft_borrow_value(
    OnnxGraphDraft graph, OnnxValueList list, OnnxValueInfoRef value) ONNX_NOEXCEPT;
OnnxValueInfoDraft onnx_graph_draft_add_value(
    OnnxGraphDraft graph, OnnxValueList list) ONNX_NOEXCEPT;

// Nodes

void onnx_node_draft_set_op(OnnxNodeDraft node, OnnxBytes type, OnnxBytes domain) ONNX_NOEXCEPT;
void onnx_node_draft_set_name(OnnxNodeDraft node, OnnxBytes name) ONNX_NOEXCEPT;
void onnx_node_draft_clear_operands(OnnxNodeDraft node) ONNX_NOEXCEPT;
void onnx_node_draft_add_input(OnnxNodeDraft node, OnnxBytes name) ONNX_NOEXCEPT;
void onnx_node_draft_add_output(OnnxNodeDraft node, OnnxBytes name) ONNX_NOEXCEPT;
void onnx_node_draft_clear_attributes(OnnxNodeDraft node) ONNX_NOEXCEPT;
void onnx_node_draft_copy_attribute(
    OnnxNodeDraft node, OnnxAttributeRef attribute) ONNX_NOEXCEPT;
void onnx_node_draft_add_float(OnnxNodeDraft node, OnnxBytes name, float value) ONNX_NOEXCEPT;
void onnx_node_draft_add_int(OnnxNodeDraft node, OnnxBytes name, int64_t value) ONNX_NOEXCEPT;
void onnx_node_draft_add_string(
    OnnxNodeDraft node, OnnxBytes name, OnnxBytes value) ONNX_NOEXCEPT;
void onnx_node_draft_add_floats(
    OnnxNodeDraft node, OnnxBytes name, OnnxFloats values) ONNX_NOEXCEPT;
void onnx_node_draft_add_ints(OnnxNodeDraft node, OnnxBytes name, OnnxInts values) ONNX_NOEXCEPT;
void onnx_node_draft_add_strings(
    OnnxNodeDraft node, OnnxBytes name, const OnnxBytes *values, size_t count) ONNX_NOEXCEPT;
OnnxTensorDraft onnx_node_draft_add_tensor(OnnxNodeDraft node, OnnxBytes name) ONNX_NOEXCEPT;
OnnxGraphDraft onnx_node_draft_add_graph(OnnxNodeDraft node, OnnxBytes name) ONNX_NOEXCEPT;

// Tensors and types

/// Fills a tensor with raw little-endian elements, which are copied.
void onnx_tensor_draft_set(
    OnnxTensorDraft tensor, int32_t dataType, OnnxInts dims, OnnxBytes elements) ONNX_NOEXCEPT;
/// Makes a tensor a copy of another, whose external data stays where it is.
void onnx_tensor_draft_copy(OnnxTensorDraft tensor, OnnxTensorRef original) ONNX_NOEXCEPT;
void onnx_tensor_draft_set_name(OnnxTensorDraft tensor, OnnxBytes name) ONNX_NOEXCEPT;
/// Fills a tensor whose elements lie in another file.
void onnx_tensor_draft_set_external(
    OnnxTensorDraft tensor, int32_t dataType, OnnxInts dims, OnnxBytes location, int64_t offset,
    int64_t length) ONNX_NOEXCEPT;
/// Changes the location of external data.
void onnx_tensor_draft_set_location(OnnxTensorDraft tensor, OnnxBytes location) ONNX_NOEXCEPT;

void onnx_value_draft_copy(OnnxValueInfoDraft value, OnnxValueInfoRef original) ONNX_NOEXCEPT;
void onnx_value_draft_set_name(OnnxValueInfoDraft value, OnnxBytes name) ONNX_NOEXCEPT;
OnnxTypeDraft onnx_value_draft_type(OnnxValueInfoDraft value) ONNX_NOEXCEPT;
/// Makes a type that of tensors; `element` 0 leaves the element type open.
void onnx_type_draft_set_tensor(OnnxTypeDraft type, int32_t element) ONNX_NOEXCEPT;
/// Gives a tensor type a shape, of rank 0 until dimensions are added.
void onnx_type_draft_set_shape(OnnxTypeDraft type) ONNX_NOEXCEPT;
/// A number; otherwise a symbol, or an unknown size when the symbol is empty.
void onnx_type_draft_add_dimension(OnnxTypeDraft type, OnnxDimension dimension) ONNX_NOEXCEPT;
/// Makes a type that of sequences or optionals and returns its element type.
OnnxTypeDraft onnx_type_draft_set_sequence(OnnxTypeDraft type) ONNX_NOEXCEPT;
OnnxTypeDraft onnx_type_draft_set_optional(OnnxTypeDraft type) ONNX_NOEXCEPT;

// Pieces as bytes, for the undo record

size_t onnx_node_byte_count(OnnxNodeRef node) ONNX_NOEXCEPT;
size_t onnx_tensor_byte_count(OnnxTensorRef tensor) ONNX_NOEXCEPT;
size_t onnx_value_byte_count(OnnxValueInfoRef value) ONNX_NOEXCEPT;
/// `destination` has room for the message's byte count.
bool onnx_node_encode(OnnxNodeRef node, void *destination) ONNX_NOEXCEPT;
bool onnx_tensor_encode(OnnxTensorRef tensor, void *destination) ONNX_NOEXCEPT;
bool onnx_value_encode(OnnxValueInfoRef value, void *destination) ONNX_NOEXCEPT;
/// Appends a piece that was encoded before; false when the bytes are not one.
bool onnx_graph_draft_decode_node(OnnxGraphDraft graph, OnnxBytes bytes) ONNX_NOEXCEPT;
bool onnx_graph_draft_decode_initializer(OnnxGraphDraft graph, OnnxBytes bytes) ONNX_NOEXCEPT;
bool onnx_graph_draft_decode_value(
    OnnxGraphDraft graph, OnnxValueList list, OnnxBytes bytes) ONNX_NOEXCEPT;

#ifdef __cplusplus
}
#endif

/// Reading and editing ONNX files through protobuf, behind a C boundary.
///
/// The rules of this header:
/// - No C++ exception leaves a function: readers cannot throw, the others catch and return a
///   status or a null message.
/// - A reference points into the model or draft that it came from and dies with it. A model never
///   changes after parsing, so any number of threads may read it.
/// - Strings are bytes: ONNX names need not be valid UTF-8 and may hold NUL.
/// - Indices must lie below the matching count; callers check them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define ONNX_NOEXCEPT noexcept
extern "C" {
#else
#define ONNX_NOEXCEPT
#endif

/// Bytes that somebody else owns.
typedef struct OnnxBytes {
  const uint8_t *start;
  size_t count;
} OnnxBytes;

/// A list of 64-bit integers that somebody else owns.
typedef struct OnnxInts {
  const int64_t *start;
  size_t count;
} OnnxInts;

/// A list of 32-bit floats that somebody else owns.
typedef struct OnnxFloats {
  const float *start;
  size_t count;
} OnnxFloats;

/// A text with a text as its value, as in metadata and external data.
typedef struct OnnxEntry {
  OnnxBytes key;
  OnnxBytes value;
} OnnxEntry;

typedef struct OnnxModelRef { const void *message; } OnnxModelRef;
typedef struct OnnxGraphRef { const void *message; } OnnxGraphRef;
typedef struct OnnxFunctionRef { const void *message; } OnnxFunctionRef;
typedef struct OnnxNodeRef { const void *message; } OnnxNodeRef;
typedef struct OnnxAttributeRef { const void *message; } OnnxAttributeRef;
typedef struct OnnxTensorRef { const void *message; } OnnxTensorRef;
typedef struct OnnxValueInfoRef { const void *message; } OnnxValueInfoRef;
typedef struct OnnxTypeRef { const void *message; } OnnxTypeRef;

/// How parsing or writing ended.
typedef enum OnnxStatus {
  OnnxStatusDone = 0,
  /// The bytes are not a protobuf message of the expected type.
  OnnxStatusMalformed = 1,
  /// Memory ran out.
  OnnxStatusOutOfMemory = 2,
  /// The message is larger than protobuf can write, 2^31 - 1 bytes.
  OnnxStatusTooLarge = 3,
  /// The consumer of written bytes asked to stop.
  OnnxStatusStopped = 4,
  /// Anything else.
  OnnxStatusFailed = 5,
} OnnxStatus;

// Models

/// Parses a model; `count` must not exceed 2^31 - 1. On success the caller frees the model.
OnnxStatus onnx_model_parse(const void *bytes, size_t count, OnnxModelRef *model) ONNX_NOEXCEPT;
void onnx_model_free(OnnxModelRef model) ONNX_NOEXCEPT;
int64_t onnx_model_ir_version(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxBytes onnx_model_producer_name(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxBytes onnx_model_producer_version(OnnxModelRef model) ONNX_NOEXCEPT;
size_t onnx_model_opset_count(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxBytes onnx_model_opset_domain(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
int64_t onnx_model_opset_version(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
size_t onnx_model_metadata_count(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxEntry onnx_model_metadata(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
size_t onnx_model_function_count(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxBytes onnx_model_function_domain(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
OnnxBytes onnx_model_function_name(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
bool onnx_model_has_graph(OnnxModelRef model) ONNX_NOEXCEPT;
OnnxGraphRef onnx_model_graph(OnnxModelRef model) ONNX_NOEXCEPT;

// Functions

OnnxFunctionRef onnx_model_function(OnnxModelRef model, size_t index) ONNX_NOEXCEPT;
size_t onnx_function_input_count(OnnxFunctionRef function) ONNX_NOEXCEPT;
OnnxBytes onnx_function_input(OnnxFunctionRef function, size_t index) ONNX_NOEXCEPT;
size_t onnx_function_output_count(OnnxFunctionRef function) ONNX_NOEXCEPT;
OnnxBytes onnx_function_output(OnnxFunctionRef function, size_t index) ONNX_NOEXCEPT;
size_t onnx_function_node_count(OnnxFunctionRef function) ONNX_NOEXCEPT;
OnnxNodeRef onnx_function_node(OnnxFunctionRef function, size_t index) ONNX_NOEXCEPT;
size_t onnx_function_opset_count(OnnxFunctionRef function) ONNX_NOEXCEPT;
OnnxBytes onnx_function_opset_domain(OnnxFunctionRef function, size_t index) ONNX_NOEXCEPT;
int64_t onnx_function_opset_version(OnnxFunctionRef function, size_t index) ONNX_NOEXCEPT;

typedef void (*OnnxAttributeConsumer)(void *context, OnnxAttributeRef attribute);

/// Hands over each attribute that has a default; what is handed over lives only so long. False when
/// one cannot be read.
bool onnx_function_defaults(
    OnnxFunctionRef function, OnnxAttributeConsumer consume, void *context) ONNX_NOEXCEPT;

// Graphs

OnnxBytes onnx_graph_name(OnnxGraphRef graph) ONNX_NOEXCEPT;
size_t onnx_graph_node_count(OnnxGraphRef graph) ONNX_NOEXCEPT;
OnnxNodeRef onnx_graph_node(OnnxGraphRef graph, size_t index) ONNX_NOEXCEPT;
size_t onnx_graph_initializer_count(OnnxGraphRef graph) ONNX_NOEXCEPT;
OnnxTensorRef onnx_graph_initializer(OnnxGraphRef graph, size_t index) ONNX_NOEXCEPT;
size_t onnx_graph_sparse_initializer_count(OnnxGraphRef graph) ONNX_NOEXCEPT;

/// The lists of a graph that name and type values.
typedef enum OnnxValueList {
  OnnxValueListInput = 0,
  OnnxValueListOutput = 1,
  OnnxValueListInfo = 2,
} OnnxValueList;

size_t onnx_graph_value_count(OnnxGraphRef graph, OnnxValueList list) ONNX_NOEXCEPT;
OnnxValueInfoRef onnx_graph_value(
    OnnxGraphRef graph, OnnxValueList list, size_t index) ONNX_NOEXCEPT;

// Nodes

OnnxBytes onnx_node_name(OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxBytes onnx_node_op_type(OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxBytes onnx_node_domain(OnnxNodeRef node) ONNX_NOEXCEPT;
size_t onnx_node_input_count(OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxBytes onnx_node_input(OnnxNodeRef node, size_t index) ONNX_NOEXCEPT;
size_t onnx_node_output_count(OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxBytes onnx_node_output(OnnxNodeRef node, size_t index) ONNX_NOEXCEPT;
size_t onnx_node_attribute_count(OnnxNodeRef node) ONNX_NOEXCEPT;
OnnxAttributeRef onnx_node_attribute(OnnxNodeRef node, size_t index) ONNX_NOEXCEPT;

/// The value of a node's `metadata_props` entry (field 9 of NodeProto, IR version 10), or no
/// bytes. Libraries older than that field keep it among the unknown fields, where this looks too.
OnnxBytes onnx_node_metadata(OnnxNodeRef node, OnnxBytes key) ONNX_NOEXCEPT;

// Attributes

OnnxBytes onnx_attribute_name(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
/// A value of `AttributeProto.AttributeType`: as declared, else that of the field that is set,
/// else 0.
int32_t onnx_attribute_kind(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
/// True when the value is that of an attribute of the enclosing function.
bool onnx_attribute_is_reference(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxBytes onnx_attribute_reference(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
float onnx_attribute_float(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
int64_t onnx_attribute_int(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxBytes onnx_attribute_string(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxTensorRef onnx_attribute_tensor(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxGraphRef onnx_attribute_graph(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxFloats onnx_attribute_floats(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxInts onnx_attribute_ints(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
size_t onnx_attribute_string_count(OnnxAttributeRef attribute) ONNX_NOEXCEPT;
OnnxBytes onnx_attribute_string_at(OnnxAttributeRef attribute, size_t index) ONNX_NOEXCEPT;

// Tensors

OnnxBytes onnx_tensor_name(OnnxTensorRef tensor) ONNX_NOEXCEPT;
int32_t onnx_tensor_data_type(OnnxTensorRef tensor) ONNX_NOEXCEPT;
OnnxInts onnx_tensor_dims(OnnxTensorRef tensor) ONNX_NOEXCEPT;
bool onnx_tensor_is_external(OnnxTensorRef tensor) ONNX_NOEXCEPT;
bool onnx_tensor_has_segment(OnnxTensorRef tensor) ONNX_NOEXCEPT;
bool onnx_tensor_has_raw_data(OnnxTensorRef tensor) ONNX_NOEXCEPT;
OnnxBytes onnx_tensor_raw_data(OnnxTensorRef tensor) ONNX_NOEXCEPT;
size_t onnx_tensor_external_count(OnnxTensorRef tensor) ONNX_NOEXCEPT;
OnnxEntry onnx_tensor_external(OnnxTensorRef tensor, size_t index) ONNX_NOEXCEPT;

/// How many items each typed field of a tensor holds.
typedef struct OnnxTypedCounts {
  size_t floats;
  size_t int32s;
  size_t int64s;
  size_t doubles;
  size_t uint64s;
  size_t strings;
} OnnxTypedCounts;

OnnxTypedCounts onnx_tensor_typed_counts(OnnxTensorRef tensor) ONNX_NOEXCEPT;

/// Writes the items of the typed field that belongs to the tensor's type as raw little-endian
/// elements. False when `byteCount` is not items times width, or an item does not fit its type.
bool onnx_tensor_unpack(
    OnnxTensorRef tensor, void *destination, size_t byteCount) ONNX_NOEXCEPT;

// Types

typedef enum OnnxTypeKind {
  OnnxTypeKindNone = 0,
  OnnxTypeKindTensor = 1,
  OnnxTypeKindSequence = 2,
  OnnxTypeKindOptional = 3,
  /// A map, a sparse tensor or an opaque type.
  OnnxTypeKindOther = 4,
} OnnxTypeKind;

/// A dimension: a number, a symbol, or neither.
typedef struct OnnxDimension {
  bool hasValue;
  int64_t value;
  OnnxBytes symbol;
} OnnxDimension;

OnnxBytes onnx_value_name(OnnxValueInfoRef value) ONNX_NOEXCEPT;
OnnxTypeRef onnx_value_type(OnnxValueInfoRef value) ONNX_NOEXCEPT;
OnnxTypeKind onnx_type_kind(OnnxTypeRef type) ONNX_NOEXCEPT;
/// The element type of a sequence or optional.
OnnxTypeRef onnx_type_element(OnnxTypeRef type) ONNX_NOEXCEPT;
/// The element type of a tensor, a value of `TensorProto.DataType`.
int32_t onnx_type_tensor_element(OnnxTypeRef type) ONNX_NOEXCEPT;
bool onnx_type_has_shape(OnnxTypeRef type) ONNX_NOEXCEPT;
size_t onnx_type_rank(OnnxTypeRef type) ONNX_NOEXCEPT;
OnnxDimension onnx_type_dimension(OnnxTypeRef type, size_t axis) ONNX_NOEXCEPT;

// Files

/// Opens a file for reading beneath a folder: no component of `path` may lead outside, whether by
/// `..`, an absolute path or a link. Never blocks on pipes. Returns a descriptor or -1 with errno;
/// EXDEV when the path would escape.
int onnx_open_beneath(int folder, const char *path, bool followsLinks) ONNX_NOEXCEPT;

#ifdef __cplusplus
}
#endif

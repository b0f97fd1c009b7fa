// The part of TensorFlow's C interface (c/tf_tensor.h, c/c_api.h, c/eager/c_api.h) that the binding and the capture use. It is
// declared here because `halftone setup` deletes TensorFlow's headers; the interface is stable.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TF_Graph TF_Graph;
typedef struct TF_Operation TF_Operation;
typedef struct TF_Function TF_Function;
typedef struct TF_Buffer TF_Buffer;
typedef struct TF_FunctionOptions TF_FunctionOptions;
typedef struct TF_ImportGraphDefOptions TF_ImportGraphDefOptions;
typedef struct TFE_Context TFE_Context;
typedef struct TFE_ContextOptions TFE_ContextOptions;
typedef struct TFE_Op TFE_Op;
typedef struct TFE_TensorHandle TFE_TensorHandle;
typedef struct {
  TF_Operation* operation;
  int index;
} TF_Output;
typedef enum { TF_OK = 0, TF_ABORTED = 10 } TF_Code;
typedef enum { TF_FLOAT = 1, TF_INT32 = 3, TF_UINT8 = 4, TF_COMPLEX64 = 8, TF_INT64 = 9, TF_BOOL = 10 } TF_DataType;
typedef enum {
  TF_ATTR_STRING = 0,
  TF_ATTR_INT = 1,
  TF_ATTR_FLOAT = 2,
  TF_ATTR_BOOL = 3,
  TF_ATTR_TYPE = 4,
  TF_ATTR_SHAPE = 5
} TF_AttrType;

TF_Status* TF_NewStatus();
void TF_DeleteStatus(TF_Status*);
TF_Code TF_GetCode(const TF_Status*);
const char* TF_Message(const TF_Status*);
void TF_SetStatus(TF_Status*, TF_Code, const char* message);

TF_Tensor* TF_AllocateTensor(TF_DataType, const int64_t* dimensions, int rank, size_t bytes);
void TF_DeleteTensor(TF_Tensor*);
void* TF_TensorData(const TF_Tensor*);
size_t TF_TensorByteSize(const TF_Tensor*);
// `to` then has the memory of `from`.
void TF_TensorBitcastFrom(const TF_Tensor* from, TF_DataType, TF_Tensor* to, const int64_t* dimensions, int rank, TF_Status*);

TF_Buffer* TF_NewBufferFromString(const void* data, size_t length);
void TF_DeleteBuffer(TF_Buffer*);

TF_Graph* TF_NewGraph();
void TF_DeleteGraph(TF_Graph*);
TF_ImportGraphDefOptions* TF_NewImportGraphDefOptions();
void TF_DeleteImportGraphDefOptions(TF_ImportGraphDefOptions*);
void TF_GraphImportGraphDef(TF_Graph*, const TF_Buffer* graph_def, const TF_ImportGraphDefOptions*, TF_Status*);
TF_Operation* TF_GraphOperationByName(TF_Graph*, const char* name);

TF_Function* TF_GraphToFunction(const TF_Graph*, const char* name, unsigned char append_hash, int operation_count,
                                const TF_Operation* const* operations, int input_count, const TF_Output* inputs,
                                int output_count, const TF_Output* outputs, const char* const* output_names,
                                const TF_FunctionOptions*, const char* description, TF_Status*);
void TF_DeleteFunction(TF_Function*);
void TF_FunctionSetAttrValueProto(TF_Function*, const char* attribute, const void* proto, size_t length, TF_Status*);
void TF_GraphCopyFunction(TF_Graph*, const TF_Function* function, const TF_Function* gradient, TF_Status*);

TFE_Context* TFE_NewContext(const TFE_ContextOptions*, TF_Status*);
void TFE_ContextOptionsSetConfig(TFE_ContextOptions*, const void* proto, size_t length, TF_Status*);
void TFE_EnableCollectiveOps(TFE_Context*, const void* server_def, size_t length, TF_Status*);
void TFE_AbortCollectiveOps(TFE_Context*, TF_Status*);
void TFE_ContextAddFunction(TFE_Context*, TF_Function*, TF_Status*);
void TFE_ContextRemoveFunction(TFE_Context*, const char* name, TF_Status*);

TFE_Op* TFE_NewOp(TFE_Context*, const char* name, TF_Status*);
void TFE_DeleteOp(TFE_Op*);
void TFE_OpReset(TFE_Op*, const char* name, const char* device, TF_Status*);
void TFE_OpAddInput(TFE_Op*, TFE_TensorHandle*, TF_Status*);
void TFE_OpSetAttrString(TFE_Op*, const char* name, const void* value, size_t length);
void TFE_OpSetAttrInt(TFE_Op*, const char* name, int64_t value);
void TFE_OpSetAttrFloat(TFE_Op*, const char* name, float value);
void TFE_OpSetAttrBool(TFE_Op*, const char* name, unsigned char value);
void TFE_OpSetAttrType(TFE_Op*, const char* name, TF_DataType value);
void TFE_OpSetAttrShape(TFE_Op*, const char* name, const int64_t* dimensions, int rank, TF_Status*);
void TFE_OpSetAttrIntList(TFE_Op*, const char* name, const int64_t* values, int count);
void TFE_OpSetAttrFloatList(TFE_Op*, const char* name, const float* values, int count);
void TFE_OpSetAttrBoolList(TFE_Op*, const char* name, const unsigned char* values, int count);
void TFE_Execute(TFE_Op*, TFE_TensorHandle** outputs, int* count, TF_Status*);

TFE_TensorHandle* TFE_NewTensorHandle(const TF_Tensor*, TF_Status*);
void TFE_DeleteTensorHandle(TFE_TensorHandle*);
TF_DataType TFE_TensorHandleDataType(TFE_TensorHandle*);
int TFE_TensorHandleNumDims(TFE_TensorHandle*, TF_Status*);
int64_t TFE_TensorHandleDim(TFE_TensorHandle*, int axis, TF_Status*);
void* TFE_TensorHandleDevicePointer(TFE_TensorHandle*, TF_Status*);
TFE_TensorHandle* TFE_TensorHandleCopySharingTensor(TFE_TensorHandle*, TF_Status*);
TFE_TensorHandle* TFE_TensorHandleCopyToDevice(TFE_TensorHandle*, TFE_Context*, const char* device, TF_Status*);
TF_Tensor* TFE_TensorHandleResolve(TFE_TensorHandle*, TF_Status*);
const char* TFE_TensorHandleBackingDeviceName(TFE_TensorHandle*, TF_Status*);
}

// The part of TensorFlow's C interface (c/tf_tensor.h, c/eager/c_api.h) that the binding uses. It is declared here because
// `halftone setup` deletes TensorFlow's headers; the interface is stable.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
typedef struct TF_Status TF_Status;
typedef struct TF_Tensor TF_Tensor;
typedef struct TFE_Context TFE_Context;
typedef struct TFE_Op TFE_Op;
typedef struct TFE_TensorHandle TFE_TensorHandle;
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
TFE_TensorHandle* TFE_TensorHandleCopySharingTensor(TFE_TensorHandle*, TF_Status*);
TFE_TensorHandle* TFE_TensorHandleCopyToDevice(TFE_TensorHandle*, TFE_Context*, const char* device, TF_Status*);
TF_Tensor* TFE_TensorHandleResolve(TFE_TensorHandle*, TF_Status*);
const char* TFE_TensorHandleBackingDeviceName(TFE_TensorHandle*, TF_Status*);
}

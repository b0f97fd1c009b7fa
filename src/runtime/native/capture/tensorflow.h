// The part of TensorFlow's C interface (c/c_api.h, c/eager/c_api.h) that the capture uses. It is declared here because
// `halftone setup` deletes TensorFlow's headers; the interface is stable.
#pragma once

#include <cstddef>
#include <cstdint>

extern "C" {
typedef struct TF_Status TF_Status;
typedef struct TF_Graph TF_Graph;
typedef struct TF_Operation TF_Operation;
typedef struct TF_Function TF_Function;
typedef struct TF_Buffer TF_Buffer;
typedef struct TF_FunctionOptions TF_FunctionOptions;
typedef struct TF_ImportGraphDefOptions TF_ImportGraphDefOptions;
typedef struct TFE_Context TFE_Context;
typedef struct TFE_ContextOptions TFE_ContextOptions;
typedef struct {
  TF_Operation* operation;
  int index;
} TF_Output;
typedef enum { TF_OK = 0 } TF_Code;

TF_Status* TF_NewStatus();
void TF_DeleteStatus(TF_Status*);
TF_Code TF_GetCode(const TF_Status*);
const char* TF_Message(const TF_Status*);

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
void TFE_ContextAddFunction(TFE_Context*, TF_Function*, TF_Status*);
void TFE_ContextRemoveFunction(TFE_Context*, const char* name, TF_Status*);
}

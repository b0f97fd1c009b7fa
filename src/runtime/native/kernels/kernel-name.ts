import { BFLOAT16, FLOAT, HALF } from "../storage-types.ts";

/** What the names of all ops of this folder begin with. */
export const kernelPrefix = "Halftone";

/** The storage policy leaves these ops alone: they take inputs of several storage types, and name them in their attributes. */
export const isKernel = (op: string): boolean => op.startsWith(kernelPrefix);

/** Are numbers of this TensorFlow type what the kernels compute with? */
export const isKernelType = (type: unknown): type is number => type === FLOAT || type === BFLOAT16 || type === HALF;

/** The op of matrix products. */
export const productKernel = `${kernelPrefix}MatMul`;

/** The op that adds two tensors of one shape in a captured step. */
export const additionKernel = `${kernelPrefix}Add`;

/** The op in whose place the kernel of products runs: memory is counted under its name. */
export const replacedProduct = { name: productKernel };

// Protocol buffers' wire format, which TensorFlow's C interface takes for graphs, attributes and clusters.

const utf8 = new TextEncoder();

export function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  // Negative numbers have ten bytes, as 64-bit two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}

export const joined = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));
export const message = (field: number, content: Uint8Array): Uint8Array =>
  joined(varint((field << 3) | 2), varint(content.length), content);
export const integer = (field: number, value: number): Uint8Array => joined(varint(field << 3), varint(value));
export const text = (field: number, value: string): Uint8Array => message(field, utf8.encode(value));

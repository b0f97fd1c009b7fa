const multiplier = 0x5bd1e995;

/** MurmurHash2 of a text's UTF-8 bytes, 32 bits. JupyterLab names a cell's source file by it, so both must agree. */
export function murmur2(text: string, seed: number): number {
  const bytes = Buffer.from(text, "utf8");
  const whole = bytes.length & ~3;
  let hash = seed ^ bytes.length;
  for (let at = 0; at < whole; at += 4) hash = Math.imul(hash, multiplier) ^ mix(bytes.readInt32LE(at), 24);
  const rest = bytes.length - whole;
  if (rest > 0) hash = Math.imul(hash ^ bytes.readUIntLE(whole, rest), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return (hash ^ (hash >>> 15)) >>> 0;
}

function mix(word: number, shift: number): number {
  const product = Math.imul(word, multiplier);
  return Math.imul(product ^ (product >>> shift), multiplier);
}

// The discrete Fourier transform of one row in doubles.

/** The sums of x[t] e^(-2 pi i k t / n), not divided, in place. Any length n: Cooley and Tukey 1965, Bluestein 1970. */
export function transformRow(real: Float64Array, imag: Float64Array): void {
  const n = real.length;
  if (n < 2) return;
  if ((n & (n - 1)) === 0) powerOfTwo(real, imag);
  else chirp(real, imag);
}

function powerOfTwo(real: Float64Array, imag: Float64Array): void {
  const n = real.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [real[i], real[j]] = [real[j]!, real[i]!];
      [imag[i], imag[j]] = [imag[j]!, imag[i]!];
    }
  }
  const half = n >> 1;
  const cos = Float64Array.from({ length: half }, (_, k) => Math.cos((-2 * Math.PI * k) / n));
  const sin = Float64Array.from({ length: half }, (_, k) => Math.sin((-2 * Math.PI * k) / n));
  for (let size = 2; size <= n; size *= 2) {
    const step = n / size;
    for (let start = 0; start < n; start += size)
      for (let k = 0; k < size / 2; k++) {
        const [i, j] = [start + k, start + k + size / 2];
        const [c, s] = [cos[k * step]!, sin[k * step]!];
        const [r, m] = [real[j]! * c - imag[j]! * s, real[j]! * s + imag[j]! * c];
        [real[j], imag[j]] = [real[i]! - r, imag[i]! - m];
        real[i]! += r;
        imag[i]! += m;
      }
  }
}

/** Any length as a convolution of a power of two, with the chirp e^(-pi i t^2 / n). */
function chirp(real: Float64Array, imag: Float64Array): void {
  const n = real.length;
  const size = 2 ** Math.ceil(Math.log2(2 * n - 1));
  // t^2 modulo 2n, so that the angle stays exact.
  const angles = Float64Array.from({ length: n }, (_, t) => (Math.PI * ((t * t) % (2 * n))) / n);
  const [a, b] = [new Float64Array(size), new Float64Array(size)];
  const [c, d] = [new Float64Array(size), new Float64Array(size)];
  for (let t = 0; t < n; t++) {
    const [cos, sin] = [Math.cos(angles[t]!), Math.sin(angles[t]!)];
    a[t] = real[t]! * cos + imag[t]! * sin;
    b[t] = imag[t]! * cos - real[t]! * sin;
    c[t] = cos;
    d[t] = sin;
    if (t > 0) {
      c[size - t] = cos;
      d[size - t] = sin;
    }
  }
  powerOfTwo(a, b);
  powerOfTwo(c, d);
  // The inverse transform of the product is the transform of its conjugate, conjugated and divided.
  for (let k = 0; k < size; k++) {
    const product = a[k]! * c[k]! - b[k]! * d[k]!;
    b[k] = -(a[k]! * d[k]! + b[k]! * c[k]!);
    a[k] = product;
  }
  powerOfTwo(a, b);
  for (let k = 0; k < n; k++) {
    const [r, m] = [a[k]! / size, -b[k]! / size];
    const [cos, sin] = [Math.cos(angles[k]!), Math.sin(angles[k]!)];
    real[k] = r * cos + m * sin;
    imag[k] = m * cos - r * sin;
  }
}

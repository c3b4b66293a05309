/** 16-bit floats, which files hold and kernels do not: widened to float32, which loses nothing. */

/** Widens IEEE 754 binary16: 1 bit of sign, 5 of exponent, 10 of fraction. */
export function fromFloat16(halves: Uint16Array): Float32Array {
  const bits = Uint32Array.from(halves, (half) => {
    const sign = (half & 0x8000) << 16;
    const exponent = (half >> 10) & 0x1f;
    const fraction = half & 0x3ff;
    // Infinity and NaN: all bits of the exponent set, in both formats.
    if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
    // The exponents' biases are 15 and 127.
    if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
    if (fraction === 0) return sign;
    // Subnormal: fraction · 2⁻²⁴, a normal number in float32.
    const top = 31 - Math.clz32(fraction);
    return sign | ((top + 103) << 23) | ((fraction << (23 - top)) & 0x7fffff);
  });
  return new Float32Array(bits.buffer);
}

/** Widens bfloat16, the upper half of a float32. */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(Uint32Array.from(halves, (half) => half << 16).buffer);
}

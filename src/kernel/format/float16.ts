/** The bits of a half-precision float that equals the single-precision `value`, or undefined when there is none. */
export function toFloat16(value: number): number | undefined {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const units = Math.abs(value) * 2 ** 24;
  if (units < 1024) return Number.isInteger(units) ? sign | units : undefined;
  scratch.setFloat32(0, value);
  const single = scratch.getUint32(0);
  const exponent = ((single >>> 23) & 0xff) - 127;
  const fraction = single & 0x7fffff;
  if (exponent > 15 || (fraction & 0x1fff) !== 0) return undefined;
  return sign | ((exponent + 15) << 10) | (fraction >>> 13);
}

export function fromFloat16(bits: number): number {
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  const sign = bits & 0x8000 ? -1 : 1;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const scratch = new DataView(new ArrayBuffer(4));

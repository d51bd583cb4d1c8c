/**
 * Recognizes, compares and copies bytes, also those of another realm: test runners, for example, run tests in one of their own.
 *
 * Stability: low. It may change in any version.
 *
 * @since 0.1.0
 */

/**
 * Whether a value is a Uint8Array of this realm or of another one.
 *
 * @category guards
 * @since 0.1.0
 */
export const isBytes = (value: unknown): value is Uint8Array =>
  value instanceof Uint8Array ||
  (ArrayBuffer.isView(value) && Object.prototype.toString.call(value) === "[object Uint8Array]")

/**
 * Whether two values are the same bytes. A value that is not bytes equals only itself.
 *
 * `Equal` of effect remembers its results, which is wrong for buffers that change.
 *
 * @category equality
 * @since 0.1.0
 */
export const equals = (a: Uint8Array, b: Uint8Array): boolean =>
  a === b || (isBytes(a) && isBytes(b) && a.byteLength === b.byteLength && a.every((byte, index) => byte === b[index]))

/**
 * Data as the bytes that are written: a copy, for one who keeps it beyond the call, because the caller may reuse its buffer.
 * A value that is neither text nor bytes stays as it is, and the client refuses it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const copyOf = (data: string | Uint8Array): Uint8Array =>
  typeof data === "string" ? new TextEncoder().encode(data) : isBytes(data) ? new Uint8Array(data) : data

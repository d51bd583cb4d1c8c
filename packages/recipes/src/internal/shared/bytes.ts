/**
 * Data of znodes as bytes.
 */
import type { Data } from "@effect-zookeeper/client/ZooKeeper"

/**
 * Whether two data are the same bytes. `Equal` remembers its results, which is wrong for buffers, and takes longer. Either
 * may be a value that is no data at all, which the client has yet to refuse.
 */
export const bytesEqual = (a: Uint8Array, b: Uint8Array): boolean =>
  a === b ||
  (a instanceof Uint8Array &&
    b instanceof Uint8Array &&
    a.byteLength === b.byteLength &&
    a.every((byte, index) => byte === b[index]))

/**
 * Data as the bytes that are written: a copy, because a recipe keeps it beyond the call and the caller may reuse its
 * buffer.
 */
export const toBytes = (data: Data): Uint8Array =>
  typeof data === "string"
    ? new TextEncoder().encode(data)
    : // Anything else is left to the client, which refuses it.
      data instanceof Uint8Array
      ? new Uint8Array(data)
      : data

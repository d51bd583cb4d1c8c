/**
 * Data of znodes as bytes.
 */
import { isBytes } from "@effect-zookeeper/client/Bytes"
import type { Data } from "@effect-zookeeper/client/ZooKeeper"

/**
 * Data as the bytes that are written: a copy, because a recipe keeps it beyond the call and the caller may reuse its
 * buffer.
 */
export const toBytes = (data: Data): Uint8Array =>
  typeof data === "string"
    ? new TextEncoder().encode(data)
    : // Anything else is left to the client, which refuses it.
      isBytes(data)
      ? new Uint8Array(data)
      : data

/**
 * Data as applications get them, out of the buffers of the network that they came in.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import type { DataAndStat, Stat } from "../Models.ts"

/** Up to here, values have memory of their own, which costs next to nothing: it lies within the object. */
const TINY = 64

/** From here on, a value fills most of what it keeps alive, and copying it would cost more than it saves. */
const LARGE = 65_536

/**
 * Null, which the wire has for no data, is empty. A value that is kept keeps no more than `Frame.PIECE` bytes of others
 * alive, and a large one no more than a chunk.
 */
export const readData = (data: Uint8Array | null): Uint8Array => {
  if (data === null) return new Uint8Array(0)
  const size = data.byteLength
  return size > TINY && (size >= LARGE || data.buffer.byteLength <= Frame.PIECE) ? data : new Uint8Array(data)
}

/** What is read of one znode. */
export const toDataAndStat = (response: { readonly data: Uint8Array | null; readonly stat: Stat }): DataAndStat => ({
  data: readData(response.data),
  stat: response.stat
})

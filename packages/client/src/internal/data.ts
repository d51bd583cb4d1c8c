/**
 * The data that applications get, taken out of the buffers of the network.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import type { DataAndStat, Stat } from "../Models.ts"

/** Up to this size, values get their own memory, which costs next to nothing because it is part of the object. */
const TINY = 64

/** From this size on, a value fills most of the buffer that it keeps alive, and a copy would cost more than it saves. */
const LARGE = 65_536

/**
 * The bytes to give to the application; null, which is no data on the wire, becomes empty. A value that the application
 * keeps holds at most `Frame.PIECE` other bytes in memory, and a large one at most a chunk.
 */
export const readData = (data: Uint8Array | null): Uint8Array => {
  if (data === null) return new Uint8Array(0)
  const size = data.byteLength
  return size > TINY && (size >= LARGE || data.buffer.byteLength <= Frame.PIECE) ? data : new Uint8Array(data)
}

/** The answer to a read of one znode. */
export const toDataAndStat = (response: { readonly data: Uint8Array | null; readonly stat: Stat }): DataAndStat => ({
  data: readData(response.data),
  stat: response.stat
})

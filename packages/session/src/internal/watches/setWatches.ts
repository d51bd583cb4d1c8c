import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { EncodedBody } from "../requests/EncodedBody.ts"

/** The paths of all watches, by the kind of watch that the server has to set. */
export interface WatchLists {
  readonly data: Array<string>
  readonly exists: Array<string>
  readonly child: Array<string>
  /** Paths whose children are watched, and whose znodes no longer count creations. */
  readonly counterExhausted: Array<string>
  readonly persistent: Array<string>
  readonly recursive: Array<string>
}

/** One request that registers some of them. */
export type SetWatchesRequest =
  | {
      readonly operation: typeof Operations.setWatches
      readonly request: Operation.Request<typeof Operations.setWatches>
    }
  | {
      readonly operation: typeof Operations.setWatches2
      readonly request: Operation.Request<typeof Operations.setWatches2>
    }

/**
 * Such a request with its bytes, which can be sent on the next connection too: nothing but the zxid is another there. The
 * zxid is the first field of both operations.
 */
export class EncodedPacket {
  readonly packet: SetWatchesRequest
  readonly body: EncodedBody

  constructor(packet: SetWatchesRequest) {
    const operation: Operation.Any = packet.operation
    const writer = new JuteWriter(1024)
    operation.request.write(writer, packet.request)
    this.packet = packet
    // A copy of the right size: it may be kept for long.
    this.body = new EncodedBody(writer.take().slice())
  }

  /** Has its watches compared with another zxid, unless they are to fire in any case. */
  compareWith(relativeZxid: bigint): void {
    if (this.packet.request.relativeZxid === beforeAll) return
    const { buffer, byteOffset } = this.body.bytes
    new DataView(buffer, byteOffset).setBigInt64(0, relativeZxid)
  }
}

/** Servers take no frame above a megabyte. ZooKeeper's own client stays below 128 KiB, and so does this one. */
export const MAX_PACKET = 128 * 1024

/** Smaller than any `jute.maxbuffer` that a server can be run with. */
const MIN_PACKET = 512

/** The next size of packets to try when the connection was lost with packets of this size. */
export const smallerPacket = (size: number): number => Math.max(MIN_PACKET, Math.floor(size / 2))

/** Whether a packet of this many bytes cannot be made smaller, except by fewer paths. */
export const isSmallestPacket = (length: number): boolean => length <= MIN_PACKET

/** How many bytes a packet has, as `setWatchesRequests` counts them. */
export const packetLength = ({ request }: SetWatchesRequest): number =>
  Object.values(request).reduce<number>(
    (length, paths) => (Array.isArray(paths) ? paths.reduce((sum, path) => sum + encodedLength(path), length) : length),
    PACKET_OVERHEAD
  )

/** Less than the zxid of any znode: all of them have changed since. */
const beforeAll = -1n

/** The header, the zxid and the counts of five lists. */
const PACKET_OVERHEAD = 8 + 8 + 5 * 4

/**
 * The requests that register all watches after `relativeZxid`. One-shot watches come first: a server before 3.9 keeps
 * only the last mode of a path, and if both are wanted the persistent one covers the other. `maxSize` is the largest size in
 * bytes, except for a packet of one path. A server decides by the pzxid whether a list of children has changed. Paths where the
 * pzxid no longer changes are registered so that their watches fire at once, whether there was a change or not.
 */
export const setWatchesRequests = (
  lists: WatchLists,
  relativeZxid: bigint,
  maxSize = MAX_PACKET
): Array<SetWatchesRequest> => {
  const packets: Array<SetWatchesRequest> = []
  let part = emptyLists()
  let size = PACKET_OVERHEAD
  const flush = (since = relativeZxid) => {
    if (size === PACKET_OVERHEAD) return
    packets.push(packet(part, since))
    part = emptyLists()
    size = PACKET_OVERHEAD
  }
  const add = (name: keyof Parts, paths: Array<string> = lists[name], since = relativeZxid) => {
    let from = 0
    for (let index = 0; index < paths.length; index++) {
      const length = encodedLength(paths[index]!)
      if (size + length > maxSize) {
        part[name] = paths.slice(from, index)
        from = index
        flush(since)
      }
      size += length
    }
    part[name] = from === 0 ? paths : paths.slice(from)
  }
  add("data")
  add("exists")
  add("child")
  if (lists.counterExhausted.length > 0) {
    flush()
    add("child", lists.counterExhausted, beforeAll)
    flush(beforeAll)
  }
  add("persistent")
  add("recursive")
  flush()
  return packets
}

// The old operation is enough without persistent watches: servers before 3.6 know no other.
const packet = (lists: Parts, relativeZxid: bigint): SetWatchesRequest => {
  const request = {
    relativeZxid,
    dataWatches: lists.data,
    existWatches: lists.exists,
    childWatches: lists.child,
    persistentWatches: lists.persistent,
    persistentRecursiveWatches: lists.recursive
  }
  return lists.persistent.length + lists.recursive.length === 0
    ? { operation: Operations.setWatches, request }
    : { operation: Operations.setWatches2, request }
}

type Parts = { -readonly [Name in Exclude<keyof WatchLists, "counterExhausted">]: WatchLists[Name] }

const emptyLists = (): Parts => ({
  data: [],
  exists: [],
  child: [],
  persistent: [],
  recursive: []
})

/** The bytes of a path with its length, in UTF-8; a path has no surrogates. */
const encodedLength = (path: string): number => {
  let length = 4
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i)
    length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3
  }
  return length
}

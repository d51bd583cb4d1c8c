import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"

/** The paths of all watches, by what the server has to do for them. */
export interface WatchLists {
  readonly data: Array<string>
  readonly exists: Array<string>
  readonly child: Array<string>
  readonly persistent: Array<string>
  readonly recursive: Array<string>
}

/** One request that registers a part of them. */
export type WatchPacket =
  | {
      readonly operation: typeof Operations.setWatches
      readonly request: Operation.Request<typeof Operations.setWatches>
    }
  | {
      readonly operation: typeof Operations.setWatches2
      readonly request: Operation.Request<typeof Operations.setWatches2>
    }

/** Servers take no frame above a megabyte; ZooKeeper's own client stays below 128 KiB, and so do we. */
export const MAX_PACKET = 128 * 1024

/** Smaller than any `jute.maxbuffer` that a server can be run with. */
const LEAST_PACKET = 512

/** The next size of packets to try, where the connection was lost with packets of this one. */
export const smallerPacket = (size: number): number => Math.max(LEAST_PACKET, Math.floor(size / 2))

/** Whether a packet of so many bytes is not to be made smaller, but for its paths. */
export const isSmallestPacket = (length: number): boolean => length <= LEAST_PACKET

/** How many bytes a packet has, as `watchPackets` counts them. */
export const packetLength = ({ request }: WatchPacket): number =>
  Object.values(request).reduce<number>(
    (length, paths) => (Array.isArray(paths) ? paths.reduce((sum, path) => sum + encodedLength(path), length) : length),
    OVERHEAD
  )

/** The header, the zxid and the counts of five lists. */
const OVERHEAD = 8 + 8 + 5 * 4

/**
 * The requests that register all watches after `relativeZxid`. One-shot watches come first: a server before 3.9 keeps
 * only the last mode of a path, and where both are wanted it is the persistent one that covers the other. `most` is the
 * largest size in bytes, but for a packet of one path.
 */
export const watchPackets = (lists: WatchLists, relativeZxid: bigint, most = MAX_PACKET): Array<WatchPacket> => {
  const packets: Array<WatchPacket> = []
  let part = emptyLists()
  let size = OVERHEAD
  const flush = () => {
    if (size === OVERHEAD) return
    packets.push(packet(part, relativeZxid))
    part = emptyLists()
    size = OVERHEAD
  }
  const add = (name: keyof WatchLists) => {
    const paths = lists[name]
    let from = 0
    for (let index = 0; index < paths.length; index++) {
      const length = encodedLength(paths[index]!)
      if (size + length > most) {
        part[name] = paths.slice(from, index)
        from = index
        flush()
      }
      size += length
    }
    part[name] = from === 0 ? paths : paths.slice(from)
  }
  add("data")
  add("exists")
  add("child")
  add("persistent")
  add("recursive")
  flush()
  return packets
}

// The old operation serves wherever no persistent watch is meant: servers before 3.6 know no other.
const packet = (lists: WatchLists, relativeZxid: bigint): WatchPacket => {
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

type Parts = { -readonly [Name in keyof WatchLists]: WatchLists[Name] }

const emptyLists = (): Parts => ({
  data: [],
  exists: [],
  child: [],
  persistent: [],
  recursive: []
})

/** The length and the UTF-8 of a path, which holds no surrogates. */
const encodedLength = (path: string): number => {
  let length = 4
  for (let i = 0; i < path.length; i++) {
    const unit = path.charCodeAt(i)
    length += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3
  }
  return length
}

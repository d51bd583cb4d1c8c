import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Exit from "effect/Exit"
import { ConnectionLoss, MAX_LOSSES } from "../../SessionError.ts"
import type { RequestPipeline } from "../requests/RequestPipeline.ts"
import { PendingRequest } from "../requests/PendingRequest.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"
import {
  isSmallestPacket,
  MAX_PACKET,
  packetLength,
  smallerPacket,
  type WatchLists,
  type SetWatchesRequest,
  setWatchesRequests
} from "./setWatches.ts"
import type { WatchRegistry } from "./WatchRegistry.ts"

/**
 * Registers all watches on each new connection, and finds the one that no server bears.
 *
 * All packets leave at once. When a connection is lost with them, any of them may be what the server closed on, so on the
 * next one each is sent alone and everything else waits. A packet that the connection is lost with again is sent in halves
 * next time, in the end path by path; a path with which `MAX_LOSSES` connections were lost is given up.
 */
export class WatchRestorer {
  private readonly pipeline: RequestPipeline
  private readonly watches: WatchRegistry
  /** How large a packet may be: as large as the servers have been seen to bear. */
  private size: number
  /** The size that they bore last. */
  private provenSize: number
  /** How many packets the current connection has yet to answer. */
  private unanswered = 0
  /** Whether a connection was lost with packets since the servers held all watches. */
  private isOneByOne = false
  /** The packet that is with the server and nothing beside it. */
  private isolated: { readonly packet: SetWatchesRequest; readonly pending: PendingRequest } | undefined
  /** The paths that have a packet of their own, with how many connections were lost with it. */
  private readonly suspects = new Map<string, number>()

  constructor(pipeline: RequestPipeline, watches: WatchRegistry, maxRequestSize: number) {
    this.pipeline = pipeline
    this.watches = watches
    this.size = Math.min(MAX_PACKET, maxRequestSize)
    this.provenSize = this.size
  }

  /** Asks a new connection for all watches; `onDone` runs when the server holds them. */
  begin(relativeZxid: bigint, onDone: () => void): void {
    const packets = this.packets(this.watches.beginRestore(), relativeZxid)
    this.unanswered = packets.length
    const done = () => {
      this.provenSize = this.size
      this.isOneByOne = false
      this.suspects.clear()
      onDone()
    }
    const send = (packet: SetWatchesRequest) => {
      const { operation, request } = packet
      const pending = new PendingRequest(operation, request, "", "drop", Number.POSITIVE_INFINITY, () => {})
      pending.onReply = (code) => {
        if (code !== 0) {
          // The connection is lost with this answer, and not with what is larger than the server bears.
          this.unanswered = 0
          throw new ProtocolViolation(`the server refused to register watches with ${ErrorCode.nameOf(code)}`)
        }
        this.unanswered--
        this.isolated = undefined
        if (this.unanswered === 0) done()
        else if (this.isOneByOne) send(packets[packets.length - this.unanswered]!)
        return Exit.void
      }
      if (!this.isOneByOne) return this.pipeline.sendFirst(pending)
      this.isolated = { packet, pending }
      this.pipeline.sendIsolated(pending)
    }
    const [first] = packets
    if (first === undefined) done()
    else if (this.isOneByOne) send(first)
    else for (const packet of packets) send(packet)
  }

  /** The connection is lost, and its requests know. */
  disconnected(): void {
    const { isolated, unanswered } = this
    this.isolated = undefined
    this.unanswered = 0
    if (unanswered === 0) return
    if (!this.isOneByOne) {
      this.isOneByOne = true
      this.size = smallerPacket(this.size)
    } else if (isolated !== undefined && isolated.pending.losses > 0) this.blame(isolated.packet)
  }

  private blame(packet: SetWatchesRequest): void {
    const paths = pathsOf(packet)
    const [path] = paths
    if (path === undefined) return
    if (paths.size > 1) {
      const length = packetLength(packet)
      if (!isSmallestPacket(length)) this.size = smallerPacket(Math.min(this.size, length))
      else for (const suspect of paths) this.suspects.set(suspect, 0)
      return
    }
    const losses = (this.suspects.get(path) ?? 0) + 1
    if (losses < MAX_LOSSES) {
      this.suspects.set(path, losses)
      return
    }
    this.suspects.delete(path)
    // It was this path, and not the size of packets.
    this.size = this.provenSize
    const { name: operation } = packet.operation
    this.watches.giveUp(path, new ConnectionLoss({ operation, path, maybeApplied: false, losses }))
  }

  /** Those that are suspected come last: the others are registered by then. */
  private packets(lists: WatchLists, relativeZxid: bigint): Array<SetWatchesRequest> {
    if (this.suspects.size === 0) return setWatchesRequests(lists, relativeZxid, this.size)
    const unsuspected = filtered(lists, (path) => !this.suspects.has(path))
    const packets = setWatchesRequests(unsuspected, relativeZxid, this.size)
    for (const suspect of this.suspects.keys()) {
      packets.push(
        ...setWatchesRequests(
          filtered(lists, (path) => path === suspect),
          relativeZxid
        )
      )
    }
    return packets
  }
}

const pathsOf = ({ request }: SetWatchesRequest): Set<string> =>
  new Set(
    [
      request.dataWatches,
      request.existWatches,
      request.childWatches,
      "persistentWatches" in request ? request.persistentWatches : [],
      "persistentRecursiveWatches" in request ? request.persistentRecursiveWatches : []
    ].flatMap((paths) => paths ?? [])
  )

const filtered = (lists: WatchLists, isWanted: (path: string) => boolean): WatchLists => ({
  data: lists.data.filter(isWanted),
  exists: lists.exists.filter(isWanted),
  child: lists.child.filter(isWanted),
  counterExhausted: lists.counterExhausted.filter(isWanted),
  persistent: lists.persistent.filter(isWanted),
  recursive: lists.recursive.filter(isWanted)
})

import * as ErrorCode from "@effect-zookeeper/protocol/ErrorCode"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Exit from "effect/Exit"
import { ConnectionLoss, MAX_LOSSES, ServerRefused } from "../../SessionError.ts"
import type { RequestPipeline } from "../requests/RequestPipeline.ts"
import { PendingRequest, type RequestHandler } from "../requests/PendingRequest.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"
import {
  EncodedPacket,
  isSmallestPacket,
  MAX_PACKET,
  packetLength,
  smallerPacket,
  type WatchLists,
  type SetWatchesRequest,
  setWatchesRequests
} from "./setWatches.ts"
import type { WatchRegistry } from "./WatchRegistry.ts"

/** The packets of all watches, and the largest size that they were made for. */
interface KeptPackets {
  readonly size: number
  readonly packets: ReadonlyArray<EncodedPacket>
}

/**
 * The packets of the last connection, by the lists that they were made of. The registry gives the same lists again for as long
 * as no watch has come or gone, and then lets go of them, and so of the packets.
 */
const keptPackets = new WeakMap<WatchLists, KeptPackets>()

/**
 * Registers all watches on each new connection, and finds a watch on which servers close the connection.
 *
 * All packets leave at once. When a connection is lost with them, the server may have closed on any of them, so on the next
 * one each is sent alone and everything else waits. A packet with which the connection is lost again is sent in halves next
 * time, in the end path by path; a path with which `MAX_LOSSES` connections were lost is given up.
 */
export class WatchRestorer {
  private readonly pipeline: RequestPipeline
  private readonly watches: WatchRegistry
  /** The largest size of a packet: the one that servers are known to accept. */
  private size: number
  /** The size that a server accepted last. */
  private provenSize: number
  /** How many packets have not been answered on the current connection. */
  private unanswered = 0
  /** Whether a connection was lost with packets since a server last held all watches. */
  private isOneByOne = false
  /** The packet that is with the server alone. */
  private isolated: { readonly packet: SetWatchesRequest; readonly pending: PendingRequest } | undefined
  /** The paths that have a packet of their own, with how many connections were lost with it; undefined for none. */
  private suspects: Map<string, number> | undefined
  /**
   * The zxid that watches are compared with while a connection has not yet registered all of them: replies that come
   * meanwhile tell nothing of the events that the missing watches have missed.
   */
  private pendingZxid: bigint | undefined

  constructor(pipeline: RequestPipeline, watches: WatchRegistry, maxRequestSize: number) {
    this.pipeline = pipeline
    this.watches = watches
    this.size = Math.min(MAX_PACKET, maxRequestSize)
    this.provenSize = this.size
  }

  /** Registers all watches on a new connection. A server that does not know persistent watches ends these. */
  begin(knowsPersistent: boolean): void {
    const relativeZxid = this.pendingZxid ?? this.pipeline.lastZxid
    this.pendingZxid = relativeZxid
    if (!knowsPersistent) this.watches.refusePersistent(refusedWatch)
    const packets = this.packets(this.watches.beginRestore(), relativeZxid)
    this.unanswered = packets.length
    const done = () => {
      this.provenSize = this.size
      this.isOneByOne = false
      this.suspects = undefined
      this.pendingZxid = undefined
      this.watches.restored()
    }
    const send = ({ body, packet }: EncodedPacket) => {
      const { operation } = packet
      const handler: RequestHandler = {
        onReply: (_pending, code) => {
          if (code !== 0) {
            // The connection is lost because of this answer, and not because a packet is too large for the server.
            this.unanswered = 0
            throw new ProtocolViolation(`the server refused to register watches with ${ErrorCode.nameOf(code)}`)
          }
          this.unanswered--
          this.isolated = undefined
          if (this.unanswered === 0) done()
          else if (this.isOneByOne) send(packets[packets.length - this.unanswered]!)
          return Exit.void
        }
      }
      const pending = new PendingRequest(operation, body, "", "drop", Number.POSITIVE_INFINITY, () => {}, handler)
      if (!this.isOneByOne) return this.pipeline.sendFirst(pending)
      this.isolated = { packet, pending }
      this.pipeline.sendIsolated(pending)
    }
    const [first] = packets
    if (first === undefined) done()
    else if (this.isOneByOne) send(first)
    else for (const packet of packets) send(packet)
  }

  /** The next session may see less than this one has seen. */
  forgetHistory(): void {
    this.pendingZxid = undefined
  }

  /** The connection is lost, and its requests have been told. */
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
      else for (const suspect of paths) this.suspected.set(suspect, 0)
      return
    }
    const { suspected } = this
    const losses = (suspected.get(path) ?? 0) + 1
    if (losses < MAX_LOSSES) {
      suspected.set(path, losses)
      return
    }
    suspected.delete(path)
    // The cause was this path, and not the size of packets.
    this.size = this.provenSize
    const { name: operation } = packet.operation
    this.watches.giveUp(path, new ConnectionLoss({ operation, path, maybeApplied: false, losses }))
  }

  private get suspected(): Map<string, number> {
    return (this.suspects ??= new Map<string, number>())
  }

  /** Suspected paths come last, when the others are registered. */
  private packets(lists: WatchLists, relativeZxid: bigint): ReadonlyArray<EncodedPacket> {
    const { suspects } = this
    if (suspects === undefined || suspects.size === 0) return this.packetsOfAll(lists, relativeZxid)
    const unsuspected = filtered(lists, (path) => !suspects.has(path))
    const packets = setWatchesRequests(unsuspected, relativeZxid, this.size)
    for (const suspect of suspects.keys()) {
      packets.push(
        ...setWatchesRequests(
          filtered(lists, (path) => path === suspect),
          relativeZxid
        )
      )
    }
    return packets.map(encoded)
  }

  /** Those that the last connection got, if they still have all watches. */
  private packetsOfAll(lists: WatchLists, relativeZxid: bigint): ReadonlyArray<EncodedPacket> {
    const kept = keptPackets.get(lists)
    if (kept?.size === this.size) {
      for (const packet of kept.packets) packet.compareWith(relativeZxid)
      return kept.packets
    }
    const packets = setWatchesRequests(lists, relativeZxid, this.size).map(encoded)
    if (packets.length > 0) keptPackets.set(lists, { size: this.size, packets })
    return packets
  }
}

const encoded = (packet: SetWatchesRequest): EncodedPacket => new EncodedPacket(packet)

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

/** Ends a persistent watch where the session has moved to a server that does not know any. */
const refusedWatch = (path: string): ServerRefused =>
  new ServerRefused({
    operation: Operations.addWatch.name,
    path,
    code: ErrorCode.codes.Unimplemented,
    name: ErrorCode.nameOf(ErrorCode.codes.Unimplemented)
  })

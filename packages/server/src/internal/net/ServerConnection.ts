/**
 * The bytes of one connection: four-letter words, the handshake, then requests and replies in frames.
 */
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as ProtocolHandshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import { JuteWriter } from "@effect-zookeeper/protocol/JuteWriter"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import * as Records from "@effect-zookeeper/protocol/Records"
import * as WatchEvent from "@effect-zookeeper/protocol/WatchEvent"
import * as Result from "effect/Result"
import * as Handshake from "../requests/Handshake.ts"
import * as Requests from "../requests/Requests.ts"
import type { Release } from "../state/Release.ts"
import type { Delivery, Replica } from "../state/Replica.ts"
import type { Client, Outcome, Reply, ServerState, Timestamps } from "../state/ServerState.ts"
import { DelayLine } from "./DelayLine.ts"
import { codeOf, type FaultRules } from "./FaultRules.ts"

/** The server that a connection belongs to. */
export interface ConnectionHost {
  readonly state: ServerState
  readonly faults: FaultRules
  /** The numbers of requests and replies in the answer to `srvr`. */
  readonly counters: { received: number; sent: number }
  readonly settings: { readonly maxFrameSize: number; readonly release: Release }
  readonly paused: boolean
  /** How much later replies and events are sent, in milliseconds. */
  readonly latency: number
  readonly timestamps: () => Timestamps
  /** Whether a replica answers the handshakes of old sessions by itself. */
  readonly leads: (replica: Replica<Client>) => boolean
  /** Whether a replica that has lost the others answers a sync by itself. */
  readonly answersSync: (replica: Replica<Client>) => boolean
  /** A write has come to a replica that has lost the others. */
  readonly proposed: (replica: Replica<Client>) => void
  /** The answer to a four-letter word; undefined for anything else. */
  readonly answerWord: (replica: Replica<Client>, word: string) => string | undefined
  /** Sends the outcome of a request to the connections that it concerns. */
  readonly deliver: (outcome: Outcome, from: ServerConnection) => void
  /** The connection has something to send at the end of the turn. */
  readonly scheduleFlush: (connection: ServerConnection) => void
  /** Ends a turn: everything that was written is handed to the listeners. */
  readonly flushAll: () => void
  /** The connection has ended. */
  readonly remove: (connection: ServerConnection) => void
}

/** Where a connection writes its bytes. */
export interface Sink {
  /** Takes over the bytes: they are not changed afterwards. */
  readonly write: (bytes: Uint8Array) => void
  /** Ends the connection after all written bytes have been sent. */
  readonly end: () => void
  /** How many bytes wait for a peer that does not read. */
  readonly pending: () => number
}

/** A peer with more unread bytes of replies than this gets no further replies for now. */
const HIGH_WATER = 1024 * 1024

/** A peer with more unread bytes than this when an event comes has stopped reading: its connection ends. */
const MAX_PENDING = 16 * 1024 * 1024

interface RawFrame {
  readonly bytes: Uint8Array
  readonly start: number
  readonly end: number
}

const requestHeader = Jute.codec(Records.RequestHeader)
const replyHeader = Jute.codec(Records.ReplyHeader)
const watcherEvent = Jute.codec(Records.WatcherEvent)

/** The state of every event that a server sends: the session is connected. */
const SYNC_CONNECTED = 3

export class ServerConnection {
  readonly client: Client
  readonly id: number
  readonly address: string
  /** The deadline of its handshake, in monotonic milliseconds. */
  readonly deadline: number
  /** Whether the first frame has come. */
  isHandshakeDone = false
  ended = false
  received = 0
  sent = 0
  private readonly host: ConnectionHost
  private readonly sink: Sink
  private readonly splitter: Frame.FrameSplitter
  private readonly writer = new JuteWriter()
  private readonly inbox: Array<Uint8Array> = []
  private readonly frames: Array<RawFrame | "broken"> = []
  private readonly firstBytes = new Uint8Array(4)
  private firstByteCount = 0
  private readonly delayed = new DelayLine()
  private isCut = false

  constructor(
    host: ConnectionHost,
    client: Client,
    sink: Sink,
    options: { readonly id: number; readonly address: string; readonly deadline: number }
  ) {
    this.host = host
    this.client = client
    this.sink = sink
    this.id = options.id
    this.address = options.address
    this.deadline = options.deadline
    this.splitter = new Frame.FrameSplitter(host.settings.maxFrameSize)
  }

  // ---------------------------------------------------------------------------
  // in
  // ---------------------------------------------------------------------------

  /** Takes bytes from the peer. They must not change afterwards. */
  receive(chunk: Uint8Array): void {
    this.inbox.push(chunk)
    this.resume()
  }

  /** Goes on after the server was paused, or after the peer has read enough. */
  resume(): void {
    this.drain()
    this.host.flushAll()
  }

  /** Bytes that came in while the server was paused. */
  get unreadBytes(): number {
    return this.inbox.reduce((sum, chunk) => sum + chunk.length, 0)
  }

  /**
   * Whether requests wait until the peer has read more of the earlier replies, or until the server goes on. The listener has
   * to call `resume` when there is room again.
   */
  get isBlocked(): boolean {
    return this.frames.length > 0 && !this.awaitsQuorum
  }

  /** Whether the server has lost the others, which the next request needs. */
  awaitsQuorum = false

  /** Whether the sink has too many bytes. Bytes of the writer go there first, since only the sink says when there is room. */
  private isFull(): boolean {
    if (this.writer.length > 0 && this.writer.length + this.sink.pending() > HIGH_WATER) this.flush()
    return this.sink.pending() > HIGH_WATER
  }

  /** Handles everything that has arrived, as long as the peer reads the replies. */
  drain(): void {
    while (!this.ended && !this.host.paused) {
      if (this.frames.length > 0) {
        if (this.isFull()) return
        const [frame] = this.frames
        if (frame === undefined || frame === "broken") return this.end()
        this.awaitsQuorum = this.needsMissingQuorum(frame)
        if (this.awaitsQuorum) return
        this.frames.shift()
        this.onFrame(frame)
        continue
      }
      const chunk = this.inbox.shift()
      if (chunk === undefined || this.isFourLetterWord(chunk)) return
      this.split(chunk)
    }
  }

  private needsMissingQuorum({ bytes, end, start }: RawFrame): boolean {
    const { replica } = this.client
    if (replica.membership !== "alone") return false
    const reader = new JuteReader(bytes, start, end)
    if (this.isHandshakeDone) {
      const header = Jute.attempt(requestHeader, reader)
      if (Result.isFailure(header)) return false
      const { type } = header.success
      if (type === Operations.sync.opCode) return !this.host.answersSync(replica)
      const isWrite = Requests.needsQuorum(type)
      if (isWrite) this.host.proposed(replica)
      return isWrite
    }
    const request = Jute.attempt(ProtocolHandshake.connectRequest, reader)
    if (Result.isFailure(request) || request.success.lastZxidSeen > replica.zxid) return false
    return request.success.sessionId === 0n || !this.host.leads(replica)
  }

  private split(chunk: Uint8Array): void {
    try {
      this.splitter.push(chunk, (bytes, start, end) => this.frames.push({ bytes, start, end }))
    } catch (error) {
      if (!(error instanceof Frame.FrameLengthError)) throw error
      // Earlier requests are answered first.
      this.frames.push("broken")
    }
  }

  /** Whether the first four bytes of the connection are a four-letter word instead of a length; then it is answered. */
  private isFourLetterWord(chunk: Uint8Array): boolean {
    if (this.firstByteCount === 4) return false
    const taken = chunk.subarray(0, 4 - this.firstByteCount)
    this.firstBytes.set(taken, this.firstByteCount)
    this.firstByteCount += taken.length
    if (this.firstByteCount < 4) return false
    const answer = this.host.answerWord(this.client.replica, String.fromCharCode(...this.firstBytes))
    if (answer === undefined) return false
    this.writer.raw(new TextEncoder().encode(answer))
    this.host.scheduleFlush(this)
    this.end()
    return true
  }

  private onFrame(frame: RawFrame): void {
    this.received++
    this.host.counters.received++
    if (this.isHandshakeDone) this.onRequest(frame)
    else this.onConnect(frame)
  }

  private onConnect({ bytes, end, start }: RawFrame): void {
    this.isHandshakeDone = true
    const request = Jute.attempt(ProtocolHandshake.connectRequest, new JuteReader(bytes, start, end))
    if (Result.isFailure(request)) return this.end()
    const { answer, outcome } = Handshake.connect(this.host.state, this.client, request.success, this.host.timestamps())
    if (answer !== undefined) this.send((writer) => ProtocolHandshake.connectReply.write(writer, answer))
    this.host.deliver(outcome, this)
  }

  private onRequest({ bytes, end, start }: RawFrame): void {
    const { host } = this
    const taken = host.faults.take(this.client.session?.id ?? 0n, bytes, start, end)
    if (taken?.fault._tag === "DropRequest") return this.end()
    if (taken?.fault._tag === "Answer") {
      return host.deliver(Requests.refuse(this.client, taken.xid, codeOf(taken.fault)), this)
    }
    const outcome = Requests.apply(host.state, this.client, new JuteReader(bytes, start, end), host.timestamps())
    if (taken?.fault._tag === "DropReply") {
      outcome.reply = undefined
      outcome.toDisconnect.add(this.client)
    }
    host.deliver(outcome, this)
  }

  // ---------------------------------------------------------------------------
  // out
  // ---------------------------------------------------------------------------

  notify({ path, type, zxid }: Omit<Delivery<Client>, "to">): void {
    if (this.sink.pending() > MAX_PENDING) return this.end()
    const known = this.host.settings.release.eventsHaveZxid ? zxid : undefined
    this.send((writer) => {
      replyHeader.write(writer, { xid: Operations.Xid.notification, zxid: known ?? -1n, err: 0 })
      watcherEvent.write(writer, { type: WatchEvent.types[type], state: SYNC_CONNECTED, path })
    })
  }

  reply({ err, response, row, xid, zxid }: Reply): void {
    this.send((writer) => {
      replyHeader.write(writer, { xid, zxid, err })
      if (row !== undefined && response !== undefined) row.response.write(writer, response)
    })
  }

  private send(body: (writer: JuteWriter) => void): void {
    if (this.ended) return
    Frame.append(this.writer, body)
    this.sent++
    this.host.counters.sent++
    this.host.scheduleFlush(this)
  }

  /** Sends what was written, or keeps it for as long as the latency says. */
  flush(): void {
    const { latency } = this.host
    if (this.isCut || (latency === 0 && this.delayed.nextDue === undefined)) {
      if (this.writer.length > 0) this.sink.write(this.writer.take())
      if (this.ended) this.sink.end()
      return
    }
    const at = this.host.timestamps().monotonic + latency
    if (this.writer.length > 0) this.delayed.add(at, this.writer.take())
    if (this.ended) this.delayed.add(at, undefined)
  }

  /** When the next bytes that are kept are due, in monotonic milliseconds; undefined if there are none. */
  get nextDue(): number | undefined {
    return this.delayed.nextDue
  }

  /** Sends the bytes that are due by now. */
  sendDue(now: number): void {
    for (const bytes of this.delayed.take(now)) {
      if (bytes === undefined) this.sink.end()
      else this.sink.write(bytes)
    }
  }

  /** Ends the connection at once: what is still on its way to the peer is lost. */
  cut(): void {
    this.isCut = true
    this.delayed.clear()
    if (this.ended) this.sink.end()
    else this.end()
  }

  /** Ends the connection after everything that has been written to it. */
  end(): void {
    if (this.ended) return
    this.ended = true
    this.inbox.length = 0
    this.frames.length = 0
    this.host.remove(this)
    this.host.scheduleFlush(this)
  }
}

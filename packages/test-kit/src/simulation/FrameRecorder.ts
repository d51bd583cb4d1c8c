/**
 * A `Transport` around another that reads along, frame by frame, and judges the frames that a client sends: no write is
 * sent twice, the session that has expired is not presented again, the last zxid is that of the replies, idle connections
 * are kept alive, and healthy ones are not left.
 */
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import * as Frame from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import { JuteReader } from "@effect-zookeeper/protocol/JuteReader"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type { Simulation } from "@effect-zookeeper/server/Simulation"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { type Connection, Transport } from "@effect-zookeeper/transport/Transport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type Observations, type ObservedConnection, type RunRecord, SLACK } from "./Observations.ts"

/** The transport of one client, with a recorder of its frames. */
export const layer = (
  inner: Transport["Service"],
  observations: Observations,
  record: RunRecord,
  { comment, now }: Pick<Simulation["Service"], "comment" | "now">
): Layer.Layer<Transport> => {
  const seen: Seen = { values: new Set(), zxid: 0n, settledZxid: 0n }
  return Layer.succeed(
    Transport,
    Transport.of({
      ...inner,
      connect: Effect.fnUntraced(function* (address, name) {
        const observed: ObservedConnection = {
          server: format(address),
          dialledAt: now(),
          establishedAt: undefined,
          endedAt: undefined
        }
        observations.connections.push(observed)
        const say = (what: () => string) => comment(() => `${observations.client} ${observed.server} ${what()}`)
        const recorder = new ConnectionRecorder(observed, observations, record, seen, now, say)
        yield* Effect.addFinalizer(() => Effect.sync(() => recorder.left()))
        return recorder.around(yield* inner.connect(address, name))
      })
    })
  )
}

/** The frames that a client has seen and sent on all its connections. */
interface Seen {
  readonly values: Set<string>
  /** The newest transaction of the replies that came in. */
  zxid: bigint
  /** The same without the bytes that the client may not have looked at yet. */
  settledZxid: bigint
}

interface Sent {
  readonly xid: number
  readonly opCode: number
}

class ConnectionRecorder {
  private readonly connection: ObservedConnection
  private readonly observations: Observations
  private readonly record: RunRecord
  private readonly seen: Seen
  private readonly now: () => number
  private readonly say: (what: () => string) => void
  private readonly upstream = new Frame.FrameSplitter(0x7fffffff)
  private readonly downstream = new Frame.FrameSplitter(0x7fffffff)
  private readonly inFlight: Array<Sent> = []
  private isFirstUp = true
  private isFirstDown = true
  /** Why the client may leave the connection. */
  private excuse: string | undefined
  /** The bytes make no sense, and neither do the later ones. */
  private isOver = false
  private heardAt: number
  /** Before what was heard last. */
  private silence = 0
  private wroteAt: number
  private timeout = 0
  private isClosing = false

  constructor(
    line: ObservedConnection,
    observations: Observations,
    record: RunRecord,
    seen: Seen,
    now: () => number,
    say: (what: () => string) => void
  ) {
    this.connection = line
    this.observations = observations
    this.record = record
    this.seen = seen
    this.now = now
    this.say = say
    this.heardAt = now()
    this.wroteAt = this.heardAt
  }

  around(connection: Connection): Connection {
    return {
      pull: Effect.suspend(() => {
        this.seen.settledZxid = this.seen.zxid
        return connection.pull
      }).pipe(
        Effect.tap((chunks) => Effect.sync(() => this.down(chunks))),
        Effect.tapError(() => Effect.sync(() => this.ended("it broke")))
      ),
      write: (bytes) => {
        this.up(bytes)
        return Effect.tapError(connection.write(bytes), () => Effect.sync(() => this.ended("it broke")))
      },
      defer: connection.defer
    }
  }

  /** The client has closed it. */
  left(): void {
    if (this.connection.endedAt === undefined) this.judgeLeaving()
    this.ended("it was left")
  }

  private addViolation(what: string): void {
    this.record.addViolation(
      `${this.observations.client} at ${this.now().toFixed(1)} ms, ${this.connection.server}: ${what}`
    )
  }

  private ended(excuse: string): void {
    this.excuse ??= excuse
    if (this.connection.endedAt !== undefined) return
    this.connection.endedAt = this.now()
    this.judgeIdle()
  }

  // ---------------------------------------------------------------------------
  // up
  // ---------------------------------------------------------------------------

  private up(bytes: Uint8Array): void {
    const now = this.now()
    this.judgeIdle()
    this.wroteAt = now
    if (this.isFirstUp && isWord(bytes)) {
      return this.giveUp("a four-letter word")
    }
    this.upstream.push(bytes.slice(), (all, start, end) => this.frameUp(new JuteReader(all, start, end)))
  }

  private frameUp(reader: JuteReader): void {
    if (this.isFirstUp) {
      this.isFirstUp = false
      return this.hello(Handshake.connectRequest.read(reader))
    }
    const xid = reader.int()
    const opCode = reader.int()
    this.say(() => `<- ${xid} ${Operations.byOpCode(opCode)?.name}`)
    // Pings, credentials and watches are answered apart from requests or under numbers of their own.
    if (xid > 0 || xid === Operations.Xid.setWatches) this.inFlight.push({ xid, opCode })
    if (opCode === Operations.closeSession.opCode) this.isClosing = true
    const data =
      opCode === Operations.setData.opCode
        ? Operations.setData.request.read(reader).data
        : opCode === Operations.create.opCode || opCode === Operations.create2.opCode
          ? Operations.create.request.read(reader).data
          : null
    if (data === null || data.length === 0) return
    const value = new TextDecoder().decode(data)
    // The values of registers are all different, and say whose they are; what recipes write need not be.
    if (value.includes("|") && this.seen.values.has(value)) this.addViolation(`the write of ${value} was sent twice`)
    this.seen.values.add(value)
  }

  private hello(request: Handshake.ConnectRequest): void {
    if (request.lastZxidSeen > this.seen.zxid || request.lastZxidSeen < this.seen.settledZxid) {
      this.addViolation(
        `presents ${request.lastZxidSeen} as the last zxid, where replies had ${this.seen.settledZxid} to ${this.seen.zxid}`
      )
    }
    if (request.sessionId === 0n) return
    const announced = this.observations.states.findLast(({ state }) => state._tag === "Expired")
    const granted = this.observations.sessions.findLast(({ id }) => id === request.sessionId)
    if (announced !== undefined && (granted === undefined || granted.at < announced.at)) {
      this.addViolation(`presents session ${request.sessionId.toString(16)}, which it has said to have expired`)
    }
  }

  // ---------------------------------------------------------------------------
  // down
  // ---------------------------------------------------------------------------

  private down(chunks: ReadonlyArray<Uint8Array>): void {
    this.silence = this.now() - this.heardAt
    this.heardAt = this.now()
    if (this.connection.establishedAt !== undefined) this.observations.heard.push(this.heardAt)
    for (const chunk of chunks) {
      try {
        this.downstream.push(chunk, (all, start, end) => this.frameDown(new JuteReader(all, start, end)))
      } catch {
        this.giveUp("the length of a frame makes no sense")
      }
    }
  }

  private frameDown(reader: JuteReader): void {
    if (this.isOver) return
    if (this.isFirstDown) {
      this.isFirstDown = false
      return this.welcome(Handshake.connectReply.read(reader))
    }
    const xid = reader.int()
    const zxid = reader.long()
    const err = reader.int()
    this.say(() => `-> ${xid} zxid ${zxid}${err === 0 ? "" : ` error ${err}`}`)
    if (xid === Operations.Xid.notification || xid === Operations.Xid.ping || xid === Operations.Xid.auth) {
      if (err !== 0) this.excuse ??= `error ${err}`
      return
    }
    const due = this.inFlight.shift()
    if (due === undefined || due.xid !== xid) {
      return this.giveUp(`a reply with xid ${xid} where ${due?.xid} is due`)
    }
    if (zxid > this.seen.zxid) this.seen.zxid = zxid
    if (err === codes.SessionExpired) this.observations.expiredByServer.push(this.now())
    if (err === codes.SessionExpired || err === codes.SessionMoved) this.giveUp(`error ${err}`)
  }

  private giveUp(why: string): void {
    this.excuse ??= why
    this.isOver = true
  }

  private welcome(reply: Handshake.ConnectReply): void {
    if (reply._tag === "Refused") {
      return this.giveUp("refused")
    }
    const { sessionId, timeOut } = reply.response
    if (timeOut <= 0) {
      this.observations.expiredByServer.push(this.now())
      return this.giveUp("the session has expired")
    }
    this.timeout = timeOut
    this.connection.establishedAt = this.heardAt
    this.observations.heard.push(this.heardAt)
    const known = this.observations.sessions.at(-1)
    if (known?.id !== sessionId) this.observations.sessions.push({ id: sessionId, timeout: timeOut, at: this.heardAt })
  }

  // ---------------------------------------------------------------------------
  // judgement
  // ---------------------------------------------------------------------------

  /** A session keeps its connection alive: something is written every third of the timeout. */
  private judgeIdle(): void {
    if (this.connection.establishedAt === undefined || this.excuse !== undefined || this.isClosing) return
    const since = Math.max(this.wroteAt, this.connection.establishedAt)
    const idle = this.now() - since
    if (idle > this.timeout / 3 + SLACK && !this.observations.isExcused(since, this.now())) {
      this.addViolation(
        `nothing was written for ${idle.toFixed(0)} ms, where a third of ${this.timeout} ms calls for a ping`
      )
    }
  }

  /** A connection with a session that works is not left without a reason. */
  private judgeLeaving(): void {
    if (this.connection.establishedAt === undefined || this.excuse !== undefined || this.isClosing) return
    if (this.observations.closedBy <= this.now()) return
    // The deadline of a handshake may come in the very moment, of a few milliseconds, in which it is answered.
    if (this.now() - this.connection.establishedAt < 5) return
    const since = this.now() - Math.max(this.heardAt, this.connection.establishedAt)
    // What ends a silence may come in the very moment in which the silence has lasted too long.
    const silent = since < 5 ? this.silence : since
    if (silent < (this.timeout * 2) / 3 - SLACK && !this.observations.isExcused(this.heardAt, this.now())) {
      this.addViolation(`left a connection that had spoken ${silent.toFixed(0)} ms before`)
    }
  }
}

const isWord = (bytes: Uint8Array): boolean => bytes.length === 4 && bytes.every((byte) => byte >= 0x61)

/**
 * A network in memory for tests of the session: every connection is a pair of queues whose server side a test scripts.
 *
 * There is no timer and no microtask in it, so that a TestClock drives everything.
 */
import { FrameSplitter } from "@effect-zookeeper/protocol/Frame"
import * as Handshake from "@effect-zookeeper/protocol/Handshake"
import * as Jute from "@effect-zookeeper/protocol/Jute"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as Frames from "./frames.ts"

/** What happens to connections to a server: `accept`, `refuse`, or `hang` in the dialling. */
type Mode = "accept" | "refuse" | "hang"

export class MemoryNetwork {
  /** Made before the sessions on it, it is over when they have ended. */
  static readonly make: Effect.Effect<MemoryNetwork, never, Scope.Scope> = Effect.acquireRelease(
    Effect.sync(() => new MemoryNetwork()),
    (network) =>
      Effect.sync(() => {
        network.isOver = true
      })
  )

  private readonly modes = new Map<string, Mode>()
  private readonly accepted = Effect.runSync(Queue.unbounded<ServerSide>())
  /** What servers answer to `isro`; those that are not named close without a word. */
  readonly writeModes = new Map<string, string>()
  /** What servers answer to `srvr`, likewise. */
  readonly statuses = new Map<string, string>()
  /** Servers in the order in which they were dialled, four-letter words left out. */
  readonly dialled: Array<string> = []
  readonly connections: Array<ServerSide> = []

  /** The next connection that a client makes. */
  readonly accept: Effect.Effect<ServerSide> = Queue.take(this.accepted)

  /** The next connection that a client makes, after the server has granted it a session. */
  readonly welcome = (grant?: Partial<Handshake.ConnectResponse>): Effect.Effect<ServerSide> =>
    Effect.tap(this.accept, (server) => server.greet(grant))

  /** How many connections wait to be accepted. */
  get waiting(): number {
    return Queue.sizeUnsafe(this.accepted)
  }

  set(server: string, mode: Mode): void {
    this.modes.set(server, mode)
  }

  /** No connection is open any more, and none can be made. */
  shutDown: Effect.Effect<void> = Effect.sync(() => {
    for (const connection of this.connections) connection.cut()
    this.isDown = true
  })

  private isDown = false
  private readonly atTheEnd = this.shutDown
  /** No side closes anything any more. */
  private isOver = false

  /** Lets time pass while a session is closed at the end of a test: it may look for a server to the last. */
  readonly passTime: Effect.Effect<void> = Effect.suspend(() => {
    // A test that keeps the network up sees to the time itself.
    if (this.shutDown !== this.atTheEnd) return Effect.void
    const turns = Effect.gen({ self: this }, function* () {
      const clock = yield* Clock.Clock
      for (let turn = 0; turn < 1000 && !this.isOver && "adjust" in clock; turn++) yield* TestClock.adjust("100 millis")
    })
    return Effect.forkDetach(turns)
  })

  /** A test may replace parts of it. */
  transport: Transport["Service"] = {
    defaultServers: undefined,
    resolve: (server) => Effect.succeed([server]),
    connect: (address, name) => this.connect(address, name)
  }

  private connect(address: ServerAddress, name: ServerAddress): Effect.Effect<Connection, TransportError, Scope.Scope> {
    return Effect.gen({ self: this }, function* () {
      const server = format(address)
      const dispatcher = yield* Effect.withFiber((fiber) => Effect.succeed(fiber.currentDispatcher))
      const mode = this.isDown ? "refuse" : (this.modes.get(server) ?? "accept")
      const side = new ServerSide(server, (task) => dispatcher.scheduleTask(task, 0))
      yield* Effect.addFinalizer(() => Effect.sync(() => side.left()))
      const open = () => {
        this.dialled.push(server)
        this.connections.push(side)
        Queue.offerUnsafe(this.accepted, side)
      }
      let isWord: boolean | undefined
      if (mode === "refuse" || mode === "hang") this.dialled.push(server)
      if (mode === "refuse") return yield* new TransportError({ server: format(name), reason: "Open" })
      if (mode === "hang") return yield* Effect.never
      const connection: Connection = {
        ...side.connection,
        write: (bytes) => {
          if (isWord === undefined) {
            const word = new TextDecoder().decode(bytes)
            isWord = word === "isro" || word === "srvr"
            if (isWord) {
              side.answerWord((word === "isro" ? this.writeModes : this.statuses).get(server) ?? "")
              return Effect.void
            }
            open()
          }
          return side.connection.write(bytes)
        }
      }
      return connection
    })
  }
}

/** The server's end of one connection. */
export class ServerSide {
  readonly server: string
  readonly connection: Connection
  /** Whether the client has let go of the connection. */
  isLeft = false
  /** All frames that came, answered or not. */
  readonly received: Array<Uint8Array> = []
  /** Requests to end the session are answered by themselves, so that no test has to do it at its end. */
  answersCloseSession = true
  sawCloseSession = false
  private readonly incoming = Effect.runSync(Queue.unbounded<Uint8Array>())
  private readonly outgoing = Effect.runSync(Queue.unbounded<Uint8Array, TransportError>())
  private readonly splitter = new FrameSplitter(0x7fffffff)
  /** The sizes of chunks and frames whose memory the client gave back. */
  readonly released: Array<number> = []
  private readonly flowing = Latch.makeUnsafe(true)

  constructor(server: string, defer: (task: () => void) => void) {
    this.server = server
    this.connection = {
      pull: Queue.takeAll(this.outgoing),
      write: (bytes) =>
        Effect.suspend(() => {
          if (this.isCut) return Effect.fail(new TransportError({ server, reason: "Write" }))
          this.splitter.push(bytes, (all, start, end) => this.receive(all.slice(start, end)))
          const taken = bytes.slice()
          return Effect.flatMap(this.flowing.await, () =>
            Buffer.compare(taken, bytes) === 0
              ? Effect.void
              : Effect.die("bytes were written over while the network held them")
          )
        }),
      release: ({ length }) => void this.released.push(length),
      defer
    }
  }

  private isCut = false

  private receive(frame: Uint8Array): void {
    this.received.push(frame)
    if (this.received.length > 1 && Frames.opCodeOf(frame) === Operations.closeSession.opCode) {
      this.sawCloseSession = true
      if (this.answersCloseSession) {
        this.reply(Frames.xidOf(frame), 0n)
        return
      }
    }
    Queue.offerUnsafe(this.incoming, frame)
  }

  /** The next frame from the client. */
  readonly nextFrame: Effect.Effect<Uint8Array> = Queue.take(this.incoming)

  readonly nextRequest: Effect.Effect<Frames.Request> = Effect.map(this.nextFrame, Frames.decodeRequest)

  /** All requests that have come and were not looked at. */
  readonly requests: Effect.Effect<Array<Frames.Request>> = Effect.map(Queue.clear(this.incoming), (frames) =>
    frames.map(Frames.decodeRequest)
  )

  /** Takes the connect request and grants a session. */
  readonly greet = Effect.fnUntraced(function* (
    this: ServerSide,
    grant: Partial<Handshake.ConnectResponse> = {}
  ): Effect.fn.Return<Handshake.ConnectRequest> {
    const request = yield* this.nextHello
    const sessionId = request.sessionId === 0n ? 0x100n : request.sessionId
    this.send(Frames.connectReply({ timeOut: request.timeOut, sessionId, passwd: password, ...grant }))
    return request
  })

  readonly nextHello: Effect.Effect<Handshake.ConnectRequest> = Effect.flatMap(this.nextFrame, (frame) =>
    Effect.fromResult(Jute.decode(Handshake.connectRequest, frame)).pipe(Effect.orDie)
  )

  /** Sends a frame. */
  send(body: Uint8Array): void {
    this.sendRaw(Frames.framed(body))
  }

  sendRaw(bytes: Uint8Array): void {
    Queue.offerUnsafe(this.outgoing, bytes)
  }

  /** A reply without a body. */
  reply(xid: number, zxid: bigint, code = 0): void {
    this.send(Frames.reply(xid, zxid, code))
  }

  replyWith<O extends Operation.Any>(xid: number, zxid: bigint, operation: O, response: Operation.Response<O>): void {
    this.send(Frames.replyWith(xid, zxid, operation, response))
  }

  /** Ends the connection. */
  cut(): void {
    this.isCut = true
    this.flowing.openUnsafe()
    Queue.failCauseUnsafe(this.outgoing, closed(this.server))
  }

  /** The network takes no more bytes after those of the next write, until `flow`. */
  clog(): void {
    this.flowing.closeUnsafe()
  }

  flow(): void {
    this.flowing.openUnsafe()
  }

  answerWord(answer: string): void {
    if (answer !== "") this.sendRaw(new TextEncoder().encode(answer))
    this.cut()
  }

  left(): void {
    this.isLeft = true
    this.cut()
  }
}

const password = Uint8Array.from({ length: 16 }, (_, index) => index + 1)
const closed = (server: string) => Cause.fail(new TransportError({ server, reason: "Closed" }))

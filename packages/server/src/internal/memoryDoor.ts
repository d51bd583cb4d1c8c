/**
 * The door without a socket: a `Transport` whose connections end in this server.
 *
 * Nothing here waits for a microtask or a timer. What the server says is handed over at the end of a turn of the fiber
 * that dialled, so that whoever schedules the fibers schedules the network too.
 */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { SchedulerDispatcher } from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type { Replica } from "../Replica.ts"
import type { Client } from "../ServerState.ts"
import type { Core } from "./Core.ts"
import type { Peer, Sink } from "./Peer.ts"

/** Bytes that a paused server takes from one peer before the peer has to wait. */
const HIGH_WATER = 1024 * 1024

/** The doors by their names, in the order of the replicas. */
export const makeMemoryTransport = (core: Core, doors: ReadonlyMap<string, Replica<Client>>): Transport["Service"] => {
  const addresses = [...doors.keys()]
  const find = (server: ServerAddress) => doors.get(format({ host: server.host, port: server.port }))
  return {
    defaultServers: addresses.join(","),
    resolve: (server) => Effect.succeed([server]),
    connect: (address, name) =>
      Effect.suspend(() => {
        const replica = find(address)
        if (replica !== undefined && address.scheme !== "tls") return connect(core, replica, format(name))
        const cause = new Error(`there is no such server in memory, only ${addresses.join(", ")}`)
        return new TransportError({ server: format(name), reason: "Open", cause })
      })
  }
}

const connect = (
  core: Core,
  replica: Replica<Client>,
  server: string
): Effect.Effect<Connection, TransportError, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const open = Effect.sync(() => {
      const pipe: Pipe = new Pipe(server, fiber.currentDispatcher, () => {
        if (peer.blocked) pipe.defer(() => peer.resume())
      })
      const address = `memory:${core.peers.size + 1}`
      const peer: Peer = core.accept(replica, [{ scheme: "ip", id: "127.0.0.1" }], address, pipe)
      return { pipe, peer }
    })
    return Effect.map(
      Effect.acquireRelease(open, ({ peer, pipe }) =>
        Effect.sync(() => {
          pipe.close()
          peer.end()
          core.settle()
        })
      ),
      ({ peer, pipe }): Connection => ({ pull: pipe.pull, write: makeWrite(core, peer, pipe), defer: pipe.defer })
    )
  })

const makeWrite =
  (core: Core, peer: Peer, pipe: Pipe): Connection["write"] =>
  (bytes) =>
    Effect.suspend(() => {
      if (pipe.over.isOpen()) return pipe.closed("Write")
      // The bytes are the caller's again when this returns.
      peer.receive(bytes.slice())
      if (!core.paused || peer.waiting < HIGH_WATER) return Effect.void
      return Effect.raceFirst(core.running.await, pipe.over.await)
    })

/** From the server to the client. */
class Pipe implements Sink {
  private readonly server: string
  private readonly dispatcher: SchedulerDispatcher
  /** The client has read: there is room for more. */
  private readonly onTaken: () => void
  private chunks: Array<Uint8Array> = []
  private size = 0
  private waiter: (() => void) | undefined
  private scheduled = false
  /** Open when the connection has ended. */
  readonly over = Latch.makeUnsafe(false)

  constructor(server: string, dispatcher: SchedulerDispatcher, onTaken: () => void) {
    this.server = server
    this.dispatcher = dispatcher
    this.onTaken = onTaken
  }

  readonly defer = (task: () => void): void => this.dispatcher.scheduleTask(task, 0)

  readonly write = (bytes: Uint8Array): void => {
    if (this.over.isOpen()) return
    this.chunks.push(bytes)
    this.size += bytes.length
    this.wake()
  }

  readonly end = (): void => {
    this.over.openUnsafe()
    this.wake()
  }

  readonly pending = (): number => this.size

  /** The client hangs up: what was not read is gone. */
  close(): void {
    this.chunks = []
    this.size = 0
    this.end()
  }

  // One step: a fiber that gave way between its look and its wait would not be woken by what came meanwhile.
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, TransportError> = Effect.callback((resume) => {
    if (this.isReadable) return resume(this.take())
    this.waiter = () => resume(this.take())
    return Effect.sync(() => {
      this.waiter = undefined
    })
  })

  private get isReadable(): boolean {
    return this.chunks.length > 0 || this.over.isOpen()
  }

  closed(reason: "Closed" | "Write"): Effect.Effect<never, TransportError> {
    return Effect.fail(new TransportError({ server: this.server, reason }))
  }

  private take(): Effect.Effect<ReadonlyArray<Uint8Array>, TransportError> {
    if (this.chunks.length === 0) return this.closed("Closed")
    const chunks = this.chunks
    this.chunks = []
    this.size = 0
    this.onTaken()
    return Effect.succeed(chunks)
  }

  /** Never within the server's own turn, where a reader that answers would be in the middle of it. */
  private wake(): void {
    if (this.waiter === undefined || this.scheduled) return
    this.scheduled = true
    this.defer(() => {
      this.scheduled = false
      // Whoever waits now may have come after others had read.
      if (!this.isReadable) return
      const { waiter } = this
      this.waiter = undefined
      waiter?.()
    })
  }
}

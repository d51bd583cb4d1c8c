/**
 * The listener without a socket: a `Transport` whose connections end in this server.
 *
 * Nothing here waits for a microtask or a timer. The bytes of the server are handed over at the end of a turn of the fiber
 * that connected, so that the scheduler of the fibers schedules the network, too.
 */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import type { Connection, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Latch from "effect/Latch"
import type { SchedulerDispatcher } from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import type { Replica } from "../state/Replica.ts"
import type { Client } from "../state/ServerState.ts"
import type { ServerRuntime } from "./ServerRuntime.ts"
import type { ServerConnection, Sink } from "./ServerConnection.ts"

/** How many bytes a paused server takes from one peer before the peer has to wait. */
const HIGH_WATER = 1024 * 1024

/** The members by their names, in the order of the replicas. */
export const makeMemoryTransport = (
  runtime: ServerRuntime,
  members: ReadonlyMap<string, Replica<Client>>
): Transport["Service"] => {
  const addresses = [...members.keys()]
  const find = (server: ServerAddress) => members.get(format({ host: server.host, port: server.port }))
  return {
    defaultServers: addresses.join(","),
    resolve: (server) => Effect.succeed([server]),
    connect: (address, name) =>
      Effect.suspend(() => {
        const replica = find(address)
        const isFound = replica !== undefined && address.scheme !== "tls"
        if (isFound && replica.membership !== "stopped") return connect(runtime, replica, format(name))
        const cause = new Error(
          isFound ? "this member is stopped" : `there is no such server in memory, only ${addresses.join(", ")}`
        )
        return new TransportError({ server: format(name), reason: "Open", cause })
      })
  }
}

const connect = (
  runtime: ServerRuntime,
  replica: Replica<Client>,
  server: string
): Effect.Effect<Connection, TransportError, Scope.Scope> =>
  Effect.withFiber((fiber) => {
    const open = Effect.sync(() => {
      const pipe: MemoryPipe = new MemoryPipe(server, fiber.currentDispatcher, () => {
        if (serverEnd.isBlocked) pipe.defer(() => serverEnd.resume())
      })
      const address = `memory:${runtime.connections.size + 1}`
      const serverEnd: ServerConnection = runtime.accept(replica, [{ scheme: "ip", id: "127.0.0.1" }], address, pipe)
      return { pipe, serverEnd }
    })
    return Effect.map(
      Effect.acquireRelease(open, ({ serverEnd, pipe }) =>
        Effect.sync(() => {
          pipe.close()
          serverEnd.end()
          runtime.flushAll()
        })
      ),
      ({ serverEnd, pipe }): Connection => ({
        pull: pipe.pull,
        write: makeWrite(runtime, serverEnd, pipe),
        defer: pipe.defer
      })
    )
  })

const makeWrite =
  (runtime: ServerRuntime, serverEnd: ServerConnection, pipe: MemoryPipe): Connection["write"] =>
  (bytes) =>
    Effect.suspend(() => {
      if (pipe.hasEnded.isOpen()) return pipe.closed("Write")
      // The caller may change the bytes when this returns.
      serverEnd.receive(bytes.slice())
      if (!runtime.paused || serverEnd.unreadBytes < HIGH_WATER) return Effect.void
      return Effect.raceFirst(runtime.running.await, pipe.hasEnded.await)
    })

/** The direction from the server to the client. */
class MemoryPipe implements Sink {
  private readonly server: string
  private readonly dispatcher: SchedulerDispatcher
  /** Called when the client has read, so that there is room for more. */
  private readonly onTaken: () => void
  private chunks: Array<Uint8Array> = []
  private size = 0
  private waiter: (() => void) | undefined
  private scheduled = false
  /** Open when the connection has ended. */
  readonly hasEnded = Latch.makeUnsafe(false)

  constructor(server: string, dispatcher: SchedulerDispatcher, onTaken: () => void) {
    this.server = server
    this.dispatcher = dispatcher
    this.onTaken = onTaken
  }

  readonly defer = (task: () => void): void => this.dispatcher.scheduleTask(task, 0)

  readonly write = (bytes: Uint8Array): void => {
    if (this.hasEnded.isOpen()) return
    this.chunks.push(bytes)
    this.size += bytes.length
    this.wake()
  }

  readonly end = (): void => {
    this.hasEnded.openUnsafe()
    this.wake()
  }

  readonly pending = (): number => this.size

  /** The client closes the connection: bytes that it has not read are dropped. */
  close(): void {
    this.chunks = []
    this.size = 0
    this.end()
  }

  // This is one step: a fiber that yielded between the check and the wait would miss bytes that came in between.
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, TransportError> = Effect.callback((resume) => {
    if (this.isReadable) return resume(this.take())
    this.waiter = () => resume(this.take())
    return Effect.sync(() => {
      this.waiter = undefined
    })
  })

  private get isReadable(): boolean {
    return this.chunks.length > 0 || this.hasEnded.isOpen()
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

  /** Wakes the reader, but never within the server's own turn, which its answer would interrupt. */
  private wake(): void {
    if (this.waiter === undefined || this.scheduled) return
    this.scheduled = true
    this.defer(() => {
      this.scheduled = false
      // Another reader may have taken the bytes before this one began to wait.
      if (!this.isReadable) return
      const { waiter } = this
      this.waiter = undefined
      waiter?.()
    })
  }
}

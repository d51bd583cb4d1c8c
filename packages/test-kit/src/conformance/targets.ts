/**
 * The servers that have to answer alike: the real one of the run, and the embedded one through each of its transports.
 */
import { EmbeddedServer } from "@effect-zookeeper/server"
import type { ListenError } from "@effect-zookeeper/server/ListenError"
import { format } from "@effect-zookeeper/transport/ServerAddress"
import { layer as layerTransport, Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as FaultProxy from "../FaultProxy.ts"
import * as TestServer from "../TestServer.ts"
import { type BreakableEndpoint, Target } from "./Target.ts"

/** As the real server of the run is configured. */
const options: EmbeddedServer.Options = {
  tickTime: "500 millis",
  maxSessionTimeout: "60 seconds",
  collectInterval: "200 millis"
}

/** The real server that all tests of the run share. */
export const real: Layer.Layer<Target> = Layer.suspend(() => overTcp(Effect.succeed(TestServer.connectString())))

/** The embedded server, over TCP. */
export const embeddedTcp: Layer.Layer<Target, ListenError> = overTcp(
  Effect.map(EmbeddedServer.EmbeddedServer, ({ connectString }) => connectString)
).pipe(Layer.provide(EmbeddedServer.layer(options)))

/** The embedded server, without a socket. */
export const embeddedMemory: Layer.Layer<Target> = inMemory(options)

/** The same, which answers as 3.9.6. */
export const embeddedMemoryOf39: Layer.Layer<Target> = inMemory({ ...options, version: "3.9" })

type TitledTarget<E> = readonly [where: string, target: Layer.Layer<Target, E>]

/** An embedded server, and the real one, with names for titles. */
export const both = <E>(embedded: Layer.Layer<Target, E>): ReadonlyArray<TitledTarget<E>> => [
  ["the embedded server", embedded],
  ["real ZooKeeper", real]
]

/** For tests that take long: the real server, and in `test:long` the embedded one, too. */
export const bothIfLong = <E>(embedded: Layer.Layer<Target, E>): ReadonlyArray<TitledTarget<E>> =>
  both(embedded).filter(([, target]) => target === real || process.env["ZK_LONG"] === "1")

// ---- internal

function overTcp<R>(connectString: Effect.Effect<string, never, R>): Layer.Layer<Target, never, R> {
  return Layer.effect(
    Target,
    Effect.gen(function* () {
      const servers = yield* connectString
      const transport = yield* Transport
      return {
        servers,
        transport,
        link: Effect.map(FaultProxy.make(TestServer.targetOf(servers)), (proxy): BreakableEndpoint => {
          let cuts = 0
          const lose = (direction: FaultProxy.Direction, op: number) =>
            Effect.asVoid(proxy.rule({ match: { direction, op }, action: { _tag: "DropAndReset" } }))
          return {
            servers: proxy.connectString,
            transport,
            // A connection may end either way.
            cut: Effect.andThen(
              proxy.accept("refuse"),
              Effect.suspend(() => proxy.dropAll(cuts++ % 2 === 0 ? "rst" : "fin"))
            ),
            heal: proxy.heal,
            loseReply: ({ opCode }) => lose("down", opCode),
            loseRequest: ({ opCode }) => lose("up", opCode)
          }
        })
      }
    })
  ).pipe(Layer.provide(layerTransport()))
}

function inMemory(options: EmbeddedServer.Options): Layer.Layer<Target> {
  return Layer.effect(
    Target,
    Effect.gen(function* () {
      const transport = yield* Transport
      const server = yield* EmbeddedServer.EmbeddedServer
      const servers = server.connectString
      return {
        servers,
        transport,
        // The server knows no links: a fault that no request of this link has met would be met by the next one's.
        link: Effect.acquireRelease(
          Effect.sync((): BreakableEndpoint => {
            const gate = new Gate(transport)
            return {
              servers,
              transport: gate.transport,
              cut: Effect.sync(() => gate.close()),
              heal: Effect.sync(() => gate.open()),
              loseReply: ({ name }) => server.dropReply({ operation: name }),
              loseRequest: ({ name }) => server.dropRequest({ operation: name })
            }
          }),
          () => server.clearFaults
        )
      }
    })
  ).pipe(Layer.provide(EmbeddedServer.layerMemoryWith(options)))
}

/** A transport whose connections can be ended and refused. */
class Gate {
  readonly transport: Transport["Service"]
  private broken = Deferred.makeUnsafe<never, TransportError>()
  private isOpen = true

  constructor(inner: Transport["Service"]) {
    this.transport = {
      ...inner,
      connect: (address, name) =>
        Effect.suspend(() => {
          if (!this.isOpen) return new TransportError({ server: format(name), reason: "Open" })
          const broken = Deferred.await(this.broken)
          return Effect.map(inner.connect(address, name), (connection) => ({
            pull: Effect.raceFirst(broken, connection.pull),
            write: (bytes) => Effect.raceFirst(broken, connection.write(bytes)),
            defer: connection.defer
          }))
        })
    }
  }

  close(): void {
    this.isOpen = false
    const error = new TransportError({ server: "memory", reason: "Closed" })
    Deferred.doneUnsafe(this.broken, Effect.fail(error))
    this.broken = Deferred.makeUnsafe()
  }

  open(): void {
    this.isOpen = true
  }
}

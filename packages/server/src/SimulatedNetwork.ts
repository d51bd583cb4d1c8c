/**
 * A network with faults, between clients and the servers of another `Transport`: for worlds of `Simulation`.
 *
 * Bytes take their time, are cut into pieces and read together with others, and arrive in order. On top of that come
 * faults, by hand or by a nemesis: connections that are cut after any byte, refused, accepted by nobody, or open while
 * nothing gets through in one direction or both. All chance is the world's.
 *
 * What happens to a client happens in the turn of its own process, so that one that is paused hears of nothing.
 *
 * @since 0.1.0
 */
import { format, type ServerAddress } from "@effect-zookeeper/transport/ServerAddress"
import { Transport } from "@effect-zookeeper/transport/Transport"
import { TransportError } from "@effect-zookeeper/transport/TransportError"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import { ActiveFaults, concerns, type ConnectionFilter, type Fault } from "./internal/simulation/ActiveFaults.ts"
import { SimulatedConnection } from "./internal/simulation/SimulatedConnection.ts"
import { Simulation } from "./Simulation.ts"

export type { ConnectionFilter, Fault } from "./internal/simulation/ActiveFaults.ts"

// -----------------------------------------------------------------------------
// models
// -----------------------------------------------------------------------------

/**
 * @category models
 * @since 0.1.0
 */
export interface SimulatedNetwork {
  /** What a client dials with. Use it within the client's `Node`. */
  readonly transport: (client: string) => Transport["Service"]
  /** `transport` as a layer. */
  readonly layer: (client: string) => Layer.Layer<Transport>
  /** Adds a fault; gives what takes it away again. */
  readonly inject: (fault: Fault) => Effect.Effect<Effect.Effect<void>>
  /** Takes all faults away. */
  readonly heal: Effect.Effect<void>
  /** Cuts the connections that stand; how many there were. */
  readonly cut: (where?: ConnectionFilter) => Effect.Effect<number>
  /** The connections that stand, half-open ones among them. */
  readonly connections: () => ReadonlyArray<{ readonly client: string; readonly server: string }>
}

/**
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The servers. Connections are dialled to the same addresses there. */
  readonly transport: Transport["Service"]
  /** How long bytes travel, in milliseconds; one in fifty takes ten times as long. 0.1 to 5 if left out. */
  readonly latency?: { readonly min: number; readonly max: number } | undefined
  /** The chance that a write is cut into pieces, and that a piece is read together with one before. 0.2 if left out. */
  readonly fragmentation?: number | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A network for as long as the Scope is open.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SimulatedNetwork, never, Simulation | Scope.Scope> {
  const simulation = yield* Simulation
  const random = yield* Random.Random
  // The network has a process of its own: it goes on when a client stands still.
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const { max, min } = options.latency ?? { min: 0.1, max: 5 }
  const fragmentation = options.fragmentation ?? 0.2
  const faults = new ActiveFaults()
  const connections = new Set<SimulatedConnection>()
  const lives = new Set<Fiber.Fiber<void, TransportError>>()
  const chance = (probability: number) => random.nextDoubleUnsafe() < probability
  const latency = () => (min + random.nextDoubleUnsafe() * (max - min)) * (chance(0.02) ? 10 : 1)
  const split = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
    if (bytes.length < 2 || !chance(fragmentation)) return [bytes]
    const at = 1 + Math.floor(random.nextDoubleUnsafe() * (bytes.length - 1))
    return [bytes.subarray(0, at), ...split(bytes.subarray(at))]
  }
  const conditions = {
    now: simulation.now,
    latency,
    split,
    merge: () => chance(fragmentation),
    passable: (connection: SimulatedConnection, direction: "up" | "down") => faults.passable(connection, direction),
    cutWithin: (connection: SimulatedConnection, direction: "up" | "down", length: number) =>
      faults.cutWithin(connection, direction, length)
  }

  const connect = Effect.fnUntraced(function* (client: string, address: ServerAddress, name: ServerAddress) {
    const server = format(address)
    const dispatcher = yield* Effect.withFiber((fiber) => Effect.succeed(fiber.currentDispatcher))
    yield* Effect.sleep(latency())
    // The call for a connection and its answer have to get through as well.
    yield* faults.passable({ client, server }, "both")
    if (faults.has("Refuse", { client, server })) {
      simulation.note(`${client} -> ${server} refused`)
      return yield* new TransportError({ server: format(name), reason: "Open" })
    }
    const connection = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const connection = new SimulatedConnection({ client, server, name: format(name), conditions, dispatcher })
        connections.add(connection)
        return connection
      }),
      (connection) => Effect.sync(() => connection.leave())
    )
    const hangs = faults.has("AcceptAndHang", { client, server })
    simulation.note(`${client} -> ${server} ${hangs ? "hangs" : "connects"}`)
    yield* Effect.callback<void, TransportError>((resume) => {
      const answer = (outcome: Effect.Effect<void, TransportError>) => dispatcher.scheduleTask(() => resume(outcome), 0)
      const life = fork(
        hangs
          ? Effect.andThen(
              Effect.sync(() => answer(Effect.void)),
              connection.carryNothing
            )
          : connection.carry(options.transport.connect(address, name), () => answer(Effect.void))
      )
      lives.add(life)
      life.addObserver((exit) => {
        lives.delete(life)
        connections.delete(connection)
        answer(exit._tag === "Failure" ? Effect.failCause(exit.cause) : Effect.void)
      })
    })
    return connection.connection
  })

  const transport = (client: string): Transport["Service"] => ({
    defaultServers: options.transport.defaultServers,
    resolve: options.transport.resolve,
    connect: (address, name) => connect(client, address, name)
  })
  yield* Effect.addFinalizer(() => Effect.suspend(() => Fiber.interruptAll([...lives])))
  return {
    transport,
    layer: (client) => Layer.succeed(Transport, Transport.of(transport(client))),
    inject: (fault) =>
      Effect.sync(() => {
        simulation.note(`fault ${describe(fault)}`)
        const remove = faults.add(fault)
        return Effect.sync(() => {
          if (remove()) simulation.note(`healed ${describe(fault)}`)
        })
      }),
    heal: Effect.sync(() => {
      simulation.note("all healed")
      faults.clear()
    }),
    cut: (where = {}) =>
      Effect.sync(() => {
        const hit = [...connections].filter((connection) => concerns(where, connection))
        simulation.note(`cut ${hit.length} ${describe({ _tag: "", ...where })}`)
        for (const connection of hit) connection.cut()
        return hit.length
      }),
    connections: () => [...connections].map(({ client, server }) => ({ client, server }))
  }
})

// -----------------------------------------------------------------------------
// nemesis
// -----------------------------------------------------------------------------

/**
 * @category options
 * @since 0.1.0
 */
export interface NemesisOptions {
  readonly clients: ReadonlyArray<string>
  /** `host:port` */
  readonly servers: ReadonlyArray<string>
  /** How long it goes on, in milliseconds. */
  readonly duration: number
  /** The longest peace between two faults, in milliseconds. */
  readonly peace: number
  /** How long a fault lasts at most, in milliseconds. */
  readonly lasting: number
  /**
   * What else it may do, each as likely as a kind of fault of the network; gives what takes it back after a time.
   */
  readonly others?: ReadonlyArray<Effect.Effect<Effect.Effect<void>>> | undefined
}

/**
 * Does harm by chance for a while, several things at once among them; all is healed when it ends.
 *
 * @category nemesis
 * @since 0.1.0
 */
export const nemesis = Effect.fnUntraced(function* (
  network: SimulatedNetwork,
  options: NemesisOptions
): Effect.fn.Return<void> {
  const random = yield* Random.Random
  const draw = (limit: number) => random.nextDoubleUnsafe() * limit
  const pick = <A>(from: ReadonlyArray<A>): A | undefined => from[Math.floor(draw(from.length))]
  const where = (): ConnectionFilter => {
    const scope = draw(4)
    if (scope < 1) return {}
    return {
      client: scope < 2 || scope >= 3 ? pick(options.clients) : undefined,
      server: scope >= 2 ? pick(options.servers) : undefined
    }
  }
  const cut = Effect.suspend(() => Effect.as(network.cut(where()), Effect.void))
  const fault = (make: () => Fault) => Effect.suspend(() => network.inject(make()))
  const cutAfter = fault(() => ({
    _tag: "CutAfter",
    direction: draw(2) < 1 ? "up" : "down",
    bytes: Math.floor(draw(draw(2) < 1 ? 30 : 400)),
    ...where()
  }))
  const actions: ReadonlyArray<Effect.Effect<Effect.Effect<void>>> = [
    cut,
    cutAfter,
    cutAfter,
    fault(() => ({ _tag: "Refuse", ...where() })),
    fault(() => ({ _tag: "AcceptAndHang", ...where() })),
    fault(() => ({ _tag: "Block", direction: pick(["up", "down", "both"] as const) ?? "both", ...where() })),
    ...(options.others ?? [])
  ]
  const rampage = Effect.forever(
    Effect.gen(function* () {
      yield* Effect.sleep(draw(options.peace))
      const action = pick(actions)
      if (action === undefined) return
      const lasting = draw(options.lasting)
      yield* Effect.forkChild(
        Effect.acquireUseRelease(
          action,
          () => Effect.sleep(lasting),
          (undo) => undo
        )
      )
    })
  )
  yield* Effect.timeoutOption(rampage, options.duration)
  yield* network.heal
})

// ---- internal

const describe = ({ _tag, client, server, ...rest }: { readonly _tag: string } & ConnectionFilter): string =>
  [_tag, client ?? "*", "-", server ?? "*", ...Object.values(rest)].join(" ").trim()

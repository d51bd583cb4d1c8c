/**
 * A simulated network with faults, between clients and the servers of another `Transport`: for `Simulation`.
 *
 * Bytes are delayed, cut into pieces and merged with others, and arrive in order. Faults are injected by hand or by a
 * nemesis: connections are cut after any byte, refused, accepted without a server behind them, or stay open while nothing
 * gets through in one direction or both. All randomness follows from the seed of the simulation.
 *
 * A client hears of the network in turns of its own process, so a paused process hears of nothing.
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
 * A network whose connections can be cut, blocked and refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface SimulatedNetwork {
  /** The transport of a client. Use it within the client's `Node`. */
  readonly transport: (client: string) => Transport["Service"]
  /** `transport` as a layer. */
  readonly layer: (client: string) => Layer.Layer<Transport>
  /** Adds a fault; the result is an Effect that removes it. */
  readonly inject: (fault: Fault) => Effect.Effect<Effect.Effect<void>>
  /** Removes all faults. */
  readonly heal: Effect.Effect<void>
  /** Cuts all connections, or those of a filter, and gives their number. */
  readonly cut: (where?: ConnectionFilter) => Effect.Effect<number>
  /** All open connections, half-open ones included. */
  readonly connections: () => ReadonlyArray<{ readonly client: string; readonly server: string }>
}

/**
 * Options of `make`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** The transport that reaches the servers. Connections go to the same addresses there. */
  readonly transport: Transport["Service"]
  /** How long a packet travels, in milliseconds; one in fifty takes ten times as long. Default 0.1 to 5. */
  readonly latency?: { readonly min: number; readonly max: number } | undefined
  /** The probability that a write is cut into pieces, and that a piece is merged with the one before it. Default 0.2. */
  readonly fragmentation?: number | undefined
}

// -----------------------------------------------------------------------------
// constructors
// -----------------------------------------------------------------------------

/**
 * A network that exists as long as the Scope is open.
 *
 * @example
 * ```ts
 * import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
 * import * as EmbeddedServer from "@effect-zookeeper/server/EmbeddedServer"
 * import * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
 * import * as Simulation from "@effect-zookeeper/server/Simulation"
 * import * as Session from "@effect-zookeeper/session/Session"
 * import * as Transport from "@effect-zookeeper/transport/Transport"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const world = Effect.gen(function* () {
 *   const simulation = yield* Simulation.Simulation
 *   const memory = yield* Layer.build(EmbeddedServer.layerMemory)
 *   const network = yield* SimulatedNetwork.make({ transport: Context.get(memory, Transport.Transport) })
 *   const node = yield* simulation.node("worker")
 *   const client = ZooKeeper.layerSession().pipe(
 *     Layer.provide(Session.layer({ sessionTimeout: "10 seconds" })),
 *     Layer.provide(network.layer("worker"))
 *   )
 *   yield* network.inject({ _tag: "CutAfter", direction: "down", bytes: 20 })
 *   const zk = Context.get(yield* node.run(Layer.build(client)), ZooKeeper.ZooKeeper)
 *   yield* node.run(zk.create("/job", { mode: "ephemeral", idempotent: true }))
 * }).pipe(Effect.scoped)
 *
 * const result = Simulation.run(world, { seed: 42 })
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function* (
  options: Options
): Effect.fn.Return<SimulatedNetwork, never, Simulation | Scope.Scope> {
  const simulation = yield* Simulation
  const random = yield* Random.Random
  // The network runs in its own process: it goes on while a client is paused.
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
    // The request for a connection and its answer have to get through, too.
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
 * Options of `nemesis`.
 *
 * @category options
 * @since 0.1.0
 */
export interface NemesisOptions {
  /** The clients to harm, by their names in the network. */
  readonly clients: ReadonlyArray<string>
  /** The servers to harm, as `host:port`. */
  readonly servers: ReadonlyArray<string>
  /** How long it injects faults, in milliseconds. */
  readonly duration: number
  /** The longest pause between two faults, in milliseconds. */
  readonly peace: number
  /** The longest time that a fault lasts, in milliseconds. */
  readonly lasting: number
  /** Additional faults, each as likely as a kind of fault of the network; the result of each is an Effect that undoes it. */
  readonly others?: ReadonlyArray<Effect.Effect<Effect.Effect<void>>> | undefined
}

/**
 * Injects random faults for a while, sometimes several at once. At the end all faults are removed.
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

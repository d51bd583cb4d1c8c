/**
 * One client of a simulation: the real stack, from `ZooKeeper` down to a transport that records frames, in a process of
 * its own.
 */
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as SimulatedNetwork from "@effect-zookeeper/server/SimulatedNetwork"
import * as Simulation from "@effect-zookeeper/server/Simulation"
import * as Session from "@effect-zookeeper/session/Session"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { Observations, type RunRecord } from "./Observations.ts"
import * as FrameRecorder from "./FrameRecorder.ts"
import { observedRetry } from "./pauses.ts"

export interface SimulatedClient {
  readonly name: string
  readonly node: Simulation.Node
  readonly zk: ZooKeeper.Service
  /** The network as it is for this process. */
  readonly transport: Transport["Service"]
  readonly observations: Observations
  /** Virtual milliseconds. */
  readonly now: () => number
  /** Whether it believes to own something at this moment: an object for each time that it began to. */
  readonly owns: () => object | undefined
  /** Ends the session, and everything of this client. */
  readonly close: Effect.Effect<void>
}

/** Milliseconds: short, so that worlds are, and long enough for the shortest handshake. */
export const SESSION_TIMEOUT = 2400

/**
 * How an ensemble measures its time. Sessions last two ticks, which is as short as they can be, to twelve of them, and a
 * server that has lost the others goes on for a part of that or for much longer.
 */
export const timing: Effect.Effect<{ readonly tickTime: number; readonly syncLimit: number }> = Effect.gen(
  function* () {
    const all = [
      [200, 5],
      [200, 5],
      [200, 20],
      [600, 5],
      [600, 10],
      [1200, 2],
      [1200, 5]
    ] as const
    const [tickTime, syncLimit] = all[yield* Random.nextIntBetween(0, all.length - 1)]!
    return { tickTime, syncLimit }
  }
)

const credentials = Redacted.make("simon:secret")

/** Connects a client; all that it leaves running ends with `close`. */
export const connect = Effect.fnUntraced(function* (
  name: string,
  network: SimulatedNetwork.SimulatedNetwork,
  record: RunRecord
): Effect.fn.Return<SimulatedClient, ZooKeeper.StartError, Simulation.Simulation> {
  const simulation = yield* Simulation.Simulation
  const node = yield* simulation.node(name)
  const observations = new Observations(name)
  const transport = network.transport(name)
  const scope = yield* Scope.make()
  const layer = ZooKeeper.layerSession().pipe(
    Layer.provideMerge(
      Session.layer({
        sessionTimeout: SESSION_TIMEOUT,
        connectTimeout: "1 minute",
        retry: observedRetry(observations, SESSION_TIMEOUT, simulation.now),
        auth: [{ scheme: "digest", credentials }],
        maxInFlight: (yield* Random.nextBoolean) ? 2 : 1000,
        requestTimeout: (yield* Random.nextBoolean) ? "2 seconds" : undefined
      })
    ),
    Layer.provide(FrameRecorder.layer(transport, observations, record, simulation))
  )
  const context = yield* node
    .run(Layer.buildWithScope(Layer.fresh(layer), scope))
    .pipe(Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause))))
  const zk = Context.get(context, ZooKeeper.ZooKeeper)
  const held: { now: object | undefined } = { now: undefined }
  // The close begins a few turns after it was asked for.
  const isClosing = () => simulation.now() > observations.closedBy + 5
  const hold = Effect.gen(function* () {
    const since = simulation.now()
    const mustFail = isClosing()
    held.now = {}
    yield* Effect.exit(zk.session.ownership)
    held.now = undefined
    // The scheduling of a busy world takes up to two milliseconds.
    if (mustFail && simulation.now() > since + 3)
      record.addViolation(`P10: ${name} owns something again while it is closed`)
    // Often while it is closed: that takes no longer than a reply.
    yield* Effect.sleep(isClosing() ? "2 millis" : "25 millis")
  }).pipe(
    Effect.ensuring(
      Effect.sync(() => {
        held.now = undefined
      })
    )
  )
  const observe = Stream.runForEach(zk.session.states, (state) =>
    Effect.sync(() => {
      simulation.comment(() => `${name} is ${state._tag}`)
      observations.states.push({ at: simulation.now(), state })
    })
  )
  // The observers outlive the session, to see its end.
  const observers = [yield* forkInNode(node, observe)]
  // Clients that own nothing keep their sessions by pings alone.
  if ((yield* Random.nextIntBetween(0, 4)) > 0) observers.push(yield* forkInNode(node, Effect.forever(hold)))
  const close = Effect.gen(function* () {
    observations.closedBy = simulation.now()
    yield* node.run(Scope.close(scope, Exit.void))
    observations.closedAt = simulation.now()
    yield* Effect.sleep("200 millis")
    const owning = yield* Effect.timeoutOption(Effect.exit(zk.session.ownership), "10 millis")
    if (owning._tag === "None") record.addViolation(`P10: ${name} owns something after it was closed`)
    for (const observer of observers) yield* interrupt(observer)
  })
  return { name, node, zk, transport, observations, now: simulation.now, owns: () => held.now, close }
})

/** One more client of a process, which no rule watches, until the Scope closes. To be run in that process. */
export const connectBeside = (
  { transport }: Pick<SimulatedClient, "transport">,
  { followConfig, ...options }: ZooKeeper.Options
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> =>
  ZooKeeper.layerSession({ followConfig }).pipe(
    Layer.provide(Session.layer({ sessionTimeout: SESSION_TIMEOUT, ...options })),
    Layer.provide(Layer.succeed(Transport, transport)),
    Layer.fresh,
    Layer.build,
    Effect.map(Context.get(ZooKeeper.ZooKeeper))
  )

/** Runs something in a process for as long as it takes, without a parent. */
export const forkInNode = <A, E, R>(node: Simulation.Node, effect: Effect.Effect<A, E, R>) =>
  node.run(Effect.forkDetach(effect))

/** Interrupts and waits for the end. */
export const interrupt = (fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<void> =>
  Effect.callback((resume) => {
    fiber.addObserver(() => resume(Effect.void))
    fiber.interruptUnsafe()
  })

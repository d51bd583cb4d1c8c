/** The target of the conformance suite: a server, however it is reached, and clients of it. */
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Session from "@effect-zookeeper/session/Session"
import { Transport } from "@effect-zookeeper/transport/Transport"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { Steps, TestWith } from "../TestWith.ts"
import { freshPath } from "../TestServer.ts"

/** How a client reaches the server. */
export interface Endpoint {
  /** Without a chroot. */
  readonly servers: string
  readonly transport: Transport["Service"]
}

/** An endpoint of its own, which can be broken. */
export interface BreakableEndpoint extends Endpoint {
  /** Ends the connections, and lets none in until `heal`. */
  readonly cut: Effect.Effect<void>
  readonly heal: Effect.Effect<void>
  /** The next such request is applied; its reply is lost, and the connection with it. */
  readonly loseReply: (operation: Operation.Any) => Effect.Effect<void>
  /** The next such request never comes to the server, and the connection ends. */
  readonly loseRequest: (operation: Operation.Any) => Effect.Effect<void>
}

/**
 * A server as `ZooKeeperServer` configures one: a tick of 500 ms and sessions of up to a minute, the super user
 * `super:secret`, TTL znodes, containers collected within a second; reached from 127.0.0.1 as far as it knows.
 */
export class Target extends Context.Service<
  Target,
  Endpoint & {
    readonly link: Effect.Effect<BreakableEndpoint, never, Scope.Scope>
  }
>()("@effect-zookeeper/test-kit/conformance/Target") {}

/** The client of a layer, with a session of its own that ends with the Scope. */
export const clientOf = <E, R>(layer: Layer.Layer<ZooKeeper.ZooKeeper, E, R>) =>
  Effect.map(Layer.build(Layer.fresh(layer)), Context.get(ZooKeeper.ZooKeeper))

/** A client that ends with the Scope. */
export const connectTo = (
  endpoint: Endpoint,
  options: Omit<ZooKeeper.Options, "servers" | "tls"> & { readonly chroot?: string | undefined } = {}
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Scope.Scope> =>
  ZooKeeper.layerSession(options).pipe(
    Layer.provide(Session.layer({ servers: endpoint.servers, retry: soon, ...options })),
    Layer.provide(Layer.succeed(Transport, endpoint.transport)),
    clientOf
  )

/** A client of the target. */
export const connect = (
  options: Parameters<typeof connectTo>[1] = {}
): Effect.Effect<ZooKeeper.Service, ZooKeeper.StartError, Target | Scope.Scope> =>
  Effect.flatMap(Target, (target) => connectTo(target, options))

/** A chroot of its own for a test, below `/<name>…`: a persistent znode, and a client whose root it is. */
export const makeChroot = Effect.fnUntraced(function* (name: string) {
  const chroot = freshPath(name)
  const root = yield* connect()
  yield* root.create(chroot)
  return { chroot, root, zk: yield* root.withChroot(chroot) }
})

/** A chroot of its own, a client that reaches it over a link, and another one beside it. */
export const makeChrootWithLink = Effect.fnUntraced(function* (options: Parameters<typeof connectTo>[1] = {}) {
  const { chroot, zk: beside } = yield* makeChroot("conformance")
  const target = yield* Target
  const link = yield* target.link
  const zk = yield* connectTo(link, { ...options, chroot })
  return { zk, beside, link, chroot }
})

/** The givens of a test in a chroot of its own. */
export type InChroot = Effect.Success<ReturnType<typeof makeChroot>>

/** `it` of the suite. */
export interface ConformanceTests {
  /** A test that is given nothing. */
  readonly effect: TestWith<void, Target>
  /** Whether the server is of this release, or answers as one of it, or of a newer one. */
  readonly isAtLeast: (release: string) => boolean
  /** The title of a test that asserts a typed refusal on an older server: there it says so. */
  readonly refusedBefore: (release: string, title: string) => string
  /**
   * A test of operations that servers know since a release. An older server must refuse each of the calls with a typed error,
   * and go on to serve the session.
   */
  readonly since: (
    release: string,
    name: string,
    calls: (given: InChroot) => ReadonlyArray<Effect.Effect<unknown, { readonly _tag: string }>>,
    steps: Steps<InChroot, Target>
  ) => void
  /** A test in a chroot of its own. */
  readonly inChroot: TestWith<InChroot, Target>
  /** A test in a chroot of its own, with a client whose connection can be broken. */
  readonly withLink: TestWith<Effect.Success<ReturnType<typeof makeChrootWithLink>>, Target>
}

/** No test waits for a reconnection. */
const soon = Schedule.spaced("20 millis")

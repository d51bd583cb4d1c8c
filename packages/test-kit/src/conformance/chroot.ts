/** A chroot of its own for a test, and as many clients there as the test likes. */
import type { SessionCredentials } from "@effect-zookeeper/session/Session"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type BreakableEndpoint, connectTo, makeChroot as makeClientInChroot, Target } from "./Target.ts"

type ClientOptions = Parameters<typeof connectTo>[1]

/** The environment of a test in a chroot. */
export interface TestChroot {
  /** Where it is. */
  readonly chroot: string
  /** A client of the chroot. */
  readonly zk: ZooKeeper.Service
  /** Another client there, with a session of its own. */
  readonly another: (options?: ClientOptions) => Effect.Effect<ZooKeeper.Service, never, Scope.Scope>
  /** Another client there, whose connections can be broken. */
  readonly breakable: (
    options?: ClientOptions
  ) => Effect.Effect<{ readonly zk: ZooKeeper.Service; readonly link: BreakableEndpoint }, never, Scope.Scope>
  /**
   * Ends the session of a client at the server, as an expiry does: its znodes are gone when this returns. The client
   * itself may not have heard of it yet, and take its connection for a good one.
   */
  readonly expire: (zk: ZooKeeper.Service) => Effect.Effect<void>
}

/** A fresh chroot below `/<name>…`; its sessions end with the Scope of the test. */
export const makeChroot = (name: string): Effect.Effect<TestChroot, never, Target | Scope.Scope> =>
  Effect.gen(function* () {
    const target = yield* Target
    const { chroot, root, zk } = yield* makeClientInChroot(name)
    return {
      chroot,
      zk,
      another: (options?: ClientOptions) => Effect.orDie(connectTo(target, { ...options, chroot })),
      breakable: Effect.fnUntraced(function* (options?: ClientOptions) {
        const link = yield* target.link
        return { link, zk: yield* Effect.orDie(connectTo(link, { ...options, chroot })) }
      }),
      expire: ({ session }: ZooKeeper.Service) =>
        // A session is refused as soon as a server means to end it; what is asked afterwards sees it ended.
        Effect.andThen(endSession(target, { id: session.id, password: session.password }), Effect.orDie(root.sync("/")))
    }
  }).pipe(Effect.orDie)

/** Runs with a client. */
export const withClient = (zk: ZooKeeper.Service) => Effect.provideService(ZooKeeper.ZooKeeper, zk)

// ---- internal

/**
 * A client that resumes a session and closes it ends it. Its owner, whose connection the server closes, may be quick
 * enough to take it back: this tries until it is gone.
 */
const endSession = (way: Target["Service"], session: SessionCredentials): Effect.Effect<void> =>
  Effect.scoped(connectTo(way, { session, sessionExpiry: "fail" })).pipe(
    Effect.andThen(Effect.fail("taken back")),
    Effect.retry({ while: (error) => error === "taken back" }),
    Effect.catchTag("SessionExpired", () => Effect.void),
    Effect.orDie
  )

/** The servers that everything is tested on, and clients of them. */
import { type BreakableEndpoint, connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import { freshPath } from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import { ServerRefused } from "@effect-zookeeper/client/Errors"
import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

type ClientOptions = Parameters<typeof connectTo>[1]

/** The environment of a test: a chroot of its own, and as many clients there as it likes. */
interface TestChroot {
  readonly zk: ZooKeeper.Service
  /** Another client there, with a session of its own. */
  readonly another: (options?: ClientOptions) => Effect.Effect<ZooKeeper.Service, never, Scope.Scope>
  /** Another client there, whose connections can be broken. */
  readonly breakable: (
    options?: ClientOptions
  ) => Effect.Effect<{ readonly zk: ZooKeeper.Service; readonly link: BreakableEndpoint }, never, Scope.Scope>
  /** Ends the session of a client at the server, as an expiry does. */
  readonly expire: (zk: ZooKeeper.Service) => Effect.Effect<void>
}

/** Tests in a chroot of their own, in real time, on the embedded server and on real ZooKeeper. */
export const describeOnServers = (name: string, tests: (test: TestWith<TestChroot, Target>) => void): void => {
  for (const [where, target] of [
    ["the embedded server", Targets.embeddedMemory],
    ["real ZooKeeper", Targets.real]
  ] as const) {
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) => tests(testWith(effect, makeChroot)))
    })
  }
}

const makeChroot: Effect.Effect<TestChroot, never, Target | Scope.Scope> = Effect.gen(function* () {
  const target = yield* Target
  const chroot = freshPath("config")
  const root = yield* connectTo(target)
  yield* root.create(chroot)
  return {
    zk: yield* root.withChroot(chroot),
    another: (options?: ClientOptions) => Effect.orDie(connectTo(target, { ...options, chroot })),
    breakable: (options?: ClientOptions) =>
      Effect.gen(function* () {
        const link = yield* target.link
        return { link, zk: yield* Effect.orDie(connectTo(link, { ...options, chroot })) }
      }),
    expire: ({ session }: ZooKeeper.Service) => {
      const ended = { id: session.id, password: session.password }
      // Its owner may be quick enough to take it back.
      return Effect.scoped(connectTo(target, { session: ended, sessionExpiry: "fail" })).pipe(
        Effect.andThen(Effect.fail("taken back" as const)),
        Effect.retry({ while: (error) => error === "taken back" }),
        Effect.catchTag("SessionExpired", () => Effect.void),
        Effect.andThen(root.sync("/")),
        Effect.orDie
      )
    }
  }
}).pipe(Effect.orDie)

/** Runs with a client. */
export const withClient = (zk: ZooKeeper.Service) => Effect.provideService(ZooKeeper.ZooKeeper, zk)

/** A client whose server knows no persistent watches. */
export const withoutRecursiveWatches = (zk: ZooKeeper.Service): ZooKeeper.Service => ({
  ...zk,
  session: zk.session,
  events: (path) =>
    Stream.fail(new ServerRefused({ operation: "addWatch", path, code: codes.Unimplemented, name: "Unimplemented" }))
})

/** Creates znodes, parents first, with their data. */
export const plant = (zk: ZooKeeper.Service, tree: Readonly<Record<string, string>>) =>
  Effect.forEach(Object.entries(tree), ([path, data]) => zk.createWithParents(path, { data }), { discard: true })

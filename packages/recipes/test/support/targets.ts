/** The servers that every recipe is tested on, and clients of them. */
import { type BreakableEndpoint, connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Release from "@effect-zookeeper/test-kit/Release"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import type * as Session from "@effect-zookeeper/session/Session"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export {
  awaitCondition,
  eventually,
  failure,
  numbersBelow,
  outcome,
  pullFrom,
  text
} from "@effect-zookeeper/test-kit/Expectations"

/** `it` of a test of recipes. */
export interface RecipeTests {
  /** A test that is given nothing. */
  readonly effect: TestWith<void, Target>
  /** A test in a chroot of its own. */
  readonly inChroot: TestWith<TestChroot, Target>
  /** Whether the server is of this release, or answers as one of it, or of a newer one. */
  readonly isAtLeast: (release: string) => boolean
  /** The same, of servers of a release and newer ones: on an older one it is skipped, with the reason in its title. */
  readonly since: (release: string) => TestWith<TestChroot, Target>
}

/** The same tests on the embedded server and on real ZooKeeper, in real time. */
export const describeOnServers = (name: string, tests: (it: RecipeTests) => void): void => {
  for (const [where, target, release] of [
    ["the embedded server", Targets.embeddedMemory, "3.8.0"],
    ["real ZooKeeper", Targets.real, TestServer.release()]
  ] as const) {
    const isAtLeast = (other: string) => Release.isAtLeast(release, other)
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) => {
        const inChroot = testWith(effect, makeChroot)
        const since = (first: string): TestWith<TestChroot, Target> =>
          isAtLeast(first) ? inChroot : (title) => effect.skip(Release.needsTitle(title, first), () => Effect.void)
        tests({ effect: testWith(effect, Effect.void), inChroot, isAtLeast, since })
      })
    })
  }
}

type ClientOptions = Parameters<typeof connectTo>[1]

/** The environment of a test: a chroot of its own, and as many clients there as it likes. */
interface TestChroot {
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
  /** How many watches the server has below the chroot. */
  readonly watches: Effect.Effect<number>
}

/** A fresh chroot; its sessions end with the Scope of the test. */
export const makeChroot: Effect.Effect<TestChroot, never, Target | Scope.Scope> = Effect.gen(function* () {
  const target = yield* Target
  const chroot = TestServer.freshPath("recipes")
  const root = yield* connectTo(target)
  yield* root.create(chroot)
  const another = (options?: ClientOptions) => Effect.orDie(connectTo(target, { ...options, chroot }))
  return {
    zk: yield* root.withChroot(chroot),
    another,
    breakable: (options?: ClientOptions) =>
      Effect.gen(function* () {
        const link = yield* target.link
        return { link, zk: yield* Effect.orDie(connectTo(link, { ...options, chroot })) }
      }),
    watches: countWatches(target, chroot),
    expire: (zk: ZooKeeper.Service) =>
      // A session is refused as soon as a server means to end it; what is asked afterwards sees it ended.
      Effect.andThen(
        endSession(target, { id: zk.session.id, password: zk.session.password }),
        Effect.orDie(root.sync("/"))
      )
  }
}).pipe(Effect.orDie)

/** Waits until a client has a session that is not the one of before. */
export const awaitNextSession = (zk: ZooKeeper.Service, before: bigint) =>
  awaitCondition(() => zk.session.id !== before && zk.session.id !== 0n)

/** Waits until no watch is left. Servers before 3.5 keep those that no one needs any more, until their connection ends. */
export const awaitNoWatches = <E, R>(watches: Effect.Effect<number, E, R>) =>
  TestServer.isAtLeast("3.5.0") ? eventually(watches, (count) => count === 0) : Effect.void

/** Runs with a client. */
export const withClient = (zk: ZooKeeper.Service) => Effect.provideService(ZooKeeper.ZooKeeper, zk)

/**
 * A client that resumes a session and closes it ends it. Its owner, whose connection the server closes, may be quick
 * enough to take it back: this tries until it is gone.
 */
const endSession = (way: Target["Service"], session: Session.SessionCredentials): Effect.Effect<void> =>
  Effect.scoped(connectTo(way, { session, sessionExpiry: "fail" })).pipe(
    Effect.andThen(Effect.fail("taken back")),
    Effect.retry({ while: (error) => error === "taken back" }),
    Effect.catchTag("SessionExpired", () => Effect.void),
    Effect.orDie
  )

/** The embedded server does not tell paths, but has no other tests beside this one; the real one has. */
const countWatches = ({ servers, transport }: Target["Service"], chroot: string): Effect.Effect<number> => {
  const [host = "", port] = servers.split(":")
  const address = { host, port: Number(port) }
  const ask = (word: "wchs" | "wchp") => Effect.orDie(FourLetterWord.ask(transport, address, address, word))
  if (host === "memory") return Effect.map(ask("wchs"), (answer) => Number(/Total watches:(\d+)/.exec(answer)?.[1]))
  return Effect.map(ask("wchp"), (answer) => {
    let isOurs = false
    let count = 0
    for (const line of answer.split("\n")) {
      if (line.startsWith("/")) isOurs = line.startsWith(chroot)
      else if (isOurs && line.startsWith("\t")) count++
    }
    return count
  })
}

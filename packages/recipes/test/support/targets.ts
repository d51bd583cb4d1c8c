/** The servers that every recipe is tested on, and clients of them. */
import { makeChroot as makeTestChroot, type TestChroot } from "@effect-zookeeper/test-kit/conformance/chroot"
import { Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { awaitCondition, eventually } from "@effect-zookeeper/test-kit/Expectations"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import * as Release from "@effect-zookeeper/test-kit/Release"
import * as TestServer from "@effect-zookeeper/test-kit/TestServer"
import type * as ZooKeeper from "@effect-zookeeper/client/ZooKeeper"
import * as FourLetterWord from "@effect-zookeeper/transport/FourLetterWord"
import { describe, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

export {
  assertEach,
  atOnce,
  awaitCondition,
  closable,
  eachAtOnce,
  eventually,
  failure,
  gather,
  inScope,
  now,
  numbersBelow,
  outcome,
  pullFrom,
  text
} from "@effect-zookeeper/test-kit/Expectations"
export { withClient } from "@effect-zookeeper/test-kit/conformance/chroot"

/** `it` of a test of recipes. */
export interface RecipeTests {
  /** A test that is given nothing. */
  readonly effect: TestWith<void, Target>
  /** A test in a chroot of its own. */
  readonly inChroot: TestWith<WatchedChroot, Target>
  /** Whether the server is of this release, or answers as one of it, or of a newer one. */
  readonly isAtLeast: (release: string) => boolean
  /** The same, of servers of a release and newer ones: on an older one it is skipped, with the reason in its title. */
  readonly since: (release: string) => TestWith<WatchedChroot, Target>
}

/** The same tests on the embedded server and on real ZooKeeper, in real time. */
export const describeOnServers = (name: string, tests: (it: RecipeTests) => void): void => {
  for (const [where, target] of Targets.both(Targets.embeddedMemory)) {
    const release = target === Targets.real ? TestServer.release() : "3.8.0"
    const isAtLeast = (other: string) => Release.isAtLeast(release, other)
    describe(`${name}, on ${where}`, () => {
      layer(target, { excludeTestServices: true })(({ effect }) => {
        const inChroot = testWith(effect, makeChroot)
        const since = (first: string): TestWith<WatchedChroot, Target> =>
          isAtLeast(first) ? inChroot : (title) => effect.skip(Release.needsTitle(title, first), () => Effect.void)
        tests({ effect: testWith(effect, Effect.void), inChroot, isAtLeast, since })
      })
    })
  }
}

/** The environment of a test: a chroot, and how many watches the server has below it. */
interface WatchedChroot extends TestChroot {
  readonly watches: Effect.Effect<number>
}

/** A fresh chroot; its sessions end with the Scope of the test. */
export const makeChroot: Effect.Effect<WatchedChroot, never, Target | Scope.Scope> = Effect.gen(function* () {
  const target = yield* Target
  const made = yield* makeTestChroot("recipes")
  return { ...made, watches: countWatches(target, made.chroot) }
})

/** Waits until a client has a session that is not the one of before. */
export const awaitNextSession = (zk: ZooKeeper.Service, before: bigint) =>
  awaitCondition(() => zk.session.id !== before && zk.session.id !== 0n)

/** Waits until no watch is left. Servers before 3.5 keep those that no one needs any more, until their connection ends. */
export const awaitNoWatches = <E, R>(watches: Effect.Effect<number, E, R> | undefined) =>
  watches !== undefined && TestServer.isAtLeast("3.5.0") ? eventually(watches, (count) => count === 0) : Effect.void

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

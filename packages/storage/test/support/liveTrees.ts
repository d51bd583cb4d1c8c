/** Trees on the embedded server and on real ZooKeeper, and files of a test's own. */
import { Acl, type Op, type ZooKeeper } from "@effect-zookeeper/client"
import * as Targets from "@effect-zookeeper/test-kit/conformance/targets"
import { connectTo, Target } from "@effect-zookeeper/test-kit/conformance/Target"
import * as TemporaryFolder from "@effect-zookeeper/test-kit/TemporaryFolder"
import { freshPath, isAtLeast } from "@effect-zookeeper/test-kit/TestServer"
import { testWith, type TestWith } from "@effect-zookeeper/test-kit/TestWith"
import { describe, layer } from "@effect/vitest"
import * as NodeFileSystem from "@effect/platform-node-shared/NodeFileSystem"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Path from "node:path"
import { Diff, type TreeSource } from "../../src/index.ts"

export interface LiveTrees {
  /** A client of a chroot of its own. */
  readonly zk: ZooKeeper.Service
  /** The chroot, for other clients. */
  readonly chroot: string
  /** A client of the same chroot with a session of its own, as the super user if `isSuper`. */
  readonly another: (options?: { readonly isSuper?: boolean }) => Effect.Effect<ZooKeeper.Service, never, Scope.Scope>
  /** A path in a folder that is removed afterwards. */
  readonly file: (name: string) => string
}

/** How often a mirror looks at both trees. Before 3.6 servers have no recursive watches, and it finds changes only then. */
export const checkInterval = isAtLeast("3.6.0") ? "1 minute" : "200 millis"

export const describeOnServers = (
  name: string,
  tests: (it: TestWith<LiveTrees, Target | FileSystem.FileSystem>) => void
): void => {
  for (const [where, target] of Targets.both(Targets.embeddedTcp)) {
    describe(`${name}, on ${where}`, () => {
      layer(Layer.mergeAll(target, NodeFileSystem.layer), { excludeTestServices: true })(({ effect }) =>
        tests(testWith<LiveTrees, never, Services>(effect, makeLiveTrees))
      )
    })
  }
}

type Services = Target | FileSystem.FileSystem | Scope.Scope

const makeLiveTrees: Effect.Effect<LiveTrees, never, Target | Scope.Scope> = Effect.gen(function* () {
  const target = yield* Target
  const chroot = freshPath("storage")
  const root = yield* connectTo(target)
  yield* root.create(chroot)
  const folder = yield* TemporaryFolder.make("storage-")
  return {
    zk: yield* root.withChroot(chroot),
    chroot,
    another: ({ isSuper = false } = {}) =>
      Effect.gen(function* () {
        const zk = yield* connectTo(target, { chroot })
        if (isSuper) yield* zk.addAuth("digest", Redacted.make("super:secret"))
        return zk
      }).pipe(Effect.orDie),
    file: (name) => Path.join(folder, name)
  } satisfies LiveTrees
}).pipe(Effect.orDie)

const names = ["a", "b", "ä", "日本", "d-e", "Ω", `long-${"x".repeat(60)}`]

/** Grows a random tree below a path: some hundred znodes with data of all kinds, ACLs, and parents whose children have gone. */
export const growTree = (zk: ZooKeeper.Service, root: string, size: number) =>
  Effect.gen(function* () {
    const paths = [root]
    const pick = <A>(values: ReadonlyArray<A>) =>
      Effect.map(Random.nextIntBetween(0, values.length - 1), (at) => values[at]!)
    if (!(yield* zk.exists(root))) yield* zk.create(root, { data: "root" })
    for (let step = 0; step < size; step++) {
      const parent = yield* pick(paths)
      const path = `${parent}/${yield* pick(names)}`
      const data = new Uint8Array(yield* pick([0, 1, 20, 300])).fill(yield* pick([65, 200]))
      const acl = yield* pick([Acl.open, Acl.open, [...Acl.readOnly, { perms: 31, scheme: "ip", id: "127.0.0.1" }]])
      switch (yield* Random.nextIntBetween(0, 6)) {
        case 0:
          // Only the counter of the parent remembers it.
          yield* Effect.flatMap(zk.create(`${parent}/n-`, { mode: "persistentSequential" }), (made) => zk.delete(made))
          break
        case 1:
          paths.push(yield* zk.create(`${parent}/s-`, { mode: "persistentSequential", data, acl }))
          break
        case 2:
          yield* Effect.ignore(zk.setData(parent, data))
          break
        default:
          yield* Effect.ignore(
            Effect.map(zk.create(path, { data, acl }), () => {
              paths.push(path)
            })
          )
      }
    }
    return paths
  })

/** All differences of two trees. */
export const differences = <E, R, E2, R2>(
  left: TreeSource.TreeSource<E, R>,
  right: TreeSource.TreeSource<E2, R2>,
  options?: Diff.Options
) => Stream.runCollect(Diff.compare(left, right, options))

/** The znodes of a tree whose next sequential number is lower in another tree. Paths begin at the first znodes. */
export const lowerCounters = <E, R, E2, R2>(
  tree: TreeSource.TreeSource<E, R>,
  other: TreeSource.TreeSource<E2, R2>
): Effect.Effect<ReadonlyArray<string>, E | E2, R | R2> =>
  Effect.gen(function* () {
    const counters = new Map<string, number>()
    for (const { znode } of yield* Stream.runCollect(other.entries)) {
      counters.set(znode.path.slice(other.root.length), znode.cversion)
    }
    return (yield* Stream.runCollect(tree.entries)).flatMap(({ znode }) => {
      const path = znode.path.slice(tree.root.length)
      return (counters.get(path) ?? 0) < znode.cversion ? [path] : []
    })
  })

/** Runs an effect on a client that answers so many requests of some methods and no more, and interrupts it then. */
export const interruptedAfter = <A, E, R>(
  zk: ZooKeeper.Service,
  count: number,
  run: (limited: ZooKeeper.Service) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function* () {
    const reached = yield* Deferred.make<void>()
    let left = count
    const limit = <B, E2>(request: Effect.Effect<B, E2>): Effect.Effect<B, E2> =>
      Effect.suspend(() => {
        if (left-- > 0) return request
        Deferred.doneUnsafe(reached, Effect.void)
        return Effect.never
      })
    const limited: ZooKeeper.Service = {
      ...zk,
      get: (path) => limit(zk.get(path)),
      create: (path, options) => limit(zk.create(path, options)),
      setAcl: (path, acl, options) => limit(zk.setAcl(path, acl, options)),
      setData: (path, data, options) => limit(zk.setData(path, data, options)),
      transaction: <const Ops extends ReadonlyArray<Op.Write>>(ops: Ops) => limit(zk.transaction(ops))
    }
    return yield* Effect.raceFirst(Effect.asSome(run(limited)), Effect.as(Deferred.await(reached), undefined))
  })

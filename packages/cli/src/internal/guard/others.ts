/** Contenders that do not wait for a guarded command, beside which it would run at the same time as theirs. */
import type { ReadError } from "@effect-zookeeper/client/Errors"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Layouts from "@effect-zookeeper/recipes/Layouts"
import type * as LeaderElection from "@effect-zookeeper/recipes/LeaderElection"
import type * as Lock from "@effect-zookeeper/recipes/Lock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { Conflict } from "../frame/errors.ts"
import { shown } from "../output/text.ts"
import { isKazooLease } from "../recipes/contention.ts"

/** The names of a contender, in the words of `Layouts`. */
type Names = Pick<Layouts.Contender, "kind" | "layout">

/** The layout of a command, and the names of all layouts that its flag takes. */
interface Own<Layout extends string> {
  readonly layout: Layout
  readonly names: Readonly<Record<Layout, Names>>
}

export const lockNames: Readonly<Record<Lock.Layout, Names>> = {
  curator: { kind: "lock", layout: "curator" },
  go: { kind: "lock", layout: "go" },
  kazoo: { kind: "lock", layout: "kazoo" },
  aiozk: { kind: "lock", layout: "aiozk" }
}

/** Those of kazoo and of Curator's LeaderSelector are those of a lock. */
export const candidateNames: Readonly<Record<LeaderElection.Layout, Names>> = {
  latch: { kind: "candidate", layout: "curator" },
  selector: { kind: "lock", layout: "curator" },
  kazoo: { kind: "lock", layout: "kazoo" },
  aiozk: { kind: "candidate", layout: "aiozk" }
}

/**
 * Fails where the children of the path are contenders that do not wait for this one. It is looked for twice: before this
 * one contends, so that no command waits in vain, and when its turn has come, for those that were in the queue meanwhile.
 */
export const refuseOthers = Effect.fnUntraced(function* <Layout extends string>(
  zk: Service,
  path: string,
  { layout, names }: Own<Layout>
): Effect.fn.Return<void, Conflict | ReadError> {
  const own = names[layout]
  const waits = (other: Names): boolean => other.kind === own.kind && Layouts.waitsFor(other.layout, own.layout)
  const others = Layouts.contenders(yield* childrenOf(zk, path)).filter((other) => !waits(other))
  const other = yield* firstEphemeral(zk, path, others)
  if (other === undefined) return
  const fitting = Object.entries<Names>(names).find(
    ([, { kind, layout }]) => kind === other.kind && layout === other.layout
  )
  // The names of kazoo do not tell a lock from an election.
  const what = other.kind === own.kind || other.layout === "kazoo" ? "" : ` for ${recipes[other.kind]}`
  return yield* new Conflict({
    message:
      `${shown(path)} has contenders of ${libraries[other.layout]}${what}, which do not wait for those of the layout ${layout}: ` +
      `${fitting === undefined ? "name another path" : `give --layout ${fitting[0]}`}, or wait until they are gone`
  })
})

/** The same for a semaphore, whose permits are further down: contenders at the path itself are of another recipe or library. */
export const refuseOtherPermits = Effect.fnUntraced(function* (
  zk: Service,
  path: string
): Effect.fn.Return<void, Conflict | ReadError> {
  const children = yield* childrenOf(zk, path)
  const leases = children.filter(isKazooLease).map((name) => ({ name, what: "permits of kazoo" }))
  const contenders = Layouts.contenders(children).map(({ kind, layout, name }) => ({
    name,
    what: `contenders of ${libraries[layout]} for ${recipes[kind]}`
  }))
  const other = yield* firstEphemeral(zk, path, [...leases, ...contenders])
  if (other === undefined) return
  return yield* new Conflict({
    message: `${shown(path)} has ${other.what}, which do not count those of zk: name another path, or wait until they are gone`
  })
})

// ---- internal

const libraries: Readonly<Record<Names["layout"], string>> = {
  curator: "Curator or of this library",
  go: "go-zookeeper",
  kazoo: "kazoo",
  aiozk: "aiozk"
}

const recipes: Readonly<Record<Names["kind"], string>> = {
  lock: "a lock",
  read: "a read-write lock",
  write: "a read-write lock",
  candidate: "an election",
  lease: "a semaphore"
}

/** What may not be read is found out by the recipe itself. */
const childrenOf = (zk: Service, path: string): Effect.Effect<ReadonlyArray<string>, ReadError> =>
  Effect.catchTags(zk.getChildren(path), { NoNode: () => Effect.succeed([]), NoAuth: () => Effect.succeed([]) })

/** A znode with the name of a contender contends only if it is ephemeral. */
const firstEphemeral = Effect.fnUntraced(function* <Named extends { readonly name: string }>(
  zk: Service,
  path: string,
  all: ReadonlyArray<Named>
): Effect.fn.Return<Named | undefined, ReadError> {
  for (const named of all) {
    const stat = yield* zk.stat(ZnodePath.join(path, named.name))
    if (Option.isSome(stat) && stat.value.ephemeralOwner !== 0n) return named
  }
  return undefined
})

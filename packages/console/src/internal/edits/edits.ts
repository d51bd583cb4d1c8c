/** The changes that a page asks for, each by the version that the person saw. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Models from "../../Models.ts"
import { Conflict, type EditFailure, MoreBelow, Refused } from "../../ProtocolError.ts"
import { type ClientError, toEditFailure, toReadFailure } from "../failures.ts"
import * as limits from "../limits.ts"
import { countZnodes } from "../tree/search.ts"
import { isMasked, newAcl } from "./acl.ts"

export interface Created {
  readonly path: string
  readonly data: Uint8Array
  readonly mode: typeof Models.CreateMode.Type
  readonly ttl?: number | undefined
  readonly acl?: ReadonlyArray<typeof Models.NewAclEntry.Type> | undefined
  readonly parents: boolean
}

/** A znode without an ACL of its own gets that of its parent, if it can be read. Missing ancestors are persistent. */
export const create = Effect.fnUntraced(
  function* (zk: Service, { acl, data, mode, parents, path, ttl }: Created) {
    const missing: Array<string> = []
    let above = ZnodePath.parent(path)
    while (parents && above !== undefined && !(yield* exists(zk, above))) {
      missing.unshift(above)
      above = ZnodePath.parent(above)
    }
    const inherited = above === undefined ? undefined : yield* aclOf(zk, above)
    const entries = acl === undefined ? inherited : yield* Effect.fromResult(newAcl(acl, inherited ?? []))
    if ([...(inherited ?? []), ...(entries ?? [])].some(isMasked)) {
      return yield* new Refused({
        reason: "invalid",
        message: `the ACL of ${above} has hashes that this console may not see, so that no child can get it; give it the ADMIN permission there`
      })
    }
    for (const ancestor of missing) {
      yield* Effect.catchTag(zk.create(ancestor, inherited === undefined ? {} : { acl: inherited }), "NodeExists", () =>
        Effect.succeed(ancestor)
      )
    }
    return yield* zk.createWithStat(path, {
      data,
      mode,
      ...(ttl === undefined ? {} : { ttl }),
      ...(entries === undefined ? {} : { acl: entries })
    })
  },
  Effect.mapError((error): EditFailure => (isOurs(error) ? error : toEditFailure(error)))
)

export const save = (
  zk: Service,
  path: string,
  version: number,
  data: Uint8Array
): Effect.Effect<Models.Stat, EditFailure> =>
  checkVersion(version, "version").pipe(
    Effect.andThen(zk.setData(path, data, { version })),
    Effect.catch((error) => failEdit(zk, path, version, error))
  )

export const saveAcl = (
  zk: Service,
  path: string,
  aversion: number,
  acl: ReadonlyArray<typeof Models.NewAclEntry.Type>
): Effect.Effect<Models.Stat, EditFailure> =>
  Effect.gen(function* () {
    yield* checkVersion(aversion, "aversion")
    const before = yield* zk.getAcl(path)
    // Entries that are kept are those of the ACL that the person saw.
    if (before.stat.aversion !== aversion) return yield* conflict(zk, path, aversion)
    const entries = yield* Effect.fromResult(newAcl(acl, before.acl))
    return yield* zk.setAcl(path, entries, { version: aversion })
  }).pipe(Effect.catch((error) => (isOurs(error) ? Effect.fail(error) : failEdit(zk, path, aversion, error))))

/** A subtree is counted first, and what is created in it meanwhile is deleted with it. */
export const remove = (
  zk: Service,
  path: string,
  version: number,
  subtree: { readonly znodes: number } | undefined
): Effect.Effect<{ readonly deleted: number }, EditFailure> =>
  Effect.gen(function* () {
    yield* checkVersion(version, "version")
    if (subtree === undefined) {
      yield* zk.delete(path, { version })
      return { deleted: 1 }
    }
    const stat = yield* zk.stat(path)
    if (Option.isNone(stat) || stat.value.version !== version) return yield* conflict(zk, path, version)
    const znodes = yield* countZnodes(zk, path)
    if (znodes > limits.removal) {
      return yield* new Refused({
        reason: "tooMuch",
        message: `${path} has ${znodes} znodes, and the console deletes ${limits.removal} at most; use \`zk rm --recursive\``
      })
    }
    if (znodes > subtree.znodes) return yield* new MoreBelow({ path, znodes })
    yield* zk.deleteAll(path)
    return { deleted: znodes }
  }).pipe(Effect.catch((error) => (isOurs(error) ? Effect.fail(error) : failEdit(zk, path, version, error))))

// ---- internal

type Ours = Refused | Conflict | MoreBelow

const isOurs = (error: ClientError | Ours): error is Ours =>
  error._tag === "Refused" || error._tag === "Conflict" || error._tag === "MoreBelow"

/** -1 is any version for servers, which is not what a person has seen. */
const checkVersion = (version: number, name: string): Effect.Effect<void, Refused> =>
  version >= 0
    ? Effect.void
    : Effect.fail(new Refused({ reason: "invalid", message: `${name} ${version} is none that a znode can have` }))

const failEdit = (
  zk: Service,
  path: string,
  seen: number,
  error: ClientError | Ours
): Effect.Effect<never, EditFailure> => {
  if (isOurs(error)) return Effect.fail(error)
  switch (error._tag) {
    case "BadVersion":
      return conflict(zk, path, seen)
    case "NoNode":
      return Effect.fail(new Conflict({ path, seen }))
    case "NotEmpty":
      return Effect.flatMap(Effect.mapError(countZnodes(zk, path), toReadFailure), (znodes) =>
        Effect.fail(new MoreBelow({ path, znodes }))
      )
    default:
      return Effect.fail(toEditFailure(error))
  }
}

const conflict = (zk: Service, path: string, seen: number): Effect.Effect<never, EditFailure> =>
  zk.get(path).pipe(
    Effect.map(({ data, stat }): Conflict["current"] => ({ stat, data })),
    Effect.catchTags({
      NoNode: () => Effect.succeed(undefined),
      NoAuth: () => Effect.map(zk.stat(path), (stat) => (Option.isNone(stat) ? undefined : { stat: stat.value }))
    }),
    Effect.mapError(toReadFailure),
    Effect.flatMap((current) =>
      Effect.fail(new Conflict({ path, seen, ...(current === undefined ? {} : { current }) }))
    )
  )

/** A znode that may not be read is there: newer servers say so instead of its stat. */
const exists = (zk: Service, path: string): Effect.Effect<boolean, ClientError> =>
  Effect.catchTag(zk.exists(path), "NoAuth", () => Effect.succeed(true))

const aclOf = (zk: Service, path: string): Effect.Effect<ReadonlyArray<Acl.Acl> | undefined, ClientError> =>
  zk.getAcl(path).pipe(
    Effect.map(({ acl }) => acl),
    Effect.catchTags({ NoNode: () => Effect.succeed(undefined), NoAuth: () => Effect.succeed(undefined) })
  )

/** The changes that a page asks for, each by the version that the person saw. */
import type * as Acl from "@effect-zookeeper/client/Acl"
import * as Outcome from "@effect-zookeeper/client/Outcome"
import type { Service } from "@effect-zookeeper/client/Service"
import * as ZnodePath from "@effect-zookeeper/client/ZnodePath"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Models from "../../Models.ts"
import { Conflict, type EditFailure, MoreBelow, Refused, Unavailable } from "../../ProtocolError.ts"
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
    return yield* zk
      .createWithStat(path, {
        data,
        mode,
        ...(ttl === undefined ? {} : { ttl }),
        ...(entries === undefined ? {} : { acl: entries })
      })
      .pipe(Effect.catchIf(Outcome.isUnimplemented, (error) => Effect.fail(needOf(mode) ?? error)))
  },
  Effect.mapError((error): EditFailure => (isOurs(error) ? error : toEditFailure(error)))
)

/** The znode that a person saw, by the transaction that created it, and the version of its data or of its ACL. */
export interface Seen {
  readonly path: string
  readonly czxid: bigint
  readonly version: number
}

export const save = (zk: Service, seen: Seen, data: Uint8Array): Effect.Effect<Models.Stat, EditFailure> =>
  Effect.gen(function* () {
    yield* checkVersion(seen.version, "version")
    yield* checkBirth(zk, seen)
    return yield* sameAs(seen, yield* zk.setData(seen.path, data, { version: seen.version }))
  }).pipe(Effect.catch((error) => failEdit(zk, seen, error)))

export const saveAcl = (
  zk: Service,
  seen: Seen,
  acl: ReadonlyArray<typeof Models.NewAclEntry.Type>
): Effect.Effect<Models.Stat, EditFailure> =>
  Effect.gen(function* () {
    yield* checkVersion(seen.version, "aversion")
    yield* zk.sync(seen.path)
    const before = yield* zk.getAcl(seen.path)
    // Entries that are kept are those of the ACL that the person saw.
    if (before.stat.czxid !== seen.czxid || before.stat.aversion !== seen.version) return yield* conflict(zk, seen)
    const entries = yield* Effect.fromResult(newAcl(acl, before.acl))
    return yield* sameAs(seen, yield* zk.setAcl(seen.path, entries, { version: seen.version }))
  }).pipe(Effect.catch((error) => failEdit(zk, seen, error)))

/** A subtree is counted first, and what is created in it meanwhile is deleted with it. */
export const remove = (
  zk: Service,
  seen: Seen,
  subtree: { readonly znodes: number } | undefined
): Effect.Effect<{ readonly deleted: number }, EditFailure> =>
  Effect.gen(function* () {
    const { path, version } = seen
    yield* checkVersion(version, "version")
    const stat = yield* checkBirth(zk, seen)
    if (subtree === undefined) {
      yield* zk.delete(path, { version })
      return { deleted: 1 }
    }
    if (stat.version !== version) return yield* conflict(zk, seen)
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
  }).pipe(Effect.catch((error) => failEdit(zk, seen, error)))

// ---- internal

const unsupported = (message: string): Refused => new Refused({ reason: "unsupported", message })

/** What servers need for a kind of znode that they do not know. */
const needOf = (mode: Created["mode"]): Refused | undefined => {
  if (mode === "container") return unsupported("the servers have no containers, which need ZooKeeper 3.5.1")
  return mode.endsWith("Ttl")
    ? unsupported(
        "the servers allow no time to live, which needs ZooKeeper 3.5.3 and extendedTypesEnabled=true in zoo.cfg"
      )
    : undefined
}

type Ours = Refused | Unavailable | Conflict | MoreBelow

const isOurs = (error: ClientError | Ours): error is Ours =>
  error._tag === "Refused" || error._tag === "Unavailable" || error._tag === "Conflict" || error._tag === "MoreBelow"

/** -1 is any version for servers, which is not what a person has seen. */
const checkVersion = (version: number, name: string): Effect.Effect<void, Refused> =>
  version >= 0
    ? Effect.void
    : Effect.fail(new Refused({ reason: "invalid", message: `${name} ${version} is none that a znode can have` }))

/**
 * The stat of the znode that was seen, and not of one that was created in its place. Servers compare versions alone, and those
 * begin anew. The sync keeps a server that lags from showing the old znode.
 */
const checkBirth = (zk: Service, seen: Seen): Effect.Effect<Models.Stat, ClientError | EditFailure> =>
  Effect.flatMap(Effect.andThen(zk.sync(seen.path), zk.stat(seen.path)), (stat) =>
    Option.isSome(stat) && stat.value.czxid === seen.czxid ? Effect.succeed(stat.value) : conflict(zk, seen)
  )

/** A znode can be deleted and created again between the look and the write, with the same version. That is not kept secret. */
const sameAs = ({ czxid, path }: Seen, stat: Models.Stat): Effect.Effect<Models.Stat, Unavailable> =>
  stat.czxid === czxid
    ? Effect.succeed(stat)
    : Effect.fail(
        new Unavailable({
          message: `${path} was deleted and created again in that very moment, and the new znode was written`,
          maybeApplied: true
        })
      )

const failEdit = (zk: Service, seen: Seen, error: ClientError | EditFailure): Effect.Effect<never, EditFailure> => {
  if (isOurs(error)) return Effect.fail(error)
  switch (error._tag) {
    case "BadVersion":
      return conflict(zk, seen)
    case "NoNode":
      return Effect.fail(new Conflict({ path: seen.path, seen: seen.version, czxid: seen.czxid }))
    case "NotEmpty":
      return Effect.flatMap(Effect.mapError(countZnodes(zk, seen.path), toReadFailure), (znodes) =>
        Effect.fail(new MoreBelow({ path: seen.path, znodes }))
      )
    default:
      return Effect.fail(toEditFailure(error))
  }
}

const conflict = (zk: Service, { czxid, path, version }: Seen): Effect.Effect<never, EditFailure> =>
  zk.get(path).pipe(
    Effect.map(({ data, stat }): Conflict["current"] => ({ stat, data })),
    Effect.catchTags({
      NoNode: () => Effect.succeed(undefined),
      NoAuth: () => Effect.map(zk.stat(path), (stat) => (Option.isNone(stat) ? undefined : { stat: stat.value }))
    }),
    Effect.mapError(toReadFailure),
    Effect.flatMap((current) =>
      Effect.fail(new Conflict({ path, seen: version, czxid, ...(current === undefined ? {} : { current }) }))
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

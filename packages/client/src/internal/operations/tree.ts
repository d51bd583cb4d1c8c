/**
 * The methods that work on a path together with its ancestors or descendants.
 */
import type * as Acl from "@effect-zookeeper/protocol/Acl"
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { NoNode } from "@effect-zookeeper/protocol/ServerError"
import type { NoAuth } from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { CreateError } from "../../Errors.ts"
import type { CreateWithParentsOptions, ZnodeOptions } from "../../Models.ts"
import type { Service } from "../../Service.ts"
import { unexpectedBadVersion, missingStat } from "../replyErrors.ts"
import { badData, encodeData, invalid, isInvalid, ownAcl, ownCopy, prepareCreate } from "../validate.ts"
import type { PreparedCreate } from "../validate.ts"
import { checkOptions } from "../../ArgumentCheck.ts"
import { createPrepared, lacksParent, withMemory, sendCreate } from "./create.ts"
import type { Created } from "./create.ts"
import { createOrSetOptions, createWithParentsOptions, ensurePathOptions } from "../methodOptions.ts"
import { markMaybeApplied, isLost, isUnimplemented, totalLosses } from "../../Outcome.ts"
import { readNames, readStat } from "./read.ts"
import { send, toClient, withPath } from "../View.ts"
import type { View } from "../View.ts"
import { sendSet } from "./write.ts"

type AclList = ReadonlyArray<Acl.Acl>

type EnsureError = Exclude<CreateError, { readonly _tag: "NodeExists" }>

/**
 * How often an operation begins again that other clients have undone meanwhile: a parent that exists may be deleted before
 * it is used. Each time takes another delete, so that the limit is reached only if clients work against each other.
 */
const turns = 32

export const makeTree = (view: View): Pick<Service, "ensurePath" | "createWithParents" | "createOrSet"> => ({
  ensurePath: (path, options) =>
    withPath(view, path, (server) => {
      const acl = ownAcl(view, options?.acl, "acl")
      return Effect.andThen(
        checkOptions(ensurePathOptions, options),
        isInvalid(acl) ? Effect.fail(acl) : ensure(view, server, acl)
      )
    }),
  createWithParents: (path, options) =>
    checkOptions(createWithParentsOptions, options).pipe(
      Effect.andThen(
        Effect.suspend(() => {
          const given = options ?? none
          const checked = prepareCreate(view, path, given)
          if (isInvalid(checked)) return Effect.fail(checked)
          const parentAcl = ownAcl(view, given.parentAcl, "parentAcl")
          if (isInvalid(parentAcl)) return Effect.fail(parentAcl)
          return createBelowParents(view, ownCopy(view, checked, given), parentAcl, given, false)
        })
      ),
      Effect.map((created) => toClient(view, created.path))
    ),
  createOrSet: (path, data, options) => {
    const mistake = KnownOptions.check(createOrSetOptions, options)
    if (mistake !== undefined) return Effect.fail(mistake)
    const bytes = encodeData(data)
    if (bytes === undefined) return Effect.fail(badData(data))
    // Most calls find the znode, so that nothing else of a create is prepared before it is needed.
    const { mode, ttl } = options ?? none
    if (mode !== undefined && CreateMode.isCreateMode(mode) && CreateMode.isSequential(mode)) {
      return Effect.fail(
        invalid("mode", mode, "createOrSet takes no sequential mode, because it must find the znode by its path")
      )
    }
    // A copy, because it may be sent again after other clients were in the way.
    const own = typeof data === "string" ? bytes : new Uint8Array(bytes)
    const acl = ownAcl(view, options?.acl, "acl")
    if (isInvalid(acl)) return Effect.fail(acl)
    const parentAcl = ownAcl(view, options?.parentAcl, "parentAcl")
    if (isInvalid(parentAcl)) return Effect.fail(parentAcl)
    return withPath(view, path, (server) =>
      sendSet(view, server, path, own, -1).pipe(
        Effect.catchTag("BadVersion", unexpectedBadVersion),
        Effect.catchTag("NoNode", () =>
          Effect.flatMap(createOwn(view, path, { acl, data: own, mode, ttl }, parentAcl), ({ stat }) =>
            stat === undefined ? missingStat(path) : Effect.succeed(stat)
          )
        ),
        Effect.retry({ while: (error) => error._tag === "NodeExists" || lacksParent(error), times: turns })
      )
    )
  }
})

const none: CreateWithParentsOptions = {}

/** The create of `createOrSet`, with data and ACLs that are the client's own. */
const createOwn = (
  view: View,
  path: string,
  options: ZnodeOptions,
  parentAcl: AclList
): Effect.Effect<Created, CreateError> => {
  const prepared = prepareCreate(view, path, options)
  return isInvalid(prepared) ? Effect.fail(prepared) : createBelowParents(view, prepared, parentAcl, none, true)
}

/** The caller keeps nothing of the create and the ACL, which are sent after looks and refusals. */
const createBelowParents = (
  view: View,
  prepared: PreparedCreate,
  parentAcl: AclList,
  options: CreateWithParentsOptions,
  withStat: boolean
): Effect.Effect<Created, CreateError> =>
  Effect.gen(function* () {
    // From the path of the request: a sequential create may end with "/", and the chroot has parents on the server.
    const parent = ZnodePath.parent(prepared.request.path)
    const create = createPrepared(view, prepared, options, withStat).pipe(
      Effect.catchIf(
        (error) => prepared.mode === "container" && isUnimplemented(error),
        () => createPrepared(view, inMode(prepared, "persistent"), options, withStat)
      )
    )
    for (let left = turns; left > 0 && parent !== undefined; left--) {
      const outcome = yield* Effect.result(create)
      if (Result.isSuccess(outcome)) return outcome.success
      if (!lacksParent(outcome.failure)) return yield* Effect.fail(outcome.failure)
      yield* ensure(view, parent, parentAcl)
    }
    return yield* create
  })

const inMode = (create: PreparedCreate, mode: "container" | "persistent"): PreparedCreate => ({
  ...create,
  mode,
  request: { ...create.request, flags: CreateMode.flags[mode] }
})

// -----------------------------------------------------------------------------
// parents
// -----------------------------------------------------------------------------

/**
 * Creates the znodes that are missing on a server's path. It begins again when a container was deleted meanwhile, and when a
 * reply was lost, because looking again shows what was done.
 */
const ensure = (view: View, server: string, acl: AclList): Effect.Effect<void, EnsureError> =>
  Effect.suspend(() => {
    const total = totalLosses()
    return Effect.suspend(() => ensureOnce(view, server, acl)).pipe(
      Effect.tapError((error) => Effect.sync(() => total.add(error))),
      Effect.retry({
        while: (error) => error._tag === "NoNode" || (isLost(error) && !total.isGivenUp),
        times: turns
      }),
      Effect.mapError(total.withTotal)
    )
  })

const ensureOnce = Effect.fnUntraced(function* (view: View, server: string, acl: AclList) {
  const missing: Array<string> = []
  for (let path: string | undefined = server; path !== undefined && path !== "/"; path = ZnodePath.parent(path)) {
    const there = yield* readStat(view, path, toClient(view, path)).pipe(
      // Only a znode that exists can forbid a look.
      Effect.map((stat) => stat !== undefined),
      Effect.catchTag("NoAuth", () => Effect.succeed(true))
    )
    if (there) break
    missing.push(path)
  }
  for (const path of missing.toReversed()) {
    yield* Effect.catchTag(createContainer(view, path, acl), "NodeExists", () => Effect.void)
  }
})

const createContainer = (view: View, server: string, acl: AclList) => {
  const create: PreparedCreate = {
    path: toClient(view, server),
    mode: "persistent",
    request: { path: server, data: null, acl, flags: CreateMode.flags.persistent },
    ttl: 0n
  }
  const persistent = sendCreate(view, create, false)
  return withMemory(
    view,
    view.session.info.serverFeatures.supports("createContainer")
      ? Effect.catchIf(sendCreate(view, inMode(create, "container"), false), isUnimplemented, () => persistent)
      : persistent
  )
}

// -----------------------------------------------------------------------------
// deleteAll
// -----------------------------------------------------------------------------

/**
 * The largest transaction: far below the limit of a request, and little for a leader to hold in memory. The limit of bytes is
 * halved when a connection is lost, because the transaction may have been larger than the server accepts.
 */
const batchOps = 500
const batchBytes = 262_144

/** How many requests are sent at once. */
const listings = 32

export const makeDeleteAll = (view: View): Pick<Service, "deleteAll"> => ({
  deleteAll: (path) =>
    path === "/"
      ? Effect.fail(invalid("path", path, "the root cannot be deleted"))
      : withPath(view, path, (server) => deleteAll(view, server, path))
})

const deleteAll = Effect.fnUntraced(function* (view: View, root: string, path: string) {
  let tree = yield* list(view, root)
  if (tree.length === 0) return yield* new NoNode({ path, operation: "deleteAll" })
  let total = totalLosses()
  let most = Math.min(batchBytes, view.session.limits.maxRequestSize / 2)
  let isBegun = false
  const withFate = <E extends NoAuth | SessionError>(error: E) => (isBegun ? markMaybeApplied(error) : error)
  // Other clients may create and delete meanwhile, so the tree is listed again until nothing is left.
  while (tree.length > 0) {
    for (const batch of batches(tree, most)) {
      const done = yield* Effect.result(Effect.mapError(deleteBatch(view, batch), withFate))
      isBegun = true
      if (Result.isSuccess(done)) {
        total = totalLosses()
        continue
      }
      const error = done.failure
      total.add(error)
      if (!isLost(error) || total.isGivenUp) return yield* Effect.fail(total.withTotal(error))
      yield* forget(view, batch)
      if (error._tag === "RequestTimeout") continue
      // The next list shows what the lost transaction has done.
      most /= 2
      break
    }
    tree = yield* Effect.mapError(list(view, root), withFate)
  }
})

/** All paths of a sub-tree, parents before their children; none if the root does not exist. */
const list = Effect.fnUntraced(function* (
  view: View,
  root: string
): Effect.fn.Return<Array<string>, NoAuth | SessionError> {
  const found: Array<string> = []
  let level: Array<string> = [root]
  while (level.length > 0) {
    const below: Array<string> = []
    yield* Effect.forEach(
      level,
      (path) =>
        readNames(view, path, toClient(view, path)).pipe(
          Effect.map((children) => {
            found.push(path)
            for (const child of children) below.push(ZnodePath.join(path, child))
          }),
          Effect.catchTag("NoNode", () => Effect.void)
        ),
      { concurrency: listings, discard: true }
    )
    level = below
  }
  return found
})

/** The batches of a tree, children before their parents. */
function* batches(tree: ReadonlyArray<string>, most: number): Iterable<ReadonlyArray<string>> {
  let batch: Array<string> = []
  let bytes = 0
  for (let index = tree.length - 1; index >= 0; index--) {
    const path = tree[index] ?? ""
    // A UTF-16 unit has three bytes at most; the rest is for headers.
    const size = path.length * 3 + 32
    if (batch.length > 0 && (batch.length === batchOps || bytes + size > most)) {
      yield batch
      batch = []
      bytes = 0
    }
    batch.push(path)
    bytes += size
  }
  if (batch.length > 0) yield batch
}

/** Deletes a batch in one transaction, or one by one if that was refused because other clients had changed something. */
const deleteBatch = (view: View, batch: ReadonlyArray<string>): Effect.Effect<void, NoAuth | SessionError> => {
  const [only] = batch
  if (batch.length === 1 && only !== undefined) return deleteOne(view, only)
  const request = batch.map((path) => ({ operation: "delete", request: { path, version: -1 } }) as const)
  return send(view, Operations.multi, request, "").pipe(
    Effect.map((results) => results.some((result) => result.operation === "error")),
    Effect.flatMap((refused) =>
      refused
        ? // They are sent in the order of the batch, in which the server works.
          Effect.forEach(batch, (path) => deleteOne(view, path), { concurrency: listings, discard: true })
        : forget(view, batch)
    )
  )
}

const deleteOne = (view: View, path: string): Effect.Effect<void, NoAuth | SessionError> =>
  send(view, Operations.deleteNode, { path, version: -1 }, toClient(view, path)).pipe(
    Effect.catchTag("NoNode", () => Effect.void),
    Effect.andThen(forget(view, [path])),
    Effect.catchTag("NotEmpty", () => Effect.void),
    Effect.catchTag("BadVersion", unexpectedBadVersion)
  )

/** Removes the versions of znodes that are deleted, or will be, from the memory of the view. */
const forget = (view: View, deleted: ReadonlyArray<string>): Effect.Effect<void> =>
  Effect.sync(() => {
    for (const path of deleted) view.versions?.forget(path)
  })

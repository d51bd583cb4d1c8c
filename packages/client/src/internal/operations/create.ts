/**
 * Creating znodes: the right operation for each mode, and creates that survive a lost reply.
 */
import * as CreateMode from "@effect-zookeeper/protocol/CreateMode"
import type { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import * as KnownOptions from "@effect-zookeeper/protocol/KnownOptions"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import { NodeExists, NoNode } from "@effect-zookeeper/protocol/ServerError"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import { ConnectionLoss, RequestTimeout } from "@effect-zookeeper/session/SessionError"
import type { SessionError } from "@effect-zookeeper/session/SessionError"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { CreateError } from "../../Errors.ts"
import type { CreateOptions, Stat } from "../../Models.ts"
import type { Service } from "../../Service.ts"
import { missingStat } from "../replyErrors.ts"
import { invalid, isInvalid, ownCopy, prepareCreate } from "../validate.ts"
import type { PreparedCreate } from "../validate.ts"
import { deleteUntilGone } from "./delete.ts"
import { createOptions } from "../methodOptions.ts"
import { writeDurably, type Fate } from "./durableWrite.ts"
import * as Guid from "../../Guid.ts"
import {
  markMaybeApplied,
  isSessionReplaced,
  isUnimplemented,
  mayBeApplied,
  isGivenUp,
  retryRarely,
  retryTransient
} from "../../Outcome.ts"
import { readStat } from "./read.ts"
import { commitNothing } from "./transaction.ts"
import { send, sendAndTransform, toClient } from "../View.ts"
import type { View } from "../View.ts"

/** The answer of a server, with the server's path. Only create2, createContainer and createTTL answer with a Stat. */
export interface Created {
  readonly path: string
  readonly stat?: Stat
}

type SentError = Operation.Error<typeof Operations.create> | SessionError

export const makeCreate = (view: View): Pick<Service, "create" | "createWithStat"> => {
  const createWithStat = makeCreateWithStat(view)
  const toPath = (created: Created): string => toClient(view, created.path)
  return {
    create: (path, options) => {
      const mistake = KnownOptions.check(createOptions, options)
      if (mistake !== undefined) return Effect.fail(mistake)
      const prepared = prepareCreate(view, path, options ?? none)
      if (isInvalid(prepared)) return Effect.fail(prepared)
      return view.versions === undefined && isPlain(prepared, options ?? none)
        ? sendAndTransform(view, Operations.create, prepared.request, path, toPath)
        : Effect.map(createChecked(view, prepared, options ?? none, false), toPath)
    },
    createWithStat: (path, options) => {
      const mistake = KnownOptions.check(createOptions, options)
      if (mistake !== undefined) return Effect.fail(mistake)
      const prepared = prepareCreate(view, path, options ?? none)
      if (isInvalid(prepared)) return Effect.fail(prepared)
      return Effect.flatMap(createWithStat(prepared, options ?? none), (created) =>
        created.stat === undefined
          ? missingStat(path)
          : Effect.succeed({ path: toClient(view, created.path), stat: created.stat })
      )
    }
  }
}

const none: CreateOptions = {}

/** Whether it is one request, a `create` or a `create2`, as most creates are. */
const isPlain = ({ mode }: PreparedCreate, options: CreateOptions): boolean =>
  !isRepeatable(options) && mode !== "container" && !CreateMode.hasTtl(mode)

const isRepeatable = (options: CreateOptions): boolean => isProtected(options) || options.idempotent === true

const createChecked = (view: View, create: PreparedCreate, options: CreateOptions, withStat: boolean) =>
  createPrepared(view, isRepeatable(options) ? ownCopy(view, create, options) : create, options, withStat)

/**
 * A plain create with a Stat is sent again, as a `create`, to a server that does not know create2, so that it has to be a
 * copy. None is made once the server has answered a create2 on this connection: if such a create then waits for a
 * connection to a server that does not know it, it is refused.
 */
const makeCreateWithStat = (view: View) => {
  const { info } = view.session
  /** The connection on which a create2 was answered: every connection has a state of its own. */
  let answeredOn: unknown
  const create2 = ({ path, request }: PreparedCreate) =>
    sendAndTransform(view, Operations.create2, request, path, (created) => {
      answeredOn = info.state
      return created
    })
  return (create: PreparedCreate, options: CreateOptions): Effect.Effect<Created, CreateError> => {
    if (!isPlain(create, options)) return createChecked(view, create, options, true)
    const own = answeredOn === info.state ? undefined : ownCopy(view, create, options)
    // An Effect may run on a later connection than that of the call.
    const sent = Effect.suspend((): Effect.Effect<Created, SentError> => {
      if (own === undefined && answeredOn === info.state) return create2(create)
      const repeatable = own ?? ownCopy(view, create, options)
      return orCreate(view, create2(repeatable), repeatable)
    })
    return withMemory(view, sent)
  }
}

/**
 * A create with checked arguments, of which the caller keeps none: it may send them again long after the call, unless it is plain. Of the options, it reads only `protected` and `idempotent`. `withStat` makes sure that the answer has a Stat.
 */
export const createPrepared = (
  view: View,
  create: PreparedCreate,
  options: CreateOptions,
  withStat: boolean
): Effect.Effect<Created, CreateError> => {
  if (!isProtected(options) && options.idempotent !== true) return withMemory(view, sendCreate(view, create, withStat))
  const error = checkDurable(create, options)
  if (error !== undefined) return Effect.fail(error)
  return withMemory(
    view,
    isProtected(options)
      ? createProtected(view, create, options.protected === true ? curatorName : options.protected, withStat)
      : createIdempotently(view, create, withStat)
  )
}

/** Sends a create with the operation of its mode: containers and times to live have their own. */
export const sendCreate = (
  view: View,
  { mode, path, request, ttl }: PreparedCreate,
  withStat: boolean
): Effect.Effect<Created, SentError> =>
  mode === "container"
    ? send(view, Operations.createContainer, request, path)
    : CreateMode.hasTtl(mode)
      ? send(view, Operations.createTTL, { ...request, ttl }, path)
      : withStat
        ? orCreate(view, send(view, Operations.create2, request, path), { path, request })
        : send(view, Operations.create, request, path)

const orCreate = (
  view: View,
  create2: Effect.Effect<Created, SentError>,
  { path, request }: Pick<PreparedCreate, "path" | "request">
): Effect.Effect<Created, SentError> =>
  Effect.catchIf(create2, isUnimplemented, () => createThenStat(view, request, path))

/**
 * For servers before 3.5, whose create does not answer with a Stat. The znode was created whatever becomes of the look
 * that follows: if that is lost, the create is reported as lost; if it finds nothing, another client deleted the znode.
 */
const createThenStat = (
  view: View,
  request: PreparedCreate["request"],
  path: string
): Effect.Effect<Created, SentError> =>
  Effect.flatMap(send(view, Operations.create, request, path), (created) =>
    readStat(view, created.path, path).pipe(
      Effect.catchTag("ConnectionLoss", () => Effect.fail(new ConnectionLoss(lostCreate(path)))),
      Effect.catchTag("RequestTimeout", () => Effect.fail(new RequestTimeout(lostCreate(path)))),
      Effect.mapError((error) => markMaybeApplied(error)),
      Effect.flatMap((stat) =>
        stat === undefined
          ? Effect.fail(new NoNode({ path, operation: Operations.exists.name }))
          : Effect.succeed({ path: created.path, stat })
      )
    )
  )

const lostCreate = (path: string) => ({ operation: Operations.create.name, path, maybeApplied: true })

/** Whether nothing was created because there is no parent. The NoNode of a look after a create has another meaning. */
export const lacksParent = (error: CreateError): boolean =>
  error._tag === "NoNode" && error.operation !== Operations.exists.name

/** A create that the view remembers. */
export const withMemory = <E>(view: View, created: Effect.Effect<Created, E>): Effect.Effect<Created, E> => {
  const { versions } = view
  return versions === undefined
    ? created
    : Effect.tap(created, ({ path, stat }) => Effect.sync(() => versions.created(path, stat)))
}

const checkDurable = ({ mode, path }: PreparedCreate, options: CreateOptions): InvalidArgument | undefined => {
  if (isProtected(options)) {
    return path === "/" && !CreateMode.isSequential(mode)
      ? invalid("path", path, 'a protected create puts an id into the name, and "/" has no name')
      : undefined
  }
  return CreateMode.isSequential(mode)
    ? invalid(
        "idempotent",
        true,
        "the client cannot know the name of a sequential znode without a reply; use protected"
      )
    : undefined
}

// -----------------------------------------------------------------------------
// protected: an id in the name
// -----------------------------------------------------------------------------

/** Makes the name, with the id in it. */
type Naming = (id: string, name: string) => string

const isProtected = (options: CreateOptions): options is CreateOptions & { readonly protected: true | Naming } =>
  options.protected !== undefined && options.protected !== false

const curatorName: Naming = (id, name) => `_c_${id}-${name}`

/** Gives the znode, or makes sure that none is left behind if it is interrupted or cannot find out the fate of the create. */
const createProtected = (
  view: View,
  create: PreparedCreate,
  naming: Naming,
  withStat: boolean
): Effect.Effect<Created, CreateError> =>
  Effect.suspend(() => {
    /** The create that was sent last, which may have been applied. */
    let current: PreparedCreate | undefined
    const isLasting = !CreateMode.isEphemeral(create.mode)
    return Effect.flatMap(withId(create, naming), (first) => {
      let named = first
      return writeDurably<Created, CreateError>(view, {
        operation: Operations.create.name,
        path: create.path,
        attempt: () => {
          current = named
          return sendCreate(view, named, withStat)
        },
        // No other client has this id: a znode that exists is from an earlier attempt of our own. One that outlives its session
        // is looked for in the next session.
        isAmbiguous: ({ _tag }) => _tag === "NodeExists" || (_tag === "SessionExpired" && isLasting),
        findFate: Effect.fnUntraced(function* (_, lost): Effect.fn.Return<Fate<Created>, CreateError> {
          // Without permission to list, the fate of the create stays unknown.
          const found = yield* Effect.catchTag(findOwnAcross(view, named), "NoAuth", () => Effect.fail(lost))
          if (found._tag === "Own") return { _tag: "Applied", value: found.created }
          if (found._tag === "Absent") return { _tag: "Unapplied" }
          // It belongs to an expired session of our own. The server will delete it, but until then it blocks other contenders.
          yield* deleteUntilGone(view, found.path)
          named = yield* withId(create, naming)
          return { _tag: "Anew" }
        })
      })
    }).pipe(
      Effect.onError((cause) => {
        const isOpen = Cause.hasInterrupts(cause) || Option.exists(Cause.findErrorOption(cause), mayBeApplied)
        return current !== undefined && isOpen ? removeOrphan(view, current) : Effect.void
      })
    )
  })

const withId = (create: PreparedCreate, naming: Naming): Effect.Effect<PreparedCreate, InvalidArgument> =>
  Effect.flatMap(Guid.make, (id) => {
    const server = create.request.path
    const slash = server.lastIndexOf("/") + 1
    const name = naming(id, server.slice(slash))
    const path = server.slice(0, slash) + name
    const isSequential = CreateMode.isSequential(create.mode)
    const check = isSequential ? ZnodePath.checkSequential : ZnodePath.check
    const isName = !name.includes("/") && (isSequential || name !== "")
    const rule = isName ? check(path) : 'the function must return a name that is not empty and has no "/"'
    return rule === undefined
      ? Effect.succeed({ ...create, request: { ...create.request, path } })
      : Effect.fail(invalid("protected", name, rule))
  })

/** Deletes what the create may have left, in the background. An ephemeral znode ends with its session anyway. */
const removeOrphan = (view: View, named: PreparedCreate): Effect.Effect<void> =>
  retryTransient(findOwnAcross(view, named)).pipe(
    Effect.catchIf(isGivenUp, () => retryRarely(findOwnAcross(view, named))),
    Effect.flatMap((found) =>
      found._tag === "Absent"
        ? Effect.void
        : deleteUntilGone(view, found._tag === "Own" ? found.created.path : found.path)
    ),
    Effect.ignore,
    Effect.forkIn(view.scope, { startImmediately: true }),
    Effect.asVoid
  )

type Found =
  | { readonly _tag: "Own"; readonly created: Created }
  | { readonly _tag: "Foreign"; readonly path: string }
  | { readonly _tag: "Absent" }

const absent: Found = { _tag: "Absent" }

/**
 * `findOwn`, and once more in the next session, if there is one, because a persistent znode outlives its session. A create
 * of the session that has ended cannot be applied after that look: servers no longer accept it.
 */
const findOwnAcross = (view: View, named: PreparedCreate): Effect.Effect<Found, SentError> =>
  CreateMode.isEphemeral(named.mode)
    ? findOwn(view, named)
    : Effect.catchTag(findOwn(view, named), "SessionExpired", (expired) =>
        Effect.flatMap(isSessionReplaced(view.session.info), (followed) =>
          followed ? findOwnAcross(view, named) : Effect.fail(expired)
        )
      )

/**
 * Looks for the znode with the id. The create cannot be applied after this look: a server works through one connection in
 * order; once the session has moved, the leader refuses requests of the old connection; and the commit that comes first is
 * behind all that was accepted until then.
 */
const findOwn = (view: View, named: PreparedCreate): Effect.Effect<Found, SentError> => {
  const { path: server } = named.request
  const parent = ZnodePath.parent(server) ?? "/"
  const prefix = ZnodePath.name(server)
  return commitNothing(view, named.path).pipe(
    Effect.andThen(send(view, Operations.getChildren, { path: parent, watch: false }, named.path)),
    Effect.flatMap(({ children }): Effect.Effect<Found, SentError> => {
      const name = children.find((child) => child.startsWith(prefix))
      if (name === undefined) return Effect.succeed(absent)
      const path = ZnodePath.join(parent, name)
      return Effect.map(readStat(view, path, named.path), (stat): Found => {
        if (stat === undefined) return absent
        return CreateMode.isEphemeral(named.mode) && stat.ephemeralOwner !== view.session.info.id
          ? { _tag: "Foreign", path }
          : { _tag: "Own", created: { path, stat } }
      })
    }),
    Effect.catchTag("NoNode", () => Effect.succeed(absent))
  )
}

// -----------------------------------------------------------------------------
// idempotent: compares what is there
// -----------------------------------------------------------------------------

const createIdempotently = (
  view: View,
  create: PreparedCreate,
  withStat: boolean
): Effect.Effect<Created, CreateError> => {
  const { path: server } = create.request
  return writeDurably<Created, CreateError>(view, {
    operation: Operations.create.name,
    path: create.path,
    attempt: () => sendCreate(view, create, withStat),
    isAmbiguous: ({ _tag }) => _tag === "NodeExists",
    findFate: Effect.fnUntraced(function* (_, lost): Effect.fn.Return<Fate<Created>, CreateError> {
      const there = yield* readAfterCommit(view, server, create.path).pipe(
        Effect.catchTag("NoNode", () => Effect.undefined),
        Effect.catchTag("NoAuth", () => Effect.fail(lost))
      )
      if (there === undefined) return { _tag: "Unapplied" }
      const owner = CreateMode.isEphemeral(create.mode) ? view.session.info.id : 0n
      if (there.stat.ephemeralOwner === owner && sameData(there.data, create.request.data)) {
        return { _tag: "Applied", value: { path: server, stat: there.stat } }
      }
      return yield* new NodeExists({ path: create.path, operation: "create" })
    })
  })
}

/** Reads what became of the writes that were sent before. */
export const readAfterCommit = (view: View, server: string, path: string) =>
  Effect.andThen(commitNothing(view, path), send(view, Operations.getData, { path: server, watch: false }, path))

/** Whether two data are equal; null is the same as empty. */
export const sameData = (a: Uint8Array | null, b: Uint8Array | null): boolean => {
  const length = a?.byteLength ?? 0
  if (length !== (b?.byteLength ?? 0)) return false
  for (let index = 0; index < length; index++) {
    if (a?.[index] !== b?.[index]) return false
  }
  return true
}

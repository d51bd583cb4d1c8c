import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { NoNode } from "@effect-zookeeper/protocol/ServerError"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as Records from "@effect-zookeeper/protocol/Records"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { SessionError } from "../../SessionError.ts"
import type { PersistentWatchListener, RequestPath, Watched } from "../../Watch.ts"
import type { PendingRequest, RequestHandler } from "../requests/PendingRequest.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"
import { replyExit } from "../requests/replies.ts"
import type { SessionRequests } from "../requests/SessionRequests.ts"
import type { OneShotKind } from "./OneShotWatch.ts"
import type { ServerWatchMode, WatchTable } from "./PathWatches.ts"
import { addWatchMode, type WatchRegistry } from "./WatchRegistry.ts"

/** The parts of a session that watches are set with. */
export interface WatchingSession {
  readonly requests: SessionRequests
  readonly watches: WatchRegistry
}

export const watchData = (session: WatchingSession, path: RequestPath) =>
  watchedRead<typeof Operations.getData, Operation.Error<typeof Operations.getData>>(
    session,
    Operations.getData,
    path,
    dataRead
  )

export const watchChildren = (session: WatchingSession, path: RequestPath) =>
  watchedRead<typeof Operations.getChildren2, Operation.Error<typeof Operations.getChildren2>>(
    session,
    Operations.getChildren2,
    path,
    childrenRead
  )

export const watchExists = (session: WatchingSession, path: RequestPath) =>
  watchedRead<
    typeof Operations.exists,
    Exclude<Operation.Error<typeof Operations.exists>, NoNode>,
    Operation.Response<typeof Operations.exists> | undefined
  >(session, Operations.exists, path, existsRead)

/** Adds a persistent watch until the Scope closes; completes when the server holds it. */
export const watchPersistently = Effect.fnUntraced(function* (
  { requests, watches }: WatchingSession,
  path: RequestPath,
  options: { readonly recursive: boolean; readonly listener: PersistentWatchListener }
): Effect.fn.Return<void, SessionError, Scope.Scope> {
  const { listener, recursive } = options
  const remove = Effect.sync(() => watches.remove(path.server, recursive, listener))
  yield* Effect.acquireRelease(
    Effect.sync(() => watches.add(path.server, recursive, listener)),
    () => remove
  )
  const request = { path: path.server, mode: 0 }
  const handler = new PersistentWatchHandler(watches, request, recursive)
  yield* requests.request(Operations.addWatch, request, path.client, handler).pipe(Effect.onError(() => remove))
})

// -----------------------------------------------------------------------------
// reads with a one-shot watch
// -----------------------------------------------------------------------------

type WatchedOperation = typeof Operations.getData | typeof Operations.getChildren2 | typeof Operations.exists

/** How the reply to one kind of read becomes a watch. */
interface WatchedReadKind<O extends WatchedOperation> {
  /** The server's table that holds the watch. */
  readonly table: WatchTable
  /** The watch that a reply with this code leaves, if any. */
  readonly kindOf: (code: number) => OneShotKind | undefined
  readonly isCounterExhausted?: (response: Operation.Response<O>) => boolean
}

const dataRead: WatchedReadKind<typeof Operations.getData> = {
  table: "data",
  kindOf: (code) => (code === codes.Ok ? "data" : undefined)
}

const childrenRead: WatchedReadKind<typeof Operations.getChildren2> = {
  table: "child",
  kindOf: (code) => (code === codes.Ok ? "child" : undefined),
  isCounterExhausted: ({ stat }) => isCounterExhausted(stat)
}

const existsRead: WatchedReadKind<typeof Operations.exists> = {
  table: "data",
  kindOf: (code) => (code === codes.Ok ? "data" : code === codes.NoNode ? "exists" : undefined)
}

/**
 * Whether a znode's counter of children has come to its end, 2147483647. It no longer changes then, nor does the pzxid when
 * a child is created; only deletions still change that. The Stat shows twice the counter less the number of children.
 */
const isCounterExhausted = ({ cversion, numChildren }: Records.Stat): boolean => ((cversion + numChildren) | 0) === -2

/** A read that leaves a watch, which fires once. */
const watchedRead = <O extends WatchedOperation, E, A = Operation.Response<O>>(
  { requests, watches }: WatchingSession,
  operation: O,
  path: RequestPath,
  kind: WatchedReadKind<O>
): Effect.Effect<Watched<A>, E | SessionError> =>
  Effect.suspend(() => {
    const request = { path: path.server, watch: true }
    const handler = new WatchedReadHandler(watches, request, kind)
    const read: Effect.Effect<unknown, unknown> = requests.request<Operation.Any>(
      operation,
      request,
      path.client,
      handler
    )
    // The handler gives a Watched, or the failure of the operation's row.
    return read as Effect.Effect<Watched<A>, E | SessionError>
  })

/**
 * Registers the watch of a read at the very moment at which the reply is read, so that whatever comes after it on the
 * connection finds the watch.
 */
class WatchedReadHandler<O extends WatchedOperation> implements RequestHandler {
  private readonly watches: WatchRegistry
  private readonly request: { readonly path: string; watch: boolean }
  private readonly kind: WatchedReadKind<O>

  constructor(watches: WatchRegistry, request: { readonly path: string; watch: boolean }, kind: WatchedReadKind<O>) {
    this.watches = watches
    this.request = request
    this.kind = kind
  }

  onAsk(): void {
    this.watches.readSent(this.request.path, this.kind.table)
  }

  onSend(): void {
    this.request.watch = this.watches.needsServerWatch(this.request.path, this.kind.table)
  }

  onReply(pending: PendingRequest, code: number, response: unknown): Exit.Exit<unknown, unknown> {
    const { path, watch: isWatched } = this.request
    const { isCounterExhausted, kindOf, table } = this.kind
    const kind = kindOf(code)
    const wanted = pending.resume === undefined ? undefined : kind
    const isExhausted = wanted === undefined ? undefined : isCounterExhausted?.(response as Operation.Response<O>)
    const watch = this.watches.readAnswered(path, table, kind !== undefined && isWatched, wanted, isExhausted)
    return watch === undefined ? replyExit(pending, code, response) : Exit.succeed({ response, changed: watch })
  }

  onEnd(): void {
    this.watches.readFailed(this.request.path, this.kind.table)
  }
}

// -----------------------------------------------------------------------------
// persistent watches
// -----------------------------------------------------------------------------

/** Asks for the mode by which all watches of the path are covered, and notes whether the server holds it. */
class PersistentWatchHandler implements RequestHandler {
  private readonly watches: WatchRegistry
  private readonly request: { readonly path: string; mode: number }
  private readonly recursive: boolean
  private mode: ServerWatchMode = "persistent"

  constructor(watches: WatchRegistry, request: { readonly path: string; mode: number }, recursive: boolean) {
    this.watches = watches
    this.request = request
    this.recursive = recursive
  }

  onSend(): void {
    this.mode = this.watches.requestMode(this.request.path, this.recursive)
    this.request.mode = addWatchMode[this.mode]
  }

  onReply(pending: PendingRequest, code: number, response: unknown): Exit.Exit<unknown, unknown> {
    const { path } = this.request
    if (code === codes.Ok) this.watches.confirmMode(path, this.mode)
    else if (this.watches.revertMode(path)) {
      pending.resolve(replyExit(pending, code, response))
      throw new ProtocolViolation(`a persistent watch was refused (${code}) that others had counted on`)
    }
    return replyExit(pending, code, response)
  }
}

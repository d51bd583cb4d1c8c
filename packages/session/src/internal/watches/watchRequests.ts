import { codes } from "@effect-zookeeper/protocol/ErrorCode"
import type { NoNode } from "@effect-zookeeper/protocol/ServerError"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as Operations from "@effect-zookeeper/protocol/Operations"
import type * as Records from "@effect-zookeeper/protocol/Records"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { PersistentWatchListener, RequestPath, Watched } from "../../Session.ts"
import type { SessionError } from "../../SessionError.ts"
import { replyExit } from "../requests/RequestPipeline.ts"
import type { ServerWatchMode, WatchTable } from "./PathWatches.ts"
import type { SessionMachine } from "../SessionMachine.ts"
import { ProtocolViolation } from "../requests/ProtocolViolation.ts"
import { addWatchMode, type OneShotKind } from "./WatchRegistry.ts"

type WatchedRead = typeof Operations.getData | typeof Operations.getChildren2 | typeof Operations.exists

export const watchData = (machine: SessionMachine, path: RequestPath) =>
  watchedRead<typeof Operations.getData, Operation.Error<typeof Operations.getData>>(
    machine,
    Operations.getData,
    path,
    "data",
    (code) => (code === codes.Ok ? "data" : undefined)
  )

export const watchChildren = (machine: SessionMachine, path: RequestPath) =>
  watchedRead<typeof Operations.getChildren2, Operation.Error<typeof Operations.getChildren2>>(
    machine,
    Operations.getChildren2,
    path,
    "child",
    (code) => (code === codes.Ok ? "child" : undefined),
    ({ stat }) => isCounterExhausted(stat)
  )

export const watchExists = (machine: SessionMachine, path: RequestPath) =>
  watchedRead<
    typeof Operations.exists,
    Exclude<Operation.Error<typeof Operations.exists>, NoNode>,
    Operation.Response<typeof Operations.exists> | undefined
  >(machine, Operations.exists, path, "data", (code) =>
    code === codes.Ok ? "data" : code === codes.NoNode ? "exists" : undefined
  )

/**
 * Whether a znode's counter of children has come to its end, 2147483647. It stands still there, and so does the pzxid when a
 * child is created; deletions alone still move it. The Stat shows twice the counter less the number of children.
 */
const isCounterExhausted = ({ cversion, numChildren }: Records.Stat): boolean => ((cversion + numChildren) | 0) === -2

/**
 * A read that leaves a watch. The watch is registered here in the very moment in which the reply is read: whatever comes
 * after it on the connection finds it.
 */
const watchedRead = <O extends WatchedRead, E, A = Operation.Response<O>>(
  machine: SessionMachine,
  operation: O,
  path: RequestPath,
  table: WatchTable,
  kindOf: (code: number) => OneShotKind | undefined,
  isCounterExhausted?: (response: Operation.Response<O>) => boolean
): Effect.Effect<Watched<A>, E | SessionError> =>
  Effect.suspend(() => {
    const { watches } = machine
    const request = { path: path.server, watch: true }
    const read: Effect.Effect<unknown, unknown> = machine.request<Operation.Any>(
      operation,
      request,
      path.client,
      (pending) => {
        watches.readSent(path.server, table)
        pending.onSend = () => {
          request.watch = watches.needsServerWatch(path.server, table)
        }
        pending.onEnd = () => watches.readFailed(path.server, table)
        pending.onReply = (code, response) => {
          const kind = kindOf(code)
          const wanted = pending.resume === undefined ? undefined : kind
          const isStill = wanted === undefined ? undefined : isCounterExhausted?.(response as Operation.Response<O>)
          const watch = watches.readAnswered(path.server, table, kind !== undefined && request.watch, wanted, isStill)
          return watch === undefined
            ? replyExit(pending, code, response)
            : Exit.succeed({ response, changed: watch.changed })
        }
      }
    )
    // What `onReply` gives is a Watched, or the failure of the operation's row.
    return read as Effect.Effect<Watched<A>, E | SessionError>
  })

export const watchPersistently = Effect.fnUntraced(function* (
  machine: SessionMachine,
  path: RequestPath,
  options: { readonly recursive: boolean; readonly listener: PersistentWatchListener }
): Effect.fn.Return<void, SessionError, Scope.Scope> {
  const { watches } = machine
  const { listener, recursive } = options
  const remove = Effect.sync(() => watches.remove(path.server, recursive, listener))
  yield* Effect.acquireRelease(
    Effect.sync(() => watches.add(path.server, recursive, listener)),
    () => remove
  )
  const request = { path: path.server, mode: 0 }
  yield* machine
    .request(Operations.addWatch, request, path.client, (pending) => {
      let mode: Exclude<ServerWatchMode, "none"> = "persistent"
      pending.onSend = () => {
        mode = watches.requestMode(path.server)
        request.mode = addWatchMode[mode]
      }
      pending.onReply = (code, response) => {
        if (code === codes.Ok) watches.confirmMode(path.server, mode)
        else if (watches.revertMode(path.server)) {
          pending.resolve(replyExit(pending, code, response))
          throw new ProtocolViolation(`a persistent watch was refused (${code}) that others had counted on`)
        }
        return replyExit(pending, code, response)
      }
    })
    .pipe(Effect.onError(() => remove))
})

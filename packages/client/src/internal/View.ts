/**
 * A view: what the methods of one client share (the session, the chroot, the defaults), and the one way to send a request.
 */
import type { Acl } from "@effect-zookeeper/protocol/Acl"
import { InvalidArgument } from "@effect-zookeeper/protocol/InvalidArgument"
import type * as Operation from "@effect-zookeeper/protocol/Operation"
import * as ZnodePath from "@effect-zookeeper/protocol/ZnodePath"
import type { Changed, Session } from "@effect-zookeeper/session/Session"
import { ConnectionLoss, type SessionError } from "@effect-zookeeper/session/SessionError"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import { tracedRequest } from "./tracing.ts"
import type { VersionMemory } from "./versionMemory.ts"

export interface View {
  readonly session: Session["Service"]
  /** The Scope of the client's layer, for fibers that outlive their caller. */
  readonly scope: Scope.Scope
  /** "" for none. */
  readonly chroot: string
  readonly defaultAcl: ReadonlyArray<Acl>
  /** The memory of a view that tracks versions. */
  readonly versions: VersionMemory | undefined
  /** How many streams of states are open, in all views of the client together. */
  readonly following: { streams: number }
}

/** Sends one request; `path` is what errors and spans name. */
export const send = <O extends Operation.Any>(
  view: View,
  operation: O,
  request: Operation.Request<O>,
  path: string
): Effect.Effect<Operation.Response<O>, Operation.Error<O> | SessionError> =>
  sendAndTransform(view, operation, request, path, identity)

/** Sends one request; `transform` turns the response into the answer as soon as it is read. */
export const sendAndTransform = <O extends Operation.Any, A>(
  view: View,
  operation: O,
  request: Operation.Request<O>,
  path: string,
  transform: (response: Operation.Response<O>) => A
): Effect.Effect<A, Operation.Error<O> | SessionError> =>
  tracedRequest(view.session.info, operation.name, path, (resume, caller) =>
    view.session.requestUnsafe(operation, request, path, transform, resume, caller)
  )

/** Calls `use` with the server's name of the path, or fails with the rule that the path breaks. */
export const withPath = <A, E>(
  view: View,
  path: string,
  use: (server: string) => Effect.Effect<A, E>
): Effect.Effect<A, E | InvalidArgument> => {
  const rule = ZnodePath.check(path)
  if (rule !== undefined) return Effect.fail(new InvalidArgument({ argument: "path", value: String(path), rule }))
  const server = ZnodePath.toServer(view.chroot, path)
  // An Effect may run long after it was made, and again: each run takes the version that is remembered then.
  return view.versions === undefined ? use(server) : Effect.suspend(() => use(server))
}

/** The client's name of a path that a server sent; a path outside the chroot keeps the server's name. */
export const toClient = (view: View, server: string): string => ZnodePath.toClient(view.chroot, server) ?? server

/** The event, or the error of a watch that was given up, with the client's path. */
export const toClientChanged = (view: View, changed: Changed): Changed =>
  view.chroot === ""
    ? changed
    : Effect.mapBoth(changed, {
        onSuccess: (event) => ({ ...event, path: toClient(view, event.path) }),
        onFailure: (error) => toClientWatchEnd(view, error)
      })

/** Why a watch ended, with the client's path. */
export const toClientWatchEnd = <E extends { readonly _tag: string }>(view: View, error: E): E | ConnectionLoss =>
  error instanceof ConnectionLoss ? new ConnectionLoss({ ...error, path: toClient(view, error.path) }) : error
